"""Whose a bearer token is, opaque or JWT: the stored session decides, in one statement."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from auth_providers.models import Account, Token
from auth_providers.tokens import bearer, sessions
from auth_providers.tokens.bearer import InvalidToken, TokenExpired
from customers.models import Customer
from tenants import signing_keys
from tenants.models import Tenant
from tests.auth_providers import forge
from tests.factories import EMAIL, LoggedIn, log_in, make_customer, open_anonymous

KINDS = ["access_token", "service_jwt", "customer_jwt"]


@pytest.fixture
def logged_in(tenant: Tenant) -> LoggedIn:
    return log_in(make_customer(tenant))


@pytest.mark.parametrize("kind", KINDS)
def test_resolve_a_customers_token(tenant: Tenant, logged_in: LoggedIn, kind: str) -> None:
    principal = bearer.resolve(getattr(logged_in, kind))
    assert (principal.tenant, principal.customer) == (tenant, logged_in.customer)
    assert principal.session.pk == logged_in.session.pk
    assert principal.connections().log_ins == [(EMAIL, "")]


def test_resolve_an_anonymous_token(tenant: Tenant) -> None:
    visit = open_anonymous(tenant, site="de")
    principal = bearer.resolve(visit.pair.access_token)
    assert (principal.customer, principal.tenant, principal.site) == (None, tenant, "de")
    assert principal.expires_at == visit.pair.access_expires_at


@pytest.mark.parametrize("kind", KINDS)
def test_resolve_is_one_statement(
    logged_in: LoggedIn, kind: str, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    token = getattr(logged_in, kind)
    bearer.resolve(token)  # the first JWT brings its key into the cache
    assert len(statements(lambda: bearer.resolve(token))) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_resolve_with_the_tenant_at_hand_asks_no_more(
    logged_in: LoggedIn, kind: str, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    principal = bearer.resolve(getattr(logged_in, kind))
    assert principal.customer is not None
    customer = principal.customer
    assert statements(lambda: (customer.tenant, principal.session.tenant, principal.session.customer)) == []


@pytest.mark.parametrize("token", ["", " ", "nonsense", "a.b", "a.b.c", "a.b.c.d", "..", "é", "x" * 100_000, "\0"])
def test_resolve_nonsense(db: None, token: str) -> None:
    with pytest.raises(InvalidToken):
        bearer.resolve(token)


def test_resolve_a_refresh_token(tenant: Tenant, logged_in: LoggedIn) -> None:
    for token in (logged_in.refresh_token, open_anonymous(tenant).pair.refresh_token):
        with pytest.raises(InvalidToken):
            bearer.resolve(token)


def test_resolve_an_opaque_token_after_it_expired(
    tenant: Tenant, logged_in: LoggedIn, pass_time: Callable[[timedelta], None]
) -> None:
    visit = open_anonymous(tenant)
    for token, lifetime in (
        (visit.pair.access_token, tenant.anonymous_access_lifetime),
        (logged_in.access_token, tenant.customer_access_lifetime - tenant.anonymous_access_lifetime),
    ):
        pass_time(timedelta(seconds=lifetime - 60))
        assert bearer.resolve(token)
        pass_time(timedelta(seconds=60))
        with pytest.raises(TokenExpired):
            bearer.resolve(token)


def test_resolve_a_jwt_after_it_expired(tenant: Tenant, logged_in: LoggedIn) -> None:
    key = signing_keys.current(tenant=tenant)
    with pytest.raises(TokenExpired):
        bearer.resolve(forge.resigned(logged_in.service_jwt, key, exp=forge.NOW - 1))


@pytest.mark.parametrize("kind", KINDS)
def test_resolve_after_log_out(tenant: Tenant, logged_in: LoggedIn, kind: str) -> None:
    sessions.end(tenant=tenant, session=logged_in.session)
    with pytest.raises(InvalidToken):
        bearer.resolve(getattr(logged_in, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_resolve_after_the_tenant_was_closed(logged_in: LoggedIn, kind: str) -> None:
    Tenant.objects.update(is_active=False)
    with pytest.raises(InvalidToken):
        bearer.resolve(getattr(logged_in, kind))


def test_resolve_an_anonymous_token_after_the_tenant_was_closed(tenant: Tenant) -> None:
    visit = open_anonymous(tenant)
    Tenant.objects.update(is_active=False)
    with pytest.raises(InvalidToken):
        bearer.resolve(visit.pair.access_token)


@pytest.mark.parametrize("kind", KINDS)
def test_resolve_after_the_customer_is_gone(logged_in: LoggedIn, kind: str) -> None:
    Customer.objects.all().delete()
    with pytest.raises(InvalidToken):
        bearer.resolve(getattr(logged_in, kind))


def test_resolve_survives_the_removal_of_the_account(logged_in: LoggedIn) -> None:
    Account.objects.all().delete()
    principal = bearer.resolve(logged_in.access_token)
    assert (principal.customer, principal.connections().log_ins) == (logged_in.customer, [])


def test_resolve_a_jwt_of_another_session_or_customer(tenant: Tenant, logged_in: LoggedIn) -> None:
    key = signing_keys.current(tenant=tenant)
    other = log_in(make_customer(tenant, email="grace@example.com"))
    visit = open_anonymous(tenant)
    wrong: list[dict[str, Any]] = [
        {"sid": str(other.session.pk)},
        {"sid": str(visit.session.pk)},
        {"sid": str(uuid4())},
        {"sub": other.customer.number},
        {"sub": ""},
    ]
    for claims in wrong:
        with pytest.raises(InvalidToken):
            bearer.resolve(forge.resigned(logged_in.service_jwt, key, **claims))


def test_resolve_a_jwt_that_names_a_session_of_another_tenant(logged_in: LoggedIn, other_tenant: Tenant) -> None:
    theirs = log_in(make_customer(other_tenant))
    assert theirs.customer.number == logged_in.customer.number  # numbers repeat from tenant to tenant
    foreign = signing_keys.current(tenant=other_tenant)
    with pytest.raises(InvalidToken):
        bearer.resolve(forge.resigned(theirs.service_jwt, foreign, sid=str(logged_in.session.pk)))


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(("left", "is_good"), [(timedelta(seconds=1), True), (timedelta(0), False)])
def test_resolve_an_opaque_token_until_the_moment_it_expires(
    logged_in: LoggedIn, left: timedelta, is_good: bool
) -> None:
    Token.objects.update(expires_at=timezone.now() + left)
    if is_good:
        assert bearer.resolve(logged_in.access_token).customer == logged_in.customer
        return
    with pytest.raises(TokenExpired):
        bearer.resolve(logged_in.access_token)


@pytest.mark.parametrize("kind", KINDS)
def test_resolve_tokens_of_several_tenants(logged_in: LoggedIn, other_tenant: Tenant, kind: str) -> None:
    theirs = log_in(make_customer(other_tenant))
    for each in (logged_in, theirs):
        principal = bearer.resolve(getattr(each, kind))
        assert (principal.tenant, principal.customer) == (each.customer.tenant, each.customer)


@pytest.mark.parametrize(
    ("kind", "is_read_only"), [("access_token", False), ("service_jwt", True), ("customer_jwt", False)]
)
def test_only_a_token_for_other_services_is_read_only(logged_in: LoggedIn, kind: str, is_read_only: bool) -> None:
    assert bearer.resolve(getattr(logged_in, kind)).is_read_only == is_read_only
