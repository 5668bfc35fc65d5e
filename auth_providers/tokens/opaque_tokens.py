"""Opaque tokens: 256 random bits, stored as their SHA-256, so that a stolen database gives access to nothing.

The successor of a refresh token is derived from it with a key of ours: a repeated refresh gets the same one, and yet
none is stored in plain (`refresh`).
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from auth_providers.models import Session, Token
from tenants.compiled import writes
from tenants.compiled.instances import fresh
from tenants.models import ApiKey, Tenant
from tenants.secrets.keyed_hashes import keyed_hash
from tenants.secrets.random_tokens import digest, new_token

# How long a visitor's pair, or one that is renewable, can be refreshed after its access token has expired; clients are
# told whole seconds.
SHORTEST_RENEWAL = timedelta(seconds=1)
ACCESS_KINDS = (Token.Kind.ANONYMOUS_ACCESS, Token.Kind.CUSTOMER_ACCESS)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An access token and its refresh token in plain, to be shown once, and when each expires."""

    access_token: str
    access_expires_at: datetime
    refresh_token: str
    refresh_expires_at: datetime


def successor(token: str, purpose: str) -> str:
    """The token that follows `token` for `purpose` ("access" or "refresh"): the same at every call."""
    mac = keyed_hash(f"patron.opaque_tokens.{purpose}", token)
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def issue_pair(
    *,
    session: Session,
    tenant: Tenant,
    is_customers: bool,
    api_key_id: int | None,
    is_renewable: bool = False,
    spent: str | None = None,
) -> Pair:
    """Make and store a pair for the session: random, or derived from the `spent` refresh token it replaces. A visitor's
    refresh token, and that of a customer's pair that `is_renewable`, outlives the access token, also at the end of the
    session.

    `api_key_id` is that of the client that gets it, None for one that has named no key.
    """
    now = timezone.now()
    access_seconds, refresh_seconds = _lifetimes(tenant, is_customers=is_customers, is_renewable=is_renewable)
    refresh_expires_at = min(now + timedelta(seconds=refresh_seconds), session.expires_at)
    is_outlived = is_renewable or not is_customers
    last = refresh_expires_at - SHORTEST_RENEWAL if is_outlived else session.expires_at
    pair = Pair(
        access_token=successor(spent, "access") if spent else new_token(),
        access_expires_at=min(now + timedelta(seconds=access_seconds), last),
        refresh_token=successor(spent, "refresh") if spent else new_token(),
        refresh_expires_at=refresh_expires_at,
    )
    access_kind, refresh_kind = kinds(is_customers=is_customers)
    new = _new(session, api_key_id, now)
    writes.insert(
        new(kind=access_kind, token_hash=digest(pair.access_token), expires_at=pair.access_expires_at),
        new(kind=refresh_kind, token_hash=digest(pair.refresh_token), expires_at=pair.refresh_expires_at),
        waits=True,
    )
    return pair


def issue_anonymous_access(*, session: Session, api_key: ApiKey) -> tuple[str, datetime]:
    """Make and store an access token alone for the client. Returns it and when it expires."""
    now = timezone.now()
    token = new_token()
    expires_at = min(now + timedelta(seconds=api_key.tenant.anonymous_access_lifetime), session.expires_at)
    new = _new(session, api_key.pk, now)
    writes.insert(new(kind=Token.Kind.ANONYMOUS_ACCESS, token_hash=digest(token), expires_at=expires_at))
    return token, expires_at


def find_successors(spent: str) -> Pair | None:
    """The pair that was made from the `spent` refresh token; None when it is gone."""
    access_token, refresh_token = successor(spent, "access"), successor(spent, "refresh")
    hashes = [digest(access_token), digest(refresh_token)]
    rows = {bytes(row.token_hash): row for row in Token.objects.filter(token_hash__in=hashes)}
    if len(rows) != len(hashes):
        return None
    return Pair(
        access_token=access_token,
        access_expires_at=rows[hashes[0]].expires_at,
        refresh_token=refresh_token,
        refresh_expires_at=rows[hashes[1]].expires_at,
    )


def kinds(*, is_customers: bool) -> tuple[Token.Kind, Token.Kind]:
    """The kinds of an access and a refresh token."""
    if is_customers:
        return Token.Kind.CUSTOMER_ACCESS, Token.Kind.CUSTOMER_REFRESH
    return Token.Kind.ANONYMOUS_ACCESS, Token.Kind.ANONYMOUS_REFRESH


def _lifetimes(tenant: Tenant, *, is_customers: bool, is_renewable: bool) -> tuple[int, int]:
    if is_renewable:
        return tenant.renewable_access_lifetime, tenant.renewable_refresh_lifetime
    if is_customers:
        return tenant.customer_access_lifetime, tenant.customer_refresh_lifetime
    return tenant.anonymous_access_lifetime, tenant.anonymous_refresh_lifetime


def _new(session: Session, api_key_id: int | None, now: datetime) -> Callable[..., Token]:
    """What makes rows of tokens that are issued to the client together."""
    return partial(fresh, Token, tenant_id=session.tenant_id, session=session, api_key_id=api_key_id, issued_at=now)
