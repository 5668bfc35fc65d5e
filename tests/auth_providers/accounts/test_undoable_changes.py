"""The state before a change: what of the customer is in it, for how long, and nothing of anybody else's."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auth_providers.accounts import accounts, undoable_changes
from auth_providers.accounts.undoable_changes import LIFETIME, State
from auth_providers.models import Account, Authenticator, RecoveryCode, UndoableChange
from customers.models import Customer
from tenants.models import Tenant
from tenants.outbox.worker import GIVE_UP_AFTER
from tenants.secrets.encryption import decrypt
from tests import authenticators, factories
from tests.factories import EMAIL
from tests.neighbours import Neighbours

SECOND = timedelta(seconds=1)
OLD, OLDER = "old@example.com", "older@example.com"

pytestmark = pytest.mark.usefixtures("stopped_clock")


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """Beside two others who have changed something and have an authenticator."""
    return factories.make_customer(tenant, contact_phone="+442079460003")


def state_of(customer: Customer, *proven: str) -> State:
    every = list(accounts.of_customer(tenant=customer.tenant, customer=customer))
    return undoable_changes.state_of(tenant=customer.tenant, customer=customer, accounts=every, proven=proven)


def keep(customer: Customer, *proven: str, ago: timedelta = timedelta(0), former: Any = None) -> UndoableChange:
    """The state before a change that was made so long ago."""
    state = state_of(customer, *proven)
    state["former"] = former or {}
    made = undoable_changes.keep(tenant=customer.tenant, customer=customer, notice="password_changed", state=state)
    UndoableChange.objects.filter(pk=made.pk).update(created_at=timezone.now() - ago)
    made.refresh_from_db()
    return made


def theirs(neighbours: Neighbours) -> list[UndoableChange]:
    """The newest of each neighbour."""
    return [
        UndoableChange.objects.filter(customer=each.customer).latest("pk")
        for each in (neighbours.beside, neighbours.across)
    ]


# -- what is kept -----------------------------------------------------------------------------------------------------
def test_what_is_kept_comes_back_as_it_was(customer: Customer) -> None:
    Account.objects.filter(customer=customer).update(created_at=timezone.now().replace(microsecond=0))
    account = factories.account_of(customer)
    read = undoable_changes.read(keep(customer, EMAIL))
    assert (read["contact_email"], read["contact_phone"]) == (EMAIL, "+442079460003")
    assert (read["proven"], read["app"]) == ([EMAIL], None)
    [again] = undoable_changes.accounts_in(read)
    names = undoable_changes.ACCOUNT_FIELDS
    assert {name: getattr(again, name) for name in names} == {name: getattr(account, name) for name in names}
    assert again.verified_at == factories.VERIFIED["verified_at"]
    assert not any(account.password in str(values) for values in read["accounts"])
    assert again.password == ""
    assert not again.customer_id


@pytest.mark.parametrize("session_id", [None, "own"])
def test_the_session_of_an_account_is_kept(customer: Customer, session_id: str | None) -> None:
    session = factories.log_in(customer).session.pk if session_id else None
    Account.objects.filter(customer=customer).update(session_id=session)
    [again] = undoable_changes.accounts_in(undoable_changes.read(keep(customer)))
    assert again.session_id == session


def test_the_row_is_a_change_that_can_be_undone_for_as_long_as_its_mail_may_wait_and_its_link_is_good(
    customer: Customer,
) -> None:
    made = keep(customer)
    now = timezone.now()
    assert (made.tenant, made.customer, made.notice) == (customer.tenant, customer, "password_changed")
    assert (made.created_at, made.expires_at, made.undone_at) == (now, now + GIVE_UP_AFTER + LIFETIME, None)
    assert EMAIL not in made.state_encrypted


# -- the authenticator ------------------------------------------------------------------------------------------------
def test_an_app_is_kept_with_its_secret_and_codes(customer: Customer) -> None:
    authenticators.enrol(customer)
    row = Authenticator.objects.get(customer=customer)
    Authenticator.objects.filter(pk=row.pk).update(last_step=17)
    codes = list(RecoveryCode.objects.filter(customer=customer).order_by("pk"))
    now = timezone.now()
    RecoveryCode.objects.filter(pk=codes[1].pk).update(spent_at=now)
    app = undoable_changes.read(keep(customer))["app"]
    assert app is not None
    assert row.confirmed_at is not None
    assert (app["secret"], app["last_step"]) == (decrypt(row.secret_encrypted), 17)
    assert app["confirmed_at"] == row.confirmed_at.isoformat()
    spent = [now.isoformat() if each == codes[1] else None for each in codes]
    kept = [(bytes(each.code_hmac).hex(), at) for each, at in zip(codes, spent, strict=True)]
    assert [tuple(each) for each in app["recovery_codes"]] == kept


def test_an_app_that_nobody_has_confirmed_is_none(customer: Customer) -> None:
    authenticators.begin(customer)
    assert Authenticator.objects.filter(customer=customer).exists()
    assert state_of(customer)["app"] is None


# -- addresses that were proven before --------------------------------------------------------------------------------
def test_an_address_that_was_proven_until_a_change_is_a_former_one(customer: Customer) -> None:
    made = keep(customer, OLD, EMAIL)
    assert state_of(customer, EMAIL)["former"] == {OLD: made.created_at.isoformat()}
    assert state_of(customer)["former"] == dict.fromkeys((OLD, EMAIL), made.created_at.isoformat())


@pytest.mark.parametrize(("ago", "is_former"), [(LIFETIME - SECOND, True), (LIFETIME, False)])
def test_a_change_counts_for_as_long_as_its_link_is_good(customer: Customer, ago: timedelta, is_former: bool) -> None:
    made = keep(customer, OLD, ago=ago)
    assert state_of(customer)["former"] == ({OLD: made.created_at.isoformat()} if is_former else {})


@pytest.mark.parametrize(("ago", "is_former"), [(LIFETIME - SECOND, True), (LIFETIME, False)])
def test_an_address_from_before_an_earlier_change_keeps_the_time_of_that(
    customer: Customer, ago: timedelta, is_former: bool
) -> None:
    lost_at = (timezone.now() - ago).isoformat()
    newest = keep(customer, OLD, former={OLDER: lost_at})
    expected = {OLD: newest.created_at.isoformat()} | ({OLDER: lost_at} if is_former else {})
    assert state_of(customer)["former"] == expected


def test_of_several_changes_the_newest_that_is_in_force_says_what_was_proven(customer: Customer) -> None:
    older, newest = keep(customer, OLDER), keep(customer, OLD)
    assert set(state_of(customer)["former"]) == {OLD}
    UndoableChange.objects.filter(pk=newest.pk).update(undone_at=timezone.now())
    assert state_of(customer)["former"] == {OLDER: older.created_at.isoformat()}


# -- whose changes there are ------------------------------------------------------------------------------------------
def test_changes_in_force_are_the_customers_newest_first(customer: Customer, neighbours: Neighbours) -> None:
    made = [keep(customer) for _ in range(3)]
    UndoableChange.objects.filter(pk=made[1].pk).update(undone_at=timezone.now())
    found = undoable_changes.in_force(tenant=customer.tenant, customer=customer)
    assert list(found) == [made[2], made[0]]
    across = undoable_changes.in_force(tenant=neighbours.across.customer.tenant, customer=customer)
    assert list(across) == []


def test_a_change_is_found_by_its_key_at_its_own_tenant(customer: Customer, neighbours: Neighbours) -> None:
    made = keep(customer)
    beside, across = theirs(neighbours)
    assert undoable_changes.find(tenant=customer.tenant, pk=made.pk) == made
    assert undoable_changes.find(tenant=customer.tenant, pk=beside.pk) == beside
    assert undoable_changes.find(tenant=customer.tenant, pk=across.pk) is None
    assert undoable_changes.find(tenant=customer.tenant, pk=made.pk + 1_000) is None


@pytest.mark.parametrize("state", ["undone", "erased"])
def test_a_change_that_can_not_be_undone_any_more_is_not_found(customer: Customer, state: str) -> None:
    made = keep(customer)
    if state == "undone":
        UndoableChange.objects.filter(pk=made.pk).update(undone_at=timezone.now())
    else:
        Customer.objects.filter(pk=customer.pk).update(erased_at=timezone.now())
    assert undoable_changes.find(tenant=customer.tenant, pk=made.pk) is None


def test_addresses_that_were_told_are_those_of_all_the_customers_changes(
    customer: Customer, neighbours: Neighbours
) -> None:
    made = keep(customer, EMAIL, former={OLDER: timezone.now().isoformat()}, ago=2 * LIFETIME)
    UndoableChange.objects.filter(pk=made.pk).update(undone_at=timezone.now())
    keep(customer, OLD)
    told = undoable_changes.addresses_told(tenant=customer.tenant, customer=customer)
    assert told == {EMAIL, OLD, OLDER}
    across = neighbours.across.customer
    assert undoable_changes.addresses_told(tenant=customer.tenant, customer=across) == set()
    assert undoable_changes.addresses_told(tenant=across.tenant, customer=across) == {EMAIL}
