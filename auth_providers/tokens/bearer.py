"""Whose bearer token is it? Opaque or JWT, the stored session decides: the token of a revoked one is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from auth_providers.accounts import connections
from auth_providers.models import Session, Token
from auth_providers.tokens import jwts, session_limits, session_use
from auth_providers.tokens.opaque_tokens import ACCESS_KINDS
from customers.models import Customer
from tenants import isolation
from tenants.compiled import ahead
from tenants.compiled.instances import attach
from tenants.compiled.queries import CompiledQuery, compiled, with_rows_ahead
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant
from tenants.secrets.random_tokens import digest
from tenants.telemetry import context

Wanted: TypeAlias = Sequence[CompiledQuery[..., object]]


class InvalidToken(DomainError):
    """Unknown, revoked, of another tenant, or no token at all."""

    kind = Kind.UNAUTHENTICATED
    reason = Reason.INVALID_TOKEN
    default_message = "Invalid access token"


class TokenExpired(DomainError):
    """It was valid once."""

    kind = Kind.UNAUTHENTICATED
    reason = Reason.TOKEN_EXPIRED
    default_message = "Access token expired"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """On whose behalf a request comes: a session, and its customer when the token is a customer's. `api_key_id` is
    the client that the token was issued to, None where it names none."""

    tenant: Tenant
    session: Session
    customer: Customer | None
    expires_at: datetime
    api_key_id: int | None = None
    claims: jwts.Claims | None = None

    @property
    def site(self) -> str:
        """The site of the visit, "" when the storefront did not say."""
        return self.session.site

    @property
    def is_read_only(self) -> bool:
        """Whether the token was made for the shop's other services: stolen there, it can change nothing here."""
        return self.claims is not None and self.claims.is_service

    def connections(self) -> connections.Connections:
        """What belongs to the customer who calls, in one statement."""
        return connections.list_for(tenant=self.tenant, customer=self.customer)


def resolve(token: str, wanted: Wanted = ()) -> Principal:
    """The principal behind an access token, in one statement; what else is wanted of the caller is read ahead with it.
    Raises `InvalidToken` and `TokenExpired`."""
    is_jwt = token.count(".") == 2  # noqa: PLR2004 - RFC 7515, 3.1
    return _resolve_jwt(token, wanted) if is_jwt else _resolve_opaque(token, wanted)


@compiled
def _access_tokens(*, token_hash: bytes) -> QuerySet[Token]:
    """Of any tenant: the token tells which one it is."""
    tokens = Token.objects.select_related("session__tenant", "session__customer")
    return tokens.filter(token_hash=token_hash, kind__in=ACCESS_KINDS)


@compiled
def _sessions(*, session_id: UUID) -> QuerySet[Session]:
    """Of any tenant: the JWT names it."""
    return Session.objects.select_related("tenant", "customer").filter(pk=session_id)


@compiled
def _caller_by_token(*, token_hash: bytes) -> QuerySet[Token, tuple[int, int | None, UUID]]:
    found = Token.objects.filter(token_hash=token_hash, kind__in=ACCESS_KINDS).order_by()
    return found.values_list("session__tenant_id", "session__customer_id", "session_id")


@compiled
def _caller_by_session(*, session_id: UUID) -> QuerySet[Session, tuple[int, int | None, UUID]]:
    return Session.objects.filter(pk=session_id).order_by().values_list("tenant_id", "customer_id", "pk")


def _keys(session: Session) -> ahead.Keys:
    return {"tenant": session.tenant_id, "customer": session.customer_id, "session_id": session.pk}


def _resolve_opaque(token: str, wanted: Wanted) -> Principal:
    token_hash = digest(token)
    rows = with_rows_ahead(
        _access_tokens.asked(token_hash=token_hash),
        wanted,
        before=lambda: isolation.before_of_caller(_caller_by_token, rb"\x%s" % token_hash.hex().encode()),
        keys=lambda row: _keys(row.session),
    )
    if not rows:
        raise InvalidToken
    [row] = rows
    if row.expires_at <= timezone.now():
        raise TokenExpired
    is_customers = row.kind == Token.Kind.CUSTOMER_ACCESS
    return _principal(row.session, row.expires_at, is_customers=is_customers, api_key_id=row.api_key_id)


def _resolve_jwt(token: str, wanted: Wanted) -> Principal:
    try:
        claims = jwts.verify(token)
    except jwts.JwtExpired as error:
        raise TokenExpired from error
    except jwts.JwtInvalid as error:
        raise InvalidToken from error
    rows = with_rows_ahead(
        _sessions.asked(session_id=claims.session_id),
        wanted,
        before=lambda: isolation.before_of_caller(_caller_by_session, str(claims.session_id).encode()),
        keys=_keys,
    )
    session = rows[0] if rows else None
    if session is None or session.tenant.code != claims.tenant_code:
        raise InvalidToken
    if session.customer is None or session.customer.number != claims.customer_number:
        raise InvalidToken
    return _principal(session, claims.expires_at, is_customers=True, claims=claims)


def _principal(
    session: Session,
    expires_at: datetime,
    *,
    is_customers: bool,
    claims: jwts.Claims | None = None,
    api_key_id: int | None = None,
) -> Principal:
    if not session.tenant.is_active:
        raise InvalidToken
    context.note(tenant=session.tenant.code, session=session.pk)
    customer = None
    if is_customers:
        customer = customer_of(tenant=session.tenant, session=session)
        if customer is None:
            raise InvalidToken
        session_use.note(session)
        attach(customer, "tenant", session.tenant)
    return Principal(
        tenant=session.tenant,
        session=session,
        customer=customer,
        expires_at=expires_at,
        claims=claims,
        api_key_id=api_key_id,
    )


def customer_of(*, tenant: Tenant, session: Session) -> Customer | None:
    """The customer who is logged in there and may be; None when the session has ended or was left idle, or staff keep
    them out."""
    customer = session.customer
    if customer is None or not customer.can_log_in or not session.is_customers:
        return None
    return None if session_limits.is_idle(tenant=tenant, session=session) else customer
