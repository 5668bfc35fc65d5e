"""Opaque tokens: how long each kind is accepted, whose it is, and what follows a refresh token."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auth_providers.models import Session, Token
from auth_providers.tokens import opaque_tokens
from tenants.models import Tenant
from tenants.secrets.random_tokens import digest
from tests import factories

pytestmark = pytest.mark.usefixtures("stopped_clock")

LIFETIMES = {
    "anonymous_access_lifetime": 10,
    "anonymous_refresh_lifetime": 20,
    "customer_access_lifetime": 30,
    "customer_refresh_lifetime": 40,
    "renewable_access_lifetime": 50,
    "renewable_refresh_lifetime": 60,
}


@pytest.fixture
def session(tenant: Tenant) -> Session:
    """One that outlives every token."""
    Tenant.objects.filter(pk=tenant.pk).update(**LIFETIMES)
    tenant.refresh_from_db()
    opened = factories.open_anonymous(tenant).session
    opened.expires_at = timezone.now() + timedelta(seconds=1000)
    Token.objects.all().delete()
    return opened


def issue(session: Session, *, is_customers: bool = True, **rest: Any) -> opaque_tokens.Pair:
    return opaque_tokens.issue_pair(
        session=session,
        tenant=session.tenant,
        is_customers=is_customers,
        **{"api_key_id": None, **rest},
    )


def seconds(pair: opaque_tokens.Pair) -> tuple[int, int]:
    now = timezone.now()
    return (
        int((pair.access_expires_at - now).total_seconds()),
        int((pair.refresh_expires_at - now).total_seconds()),
    )


@pytest.mark.parametrize(
    ("is_customers", "is_renewable", "expected"),
    [(False, False, (10, 20)), (True, False, (30, 40)), (True, True, (50, 60))],
    ids=["a visitor's", "a customer's", "renewable"],
)
def test_each_kind_lives_as_long_as_the_tenant_says(
    session: Session, is_customers: bool, is_renewable: bool, expected: tuple[int, int]
) -> None:
    pair = issue(session, is_customers=is_customers, is_renewable=is_renewable)
    assert seconds(pair) == expected
    stored = {bytes(token.token_hash): token for token in Token.objects.all()}
    access, refresh = stored[digest(pair.access_token)], stored[digest(pair.refresh_token)]
    assert (access.kind, refresh.kind) == opaque_tokens.kinds(is_customers=is_customers)
    assert (access.expires_at, refresh.expires_at) == (pair.access_expires_at, pair.refresh_expires_at)


@pytest.mark.parametrize(("is_renewable", "expected"), [(False, (15, 15)), (True, (14, 15))])
def test_no_token_outlives_its_session_and_a_renewable_pair_can_be_refreshed_to_the_end(
    session: Session, is_renewable: bool, expected: tuple[int, int]
) -> None:
    session.expires_at = timezone.now() + timedelta(seconds=15)
    assert seconds(issue(session, is_renewable=is_renewable)) == expected


def test_tokens_are_the_sessions_and_the_clients(session: Session) -> None:
    key = factories.api_key_of(session.tenant)
    issue(session, api_key_id=key.pk)
    issue(session)
    keys = list(Token.objects.order_by("pk").values_list("session", "tenant", "api_key"))
    assert keys == [(session.pk, session.tenant_id, key.pk)] * 2 + [(session.pk, session.tenant_id, None)] * 2


def test_tokens_are_random_and_stored_hashed(session: Session) -> None:
    pairs = [issue(session), issue(session)]
    tokens = {token for pair in pairs for token in (pair.access_token, pair.refresh_token)}
    assert len(tokens) == 4
    assert {len(token) for token in tokens} == {43}
    assert {bytes(row.token_hash) for row in Token.objects.all()} == {digest(token) for token in tokens}


def test_successors_of_a_refresh_token_are_always_the_same_and_found(session: Session) -> None:
    spent, other = issue(session).refresh_token, issue(session).refresh_token
    assert opaque_tokens.find_successors(spent) is None
    pair = issue(session, spent=spent)
    issue(session, spent=other)
    assert opaque_tokens.find_successors(spent) == pair
    assert opaque_tokens.successor(spent, "access") == pair.access_token
    assert opaque_tokens.successor(spent, "refresh") == pair.refresh_token
    derived = [opaque_tokens.successor(token, kind) for token in (spent, other) for kind in ("access", "refresh")]
    assert len({*derived, spent, other}) == 6


@pytest.mark.parametrize("gone", ["access_token", "refresh_token"])
def test_half_a_pair_is_none(session: Session, gone: str) -> None:
    spent = issue(session).refresh_token
    pair = issue(session, spent=spent)
    Token.objects.filter(token_hash=digest(getattr(pair, gone))).delete()
    assert opaque_tokens.find_successors(spent) is None


@pytest.mark.parametrize(("left", "expected"), [(1000, 10), (7, 7)])
def test_an_access_token_alone_is_a_visitors(session: Session, left: int, expected: int) -> None:
    session.expires_at = timezone.now() + timedelta(seconds=left)
    key = factories.api_key_of(session.tenant)
    token, expires_at = opaque_tokens.issue_anonymous_access(session=session, api_key=key)
    row = Token.objects.get()
    assert (bytes(row.token_hash), row.kind, row.api_key) == (digest(token), Token.Kind.ANONYMOUS_ACCESS, key)
    assert row.expires_at == expires_at == timezone.now() + timedelta(seconds=expected)
