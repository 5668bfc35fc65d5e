"""Sessions: one function starts them, every log-in has new tokens, and an end counts from the next request on."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from auth_providers.models import Session, Token
from auth_providers.tokens import bearer, sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from auth_providers.tokens.sessions import Context
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests.factories import (
    CLIENT,
    EMAIL,
    LoggedIn,
    account_of,
    api_key_of,
    log_in,
    make_customer,
    open_anonymous,
)


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return make_customer(tenant)


def is_let_in(token: str) -> bool:
    """Whether the customer's profile can still be read with the token."""
    try:
        return bearer.resolve(token).customer is not None
    except (bearer.InvalidToken, bearer.TokenExpired):
        return False


def accepted(logged_in: LoggedIn) -> list[bool]:
    """Which of the customer's tokens are still accepted."""
    return [is_let_in(each) for each in (logged_in.access_token, logged_in.service_jwt, logged_in.customer_jwt)]


def test_open_anonymous_keeps_what_the_storefront_knows(tenant: Tenant) -> None:
    opened = open_anonymous(tenant, site="de", currency="EUR", language="de_DE", country="DE")
    session = Session.objects.get(pk=opened.session.pk)
    assert (session.site, session.currency, session.language, session.country) == ("de", "EUR", "de_DE", "DE")
    assert (session.api_key, session.customer, session.tenant) == (api_key_of(tenant), None, tenant)
    assert (session.address, session.user_agent) == (CLIENT.address, CLIENT.user_agent)


@pytest.mark.parametrize("length", [254, 255, 256])
def test_open_anonymous_keeps_255_characters_of_what_the_browser_calls_itself(tenant: Tenant, length: int) -> None:
    agent = "x" * (length - 1) + "y"
    client = Client(address="192.0.2.10", user_agent=agent)
    opened = sessions.open_anonymous(api_key=api_key_of(tenant), context=Context(), client=client)
    assert Session.objects.get(pk=opened.session.pk).user_agent == agent[:255]


@pytest.mark.parametrize("currency", ["eur", "XYZ", "EURO"])
def test_open_anonymous_with_a_bad_currency(tenant: Tenant, currency: str) -> None:
    with pytest.raises(InvalidInput):
        open_anonymous(tenant, currency=currency)
    assert not Session.objects.exists()


@pytest.mark.parametrize("kind", ["anonymous", "customer"])
def test_tokens_live_as_long_as_the_tenant_says(tenant: Tenant, kind: str) -> None:
    setattr(tenant, f"{kind}_access_lifetime", 100)
    setattr(tenant, f"{kind}_refresh_lifetime", 200)
    tenant.save()
    open_anonymous(tenant) if kind == "anonymous" else log_in(make_customer(tenant))
    for token in Token.objects.filter(kind__startswith=kind):
        seconds = 100 if token.kind.endswith("access") else 200
        assert token.expires_at - token.issued_at == timedelta(seconds=seconds)


def test_no_token_outlives_its_session(tenant: Tenant) -> None:
    Tenant.objects.update(session_lifetime=60)
    tenant.refresh_from_db()
    logged_in = log_in(make_customer(tenant))
    open_anonymous(tenant)
    assert all(token.expires_at <= token.session.expires_at for token in Token.objects.select_related("session"))
    claims = bearer.resolve(logged_in.service_jwt)
    assert claims.expires_at <= logged_in.session.expires_at


def test_start_keeps_the_session_of_the_visit(tenant: Tenant, customer: Customer) -> None:
    others = [open_anonymous(tenant) for _ in range(2)]
    visit = open_anonymous(tenant, site="de", currency="EUR")
    logged_in = log_in(customer, anonymous_session=visit.session)
    assert {Session.objects.get(pk=each.session.pk).customer for each in others} == {None}
    session = Session.objects.get(pk=visit.session.pk)
    assert logged_in.session.pk == session.pk
    assert (session.customer, session.account, session.method) == (customer, account_of(customer), "password")
    assert (session.site, session.currency, session.api_key) == ("de", "EUR", api_key_of(tenant))


def test_start_without_a_visit_opens_a_session(customer: Customer) -> None:
    logged_in = log_in(customer)
    assert Session.objects.get().pk == logged_in.session.pk


def test_start_leaves_the_anonymous_tokens_anonymous(tenant: Tenant, customer: Customer) -> None:
    visit = open_anonymous(tenant)
    logged_in = log_in(customer, anonymous_session=visit.session)
    assert bearer.resolve(logged_in.access_token).customer == customer
    assert bearer.resolve(visit.pair.access_token).customer is None


def test_start_hands_out_new_tokens_each_time(tenant: Tenant, customer: Customer) -> None:
    visit = open_anonymous(tenant)
    log_ins = [log_in(customer, anonymous_session=visit.session) for _ in range(2)]
    assert log_ins[0].session.pk == log_ins[1].session.pk == visit.session.pk
    handed_out = [
        token
        for each in log_ins
        for token in (each.access_token, each.refresh_token, each.service_jwt, each.customer_jwt)
    ]
    assert len({*handed_out, visit.pair.access_token, visit.pair.refresh_token}) == 10


def test_start_on_a_session_that_has_ended_opens_a_new_one(tenant: Tenant, customer: Customer) -> None:
    visit = open_anonymous(tenant, site="de")
    ended = log_in(customer, anonymous_session=visit.session)
    sessions.end(tenant=tenant, session=ended.session)
    logged_in = log_in(customer, anonymous_session=visit.session)
    assert logged_in.session.pk != visit.session.pk
    assert logged_in.session.site == "de"
    assert accepted(ended) == [False] * 3


def test_start_on_another_customers_session_opens_a_new_one(tenant: Tenant, customer: Customer) -> None:
    visit = open_anonymous(tenant)
    mine = log_in(customer, anonymous_session=visit.session)
    theirs = log_in(make_customer(tenant, email="grace@example.com"), anonymous_session=visit.session)
    assert theirs.session.pk != mine.session.pk
    assert bearer.resolve(mine.access_token).customer == customer


def test_start_on_another_tenants_session_opens_a_new_one(customer: Customer, other_tenant: Tenant) -> None:
    visit = open_anonymous(other_tenant)
    logged_in = log_in(customer, anonymous_session=visit.session)
    assert logged_in.session.pk != visit.session.pk
    assert logged_in.session.api_key_id is None
    assert Session.objects.get(pk=visit.session.pk).customer is None


@pytest.mark.parametrize(
    ("issue", "issued"),
    [
        (Issue.PAIR, [True, False, False]),
        (Issue.SERVICE_JWT, [False, True, False]),
        (Issue.CUSTOMER_JWT, [False, False, True]),
        (Issue.PAIR | Issue.CUSTOMER_JWT, [True, False, True]),
    ],
)
def test_start_issues_what_is_asked_for(customer: Customer, issue: Issue, issued: list[bool]) -> None:
    started = sessions.start(
        attempt=LogInAttempt(tenant=customer.tenant, method="password", issue=issue, client=CLIENT),
        account=account_of(customer),
    )
    assert [bool(each) for each in (started.pair, started.service_jwt, started.customer_jwt)] == issued


@pytest.mark.parametrize(
    ("standing", "reason"), [({"is_on_hold": True}, "on hold"), ({"is_active": False}, "inactive")]
)
def test_start_for_a_customer_who_may_not(customer: Customer, standing: dict[str, bool], reason: str) -> None:
    Customer.objects.update(**standing)
    with pytest.raises(sessions.LogInRefused):
        log_in(customer)
    event = AuditEvent.objects.get(action="log_in")
    assert (event.is_success, event.reason) == (False, reason)
    assert not Session.objects.exists()


@pytest.mark.parametrize("standing", [{"is_on_hold": True}, {"is_active": False}])
@pytest.mark.parametrize("factor", ["", "totp"])
def test_start_for_a_customer_whom_staff_keep_out_meanwhile(
    customer: Customer, standing: dict[str, bool], factor: str
) -> None:
    account = account_of(customer)
    assert sessions.find_obstacle(account) is None
    Customer.objects.update(**standing)
    attempt = LogInAttempt(
        tenant=customer.tenant, method="password", issue=Issue.PAIR, client=CLIENT, second_factor=factor
    )
    with pytest.raises(sessions.LogInRefused):
        sessions.start(attempt=attempt, account=account)
    assert not Session.objects.exists()


def test_start_that_fails_leaves_nothing_behind(tenant: Tenant, customer: Customer) -> None:
    visit = open_anonymous(tenant)
    tenant.service_jwt_lifetime = -(10**12)  # a JWT that can't be made
    customer.tenant = tenant
    before = Token.objects.count()
    with pytest.raises((OverflowError, ValueError)):
        log_in(customer, anonymous_session=visit.session)
    assert Session.objects.get().customer is None
    assert Token.objects.count() == before
    assert not AuditEvent.objects.filter(action="log_in").exists()


def test_end_closes_every_customer_token_and_no_anonymous_one(tenant: Tenant, customer: Customer) -> None:
    visit = open_anonymous(tenant)
    logged_in = log_in(customer, anonymous_session=visit.session)
    assert accepted(logged_in) == [True] * 3
    sessions.end(tenant=tenant, session=logged_in.session, client=CLIENT)
    assert accepted(logged_in) == [False] * 3
    assert bearer.resolve(visit.pair.access_token).customer is None


def test_end_is_on_the_trail_once(tenant: Tenant, customer: Customer) -> None:
    logged_in = log_in(customer)
    for _ in range(2):
        sessions.end(tenant=tenant, session=logged_in.session, client=CLIENT)
    event = AuditEvent.objects.get(action="end_session")
    assert (event.customer_number, event.session_id) == (customer.number, logged_in.session.pk)
    assert (event.reason, event.address) == ("log_out", CLIENT.address)


def test_end_of_another_tenants_session(customer: Customer, other_tenant: Tenant) -> None:
    logged_in = log_in(customer)
    sessions.end(tenant=other_tenant, session=logged_in.session)
    assert accepted(logged_in) == [True] * 3


def test_log_out_of_ones_own_session(tenant: Tenant, customer: Customer) -> None:
    for is_named in (True, False):
        logged_in = log_in(customer)
        named = logged_in.session.pk if is_named else None
        sessions.log_out(tenant=tenant, session=logged_in.session, named_session_id=named, client=CLIENT)
        assert accepted(logged_in) == [False] * 3


def test_log_out_of_another_session(tenant: Tenant, customer: Customer) -> None:
    logged_in = log_in(customer)
    with pytest.raises(sessions.NotYourSession):
        sessions.log_out(tenant=tenant, session=logged_in.session, named_session_id=uuid.uuid4(), client=CLIENT)
    assert accepted(logged_in) == [True] * 3


def test_end_all_but_one(tenant: Tenant, customer: Customer) -> None:
    stranger = log_in(make_customer(tenant, email="grace@example.com"))
    first, second, kept = (log_in(customer) for _ in range(3))
    count = sessions.end_others(
        tenant=tenant, customer=customer, reason="password changed", except_session=kept.session
    )
    assert count == 2
    assert [accepted(each)[0] for each in (first, second, kept, stranger)] == [False, False, True, True]


def test_end_all(tenant: Tenant, customer: Customer) -> None:
    stranger = log_in(make_customer(tenant, email="grace@example.com"))
    first, second = (log_in(customer) for _ in range(2))
    count = sessions.end_all(tenant=tenant, customer=customer, reason="password changed", staff_username="grace")
    assert count == 2
    assert [accepted(each)[0] for each in (first, second, stranger)] == [False, False, True]
    event = AuditEvent.objects.get(action="end_all_sessions")
    assert (event.customer_number, event.staff_username) == (customer.number, "grace")
    assert event.reason == "password changed (2)"


@pytest.mark.parametrize("standing", [{"is_active": False}, {"is_on_hold": True}])
def test_standing_is_looked_at_in_every_request(customer: Customer, standing: dict[str, bool]) -> None:
    logged_in = log_in(customer)
    assert accepted(logged_in) == [True] * 3
    Customer.objects.update(**standing)
    assert accepted(logged_in) == [False] * 3


def test_session_ends_by_itself(customer: Customer, pass_time: Callable[[timedelta], None]) -> None:
    logged_in = log_in(customer)
    pass_time(timedelta(seconds=customer.tenant.session_lifetime - 60))
    assert logged_in.session.is_customers
    pass_time(timedelta(seconds=61))
    assert not Session.objects.get(pk=logged_in.session.pk).is_customers
    assert accepted(logged_in) == [False] * 3


def test_start_remembers_the_last_log_in(customer: Customer) -> None:
    before = timezone.now()
    log_in(customer)
    last = Customer.objects.get(pk=customer.pk).last_login_at
    assert last is not None
    assert before <= last <= timezone.now()


def test_open_anonymous_asks_for_no_email(tenant: Tenant, stored: Callable[[], str]) -> None:
    sessions.open_anonymous(api_key=api_key_of(tenant), context=Context(), client=CLIENT)
    assert EMAIL not in stored()
