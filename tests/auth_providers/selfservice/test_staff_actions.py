"""Staff end and restore a customer's access, from the next request on; the audit trail names who did it."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from auth_providers.models import Account
from auth_providers.selfservice import password_reset, staff_actions
from auth_providers.tokens import bearer, sessions
from customers.models import Customer
from customers.profiles import CustomerNotFound
from tenants.models import AuditEvent, Tenant
from tests.auth_providers import mailbox
from tests.factories import CLIENT, UNVERIFIED, VERIFIED, account_of, log_in, make_customer


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return make_customer(tenant)


def deactivate(customer: Customer, *, is_closed: bool = True) -> None:
    staff_actions.set_active(tenant=customer.tenant, customer=customer, is_active=not is_closed, staff_username="grace")


def put_on_hold(customer: Customer, *, is_closed: bool = True) -> None:
    staff_actions.set_on_hold(tenant=customer.tenant, customer=customer, is_on_hold=is_closed, staff_username="grace")


@pytest.mark.parametrize(("close", "reason"), [(deactivate, "deactivated"), (put_on_hold, "on hold")])
def test_closing_ends_every_session_at_once(customer: Customer, close: object, reason: str) -> None:
    assert callable(close)
    logged_in = log_in(customer)
    close(customer)
    for token in (logged_in.access_token, logged_in.service_jwt, logged_in.customer_jwt):
        with pytest.raises(bearer.InvalidToken):
            bearer.resolve(token)
    logged_in.session.refresh_from_db()
    assert logged_in.session.end_reason == reason
    customer.refresh_from_db()
    with pytest.raises(sessions.LogInRefused):
        log_in(customer)


@pytest.mark.parametrize("close", [deactivate, put_on_hold])
def test_opening_lets_in_again_but_brings_no_session_back(customer: Customer, close: object) -> None:
    assert callable(close)
    before = log_in(customer)
    close(customer)
    close(customer, is_closed=False)
    customer.refresh_from_db()
    assert bearer.resolve(log_in(customer).access_token).customer == customer
    with pytest.raises(bearer.InvalidToken):
        bearer.resolve(before.access_token)


def test_every_action_is_on_the_trail_by_name(customer: Customer) -> None:
    for act in (deactivate, put_on_hold):
        for is_closed in (True, False):
            act(customer, is_closed=is_closed)
    events = AuditEvent.objects.filter(staff_username="grace", customer_number=customer.number).order_by("pk")
    assert [event.action for event in events] == [
        "deactivate",
        "end_all_sessions",
        "activate",
        "put_on_hold",
        "end_all_sessions",
        "release_hold",
    ]


def test_one_customer_is_closed_out_and_no_other(customer: Customer) -> None:
    other = make_customer(customer.tenant, email="grace@example.com")
    logged_in = log_in(other)
    deactivate(customer)
    assert bearer.resolve(logged_in.access_token).customer == other


@pytest.mark.parametrize("act", [deactivate, put_on_hold])
@pytest.mark.parametrize("is_closed", [True, False])
@pytest.mark.parametrize("state", ["erased", "merged"])
def test_who_is_not_there_any_more_is_not_found(
    customer: Customer, act: Callable[..., None], is_closed: bool, state: str
) -> None:
    other = make_customer(customer.tenant, email="grace@example.com")
    gone = {"erased_at": timezone.now()} if state == "erased" else {"merged_into": other}
    Customer.objects.filter(pk=customer.pk).update(is_active=not is_closed, is_on_hold=not is_closed, **gone)
    events = AuditEvent.objects.count()
    with pytest.raises(CustomerNotFound):
        act(customer, is_closed=is_closed)
    now = Customer.objects.get(pk=customer.pk)
    assert (now.is_active, now.is_on_hold) == (not is_closed, not is_closed)
    assert AuditEvent.objects.count() == events


def test_staff_end_one_session_once(customer: Customer) -> None:
    ended, other = log_in(customer).session, log_in(customer).session
    results = [
        staff_actions.end_session(
            tenant=customer.tenant, customer=customer, session_id=ended.pk, staff_username="grace", client=CLIENT
        )
        for _ in range(2)
    ]
    assert results == [True, False]
    ended.refresh_from_db()
    other.refresh_from_db()
    assert (ended.end_reason, ended.ended_at is not None) == (staff_actions.ENDED_BY_STAFF, True)
    assert other.ended_at is None
    customer.refresh_from_db()
    assert customer.pending_void_before is not None
    event = AuditEvent.objects.get(action="end_session")
    assert (event.customer_number, event.session_id, event.staff_username) == (customer.number, ended.pk, "grace")
    assert (event.details["reason"], event.address) == (staff_actions.ENDED_BY_STAFF, CLIENT.address)


def test_staff_send_a_reset_for_the_log_in_that_they_mean(customer: Customer) -> None:
    work = Account.objects.create(
        tenant=customer.tenant, customer=customer, identifier="work@example.com", password="!", **VERIFIED
    )
    send_reset(customer, work)
    assert [each.to for each in mailbox.receive()] == [["work@example.com"]]


def send_reset(customer: Customer, account: Account) -> None:
    staff_actions.send_password_reset(
        tenant=customer.tenant, customer=customer, account_id=account.pk, staff_username="grace", client=CLIENT
    )


def test_a_reset_that_staff_send_is_mailed_and_on_the_trail_by_name(customer: Customer) -> None:
    send_reset(customer, account_of(customer))
    assert mailbox.receive_token()
    event = AuditEvent.objects.get(action="send_password_reset")
    assert (event.staff_username, event.customer_number) == ("grace", customer.number)


def test_staff_send_no_reset_for_what_is_not_logged_in_with(customer: Customer) -> None:
    """A log-in of somebody else, one that waits for its confirmation, and one of a customer who is deactivated."""
    own = account_of(customer)
    with pytest.raises(password_reset.NoPassword):
        send_reset(customer, account_of(make_customer(customer.tenant, email="grace@example.com")))
    Account.objects.update(**UNVERIFIED)
    with pytest.raises(password_reset.NoPassword):
        send_reset(customer, own)
    Account.objects.update(is_permitted=True)
    deactivate(customer)
    with pytest.raises(password_reset.NoPassword):
        send_reset(customer, own)
    assert not AuditEvent.objects.filter(action="send_password_reset").exists()
    assert mailbox.receive() == []
