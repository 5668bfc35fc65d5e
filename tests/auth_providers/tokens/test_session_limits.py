"""A tenant's policies about sessions: how long one goes on without a call, and how many a customer has at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError
from django.utils import timezone

from auth_providers.models import Session
from auth_providers.tokens import bearer, introspection, jwts, refresh, session_limits, session_use, sessions
from customers.models import Customer
from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.contracts.calls import call
from tests.races import at_once

HALF_AN_HOUR = timedelta(minutes=30)
PassTime = Callable[[timedelta], None]
Statements = Callable[[Callable[[], Any]], list[str]]


@pytest.fixture(autouse=True)
def nothing_noted() -> None:
    session_use._noted.clear()


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    """Of a tenant where a session is over after half an hour without a call."""
    tenant.session_idle_limit = int(HALF_AN_HOUR.total_seconds())
    tenant.save()
    return factories.make_customer(tenant)


def opens(token: str) -> bool:
    try:
        return bearer.resolve(token).customer is not None
    except bearer.InvalidToken:
        return False


# -- idle -------------------------------------------------------------------------------------------------------------
def test_a_session_without_a_call_is_over_at_the_limit(customer: Customer, pass_time: PassTime) -> None:
    logged_in = factories.log_in(customer)
    pass_time(HALF_AN_HOUR - timedelta(seconds=1))
    assert opens(logged_in.access_token)
    session_use._noted.clear()  # this use was the last thing that the process did
    pass_time(timedelta(seconds=2))
    assert not opens(logged_in.access_token)
    for token in (logged_in.customer_jwt, logged_in.service_jwt):
        with pytest.raises((bearer.InvalidToken, jwts.JwtInvalid)):
            bearer.resolve(token)
    with pytest.raises(bearer.InvalidToken):
        refresh.refresh_customer(tenant=customer.tenant, refresh_token=logged_in.refresh_token, client=factories.CLIENT)
    key = factories.api_key_of(customer.tenant)
    assert introspection.find(tenant=customer.tenant, token=logged_in.access_token, caller=key) is None


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(("left", "is_running"), [(timedelta(seconds=1), True), (timedelta(0), False)])
def test_a_session_is_idle_from_the_moment_of_the_limit(customer: Customer, left: timedelta, is_running: bool) -> None:
    logged_in = factories.log_in(customer)
    Session.objects.update(last_used_at=timezone.now() - HALF_AN_HOUR + left)
    assert opens(logged_in.access_token) == is_running
    assert session_limits.running(tenant=customer.tenant, customer=customer).exists() == is_running


@pytest.mark.parametrize("how", ["access_token", "refresh_token", "introspected"])
def test_a_session_that_is_used_goes_on(customer: Customer, pass_time: PassTime, how: str) -> None:
    logged_in = factories.log_in(customer)
    token, refresh_token = logged_in.access_token, logged_in.refresh_token
    for _ in range(5):
        pass_time(HALF_AN_HOUR - timedelta(minutes=2))
        if how == "access_token":
            bearer.resolve(token)
        elif how == "introspected":
            key = factories.api_key_of(customer.tenant)
            assert introspection.find(tenant=customer.tenant, token=token, caller=key)
        else:
            refreshed = refresh.refresh_customer(
                tenant=customer.tenant, refresh_token=refresh_token, client=factories.CLIENT
            )
            refresh_token = refreshed.pair.refresh_token
        assert session_use.write() == 1
    assert opens(token)


def test_a_visitors_session_is_never_idle(customer: Customer, pass_time: PassTime) -> None:
    visit = factories.open_anonymous(customer.tenant)
    pass_time(timedelta(minutes=50))
    assert bearer.resolve(visit.pair.access_token).customer is None
    logged_in = factories.log_in(customer, anonymous_session=visit.session)
    assert logged_in.session.pk == visit.session.pk
    assert opens(logged_in.access_token)


def test_a_log_in_does_not_bring_back_the_tokens_of_a_session_that_was_left_idle(
    customer: Customer, pass_time: PassTime
) -> None:
    visit = factories.open_anonymous(customer.tenant)
    before = factories.log_in(customer, anonymous_session=visit.session)
    pass_time(HALF_AN_HOUR + timedelta(seconds=1))
    again = factories.log_in(customer, anonymous_session=Session.objects.get(pk=visit.session.pk))
    assert again.session.pk != before.session.pk
    assert opens(again.access_token)
    assert not opens(before.access_token)


def test_without_a_limit_a_session_is_never_idle(tenant: Tenant, pass_time: PassTime) -> None:
    logged_in = factories.log_in(factories.make_customer(tenant))
    pass_time(timedelta(days=20))
    assert opens(logged_in.access_token)


def test_the_absolute_limit_ends_a_session_however_it_is_used(customer: Customer, pass_time: PassTime) -> None:
    Tenant.objects.update(session_lifetime=3600)
    logged_in = factories.log_in(Customer.objects.select_related("tenant").get())
    for _ in range(2):
        pass_time(timedelta(minutes=20))
        assert opens(logged_in.access_token)
        session_use.write()
    pass_time(timedelta(minutes=20))
    with pytest.raises((bearer.InvalidToken, bearer.TokenExpired)):
        bearer.resolve(logged_in.access_token)


@pytest.mark.parametrize("seconds", [1, 299])
def test_a_limit_that_is_shorter_than_what_is_known_is_refused(tenant: Tenant, seconds: int) -> None:
    with pytest.raises(IntegrityError):
        Tenant.objects.update(session_idle_limit=seconds)


# -- at most ----------------------------------------------------------------------------------------------------------
def at_most(customer: Customer, most: int) -> Customer:
    Tenant.objects.filter(pk=customer.tenant_id).update(sessions_at_most=most)
    return Customer.objects.select_related("tenant").get(pk=customer.pk)


def test_a_log_in_beyond_ends_the_oldest(tenant: Tenant, pass_time: PassTime) -> None:
    customer = at_most(factories.make_customer(tenant), 2)
    other = factories.log_in(factories.make_customer(tenant, email="grace@example.com"))
    logged_in = []
    for _ in range(4):
        logged_in.append(factories.log_in(customer))
        pass_time(timedelta(seconds=1))
    assert [opens(each.access_token) for each in logged_in] == [False, False, True, True]
    assert opens(other.access_token)
    ended = AuditEvent.objects.filter(action="end_session", reason=session_limits.TOO_MANY)
    assert {event.session_id for event in ended} == {each.session.pk for each in logged_in[:2]}
    assert all("session.ended" in event.events for event in ended)


def test_a_log_in_on_a_session_that_goes_on_ends_no_other(tenant: Tenant) -> None:
    customer = at_most(factories.make_customer(tenant), 2)
    first = factories.log_in(customer)
    visit = factories.open_anonymous(tenant)
    for _ in range(3):
        logged_in = factories.log_in(customer, anonymous_session=visit.session)
    assert opens(first.access_token)
    assert opens(logged_in.access_token)


def test_sessions_that_are_over_do_not_count(customer: Customer, pass_time: PassTime) -> None:
    customer = at_most(customer, 2)
    ended, idle = factories.log_in(customer), factories.log_in(customer)
    sessions.end(tenant=customer.tenant, session=ended.session)
    pass_time(HALF_AN_HOUR + timedelta(seconds=1))
    first, second = factories.log_in(customer), factories.log_in(customer)
    assert [opens(each.access_token) for each in (idle, first, second)] == [False, True, True]
    assert Session.objects.get(pk=idle.session.pk).ended_at is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_log_ins_at_once_leave_no_more_than_the_most() -> None:
    customer = at_most(factories.make_customer(factories.make_tenant()), 3)
    for _ in range(3):
        results = at_once(12, lambda _: factories.log_in(customer))
        assert not [each for each in results if isinstance(each, Exception)]
        assert session_limits.running(tenant=customer.tenant, customer=customer).count() == 3


# -- what it costs ----------------------------------------------------------------------------------------------------
PATHS = ("validateauthtoken", "me", "refreshauthtoken?refreshToken={refresh_token}")


@pytest.mark.parametrize("path", PATHS)
def test_the_policies_cost_a_hot_path_no_statement(tenant: Tenant, path: str, statements: Statements) -> None:
    customer = factories.make_customer(tenant)

    def taken() -> int:
        logged_in = factories.log_in(customer)
        Session.objects.update(last_used_at=factories.hours_ago(0.5))
        target = f"/customer/acme/{path.format(refresh_token=logged_in.refresh_token)}"
        answers: list[Any] = []
        count = len(statements(lambda: answers.append(call("GET", target, token=logged_in.access_token))))
        assert answers[0].status_code == 200
        return count

    without = taken()
    Tenant.objects.update(session_idle_limit=3600, sessions_at_most=3)
    assert taken() == without
    assert session_use._noted
