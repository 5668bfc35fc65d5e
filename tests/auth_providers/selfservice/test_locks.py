"""Who changes the same customer's log-ins later sees what was done before: every lock, with two transactions in a known
order."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.utils import timezone

from auth_providers.accounts.mailed_tokens import InvalidMailedToken
from auth_providers.models import Account, CustomerMerge, UndoableChange
from auth_providers.selfservice import additional_log_in, deletion, log_in_limit, staff_log_ins
from auth_providers.selfservice.merging import undoing
from auth_providers.selfservice.staff_log_ins import LogInNotFound
from customers import erasure
from customers.models import Customer
from customers.profiles import CustomerNotFound
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.auth_providers.selfservice import intrusion
from tests.auth_providers.selfservice.merging.merged import OTHER, STAFF, merge, take_back
from tests.authenticators import just_logged_in
from tests.factories import CLIENT, PASSWORD
from tests.races import behind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


@pytest.fixture
def other(customer: Customer) -> Customer:
    """The same person once more."""
    return factories.make_customer(customer.tenant, email=OTHER)


def add_log_in(customer: Customer) -> None:
    additional_log_in.add(
        tenant=customer.tenant,
        session=just_logged_in(customer),
        email="grace@example.com",
        password=PASSWORD,
        client=CLIENT,
    )


def test_there_is_no_room_where_another_log_in_was_just_added(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_in_limit, "MAX_LOG_INS", 2)

    @transaction.atomic
    def check_room() -> None:
        log_in_limit.check_room(tenant=customer.tenant, customer=customer)

    assert isinstance(behind(lambda: add_log_in(customer), check_room), InvalidInput)


def test_a_log_in_is_permitted_by_hand_once(customer: Customer) -> None:
    account = factories.account_of(customer)
    Account.objects.update(**factories.UNVERIFIED)

    def permit() -> None:
        staff_log_ins.permit_by_hand(
            tenant=customer.tenant, customer=customer, account_id=account.pk, reason="By telephone", **STAFF
        )

    assert isinstance(behind(permit, permit), LogInNotFound)
    assert AuditEvent.objects.filter(action="permit_by_hand").count() == 1


def test_nothing_is_undone_for_who_was_just_erased(customer: Customer) -> None:
    intrusion.change_password(customer)
    [token] = intrusion.links()
    seen = behind(
        lambda: erasure.erase(tenant=customer.tenant, customer=customer), lambda: intrusion.press(customer, token)
    )
    assert isinstance(seen, InvalidMailedToken)


def test_a_customer_is_merged_once(customer: Customer, other: Customer) -> None:
    third = factories.make_customer(customer.tenant, email="grace@example.com")
    assert isinstance(behind(lambda: merge(customer, other), lambda: merge(third, other)), CustomerNotFound)


# -- undoing a merge -------------------------------------------------------------------------------------------------
@transaction.atomic
def undo_since(made: CustomerMerge, customer_id: int) -> None:
    customer = Customer.objects.select_related("merged_into").get(pk=customer_id)
    change = UndoableChange(tenant=made.tenant, customer=customer, created_at=made.created_at)
    undoing.undo_since(tenant=made.tenant, change=change, client=CLIENT)


def undo_since_the_kept_customer_changed(made: CustomerMerge) -> None:
    undo_since(made, made.customer_id)


def undo_since_the_merged_customer_changed(made: CustomerMerge) -> None:
    undo_since(made, made.merged_id)


@pytest.mark.parametrize(
    ("undo", "expected"),
    [
        (take_back, undoing.MergeNotFound),
        (undo_since_the_kept_customer_changed, type(None)),
        (undo_since_the_merged_customer_changed, type(None)),
    ],
)
def test_a_merge_is_undone_once(
    undo: Callable[[CustomerMerge], object], expected: type, customer: Customer, other: Customer
) -> None:
    made = merge(customer, other)
    assert type(behind(lambda: take_back(CustomerMerge.objects.get()), lambda: undo(made))) is expected
    assert AuditEvent.objects.filter(action="undo_merge").count() == 1


def test_an_undo_keeps_what_was_just_written_to_the_merged_profile(customer: Customer, other: Customer) -> None:
    made, moment = merge(customer, other), timezone.now()
    own = Customer.objects.filter(pk=other.pk)
    seen = behind(lambda: own.update(pending_void_before=moment), lambda: take_back(made))
    assert isinstance(seen, Customer)
    assert own.get().pending_void_before == moment


def test_what_another_worker_finishes_is_finished_and_counted_once(customer: Customer) -> None:
    deletion.erase_by_staff(tenant=customer.tenant, customer=customer, **STAFF)
    assert behind(deletion.finish_due, deletion.finish_due) == 0
