"""Refreshing: each refresh token is spent once and names one successor.

Storefronts refresh from several tabs at once and repeat a request whose answer got lost. Inside a short window they all
get the successor that the first one got; after it, a spent token that comes back was stolen (RFC 9700, 4.14.2).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from auth_providers.models import Session, Token
from auth_providers.tokens import opaque_tokens, session_use, sessions
from auth_providers.tokens.bearer import InvalidToken, TokenExpired, customer_of
from customers import legal_entities
from tenants import clocks
from tenants.clients import Client
from tenants.compiled import transactions
from tenants.compiled.queries import compiled
from tenants.compiled.writes import Change, compiled_update
from tenants.models import ApiKey, Tenant
from tenants.secrets import random_tokens
from tenants.trail import audit

RETRY_WINDOW = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class Refreshed:
    """The session and its new pair."""

    session: Session
    pair: opaque_tokens.Pair


def refresh_customer(
    *,
    tenant: Tenant,
    refresh_token: str,
    client: Client,
    api_key_id: int | None = None,
    legal_entity_id: str | None = None,
    is_renewable: bool = False,
) -> Refreshed:
    """Exchange a customer's refresh token. Raises `InvalidToken`, `TokenExpired`.

    `api_key_id` is the client that asks, where it has said which one it is: another's token is none (RFC 6749, 6).
    `legal_entity_id` is the company that the customer acts for from now on, "" for none; `InvalidInput` when it isn't
    theirs. With None the session's company stays. `is_renewable` is that of `opaque_tokens.issue_pair`.

    A token that was spent longer than `RETRY_WINDOW` ago ends its session.
    """
    with transactions.brief():
        refreshed = _rotate(tenant, refresh_token, client, api_key_id, is_customers=True, is_renewable=is_renewable)
        if refreshed is not None and legal_entity_id is not None:
            _act_for(tenant, refreshed.session, legal_entity_id)
    return _given(refreshed)


def refresh_anonymous(*, api_key: ApiKey, refresh_token: str, client: Client) -> Refreshed:
    """Exchange an anonymous refresh token of this client's. Raises `InvalidToken`, `TokenExpired`.

    A token that was spent longer than `RETRY_WINDOW` ago ends the anonymous tokens of its session; a customer who is
    logged in there stays so, or else an old anonymous token could log others out.
    """
    with transactions.brief():
        refreshed = _rotate(api_key.tenant, refresh_token, client, api_key.pk, is_customers=False)
    return _given(refreshed)


def renew_anonymous(*, api_key: ApiKey, access_token: str) -> tuple[Session, str, datetime]:
    """A new anonymous access token for the session of one that this client got, and that may have expired, but not
    longer ago than a refresh token would have.

    Returns the session, the token and when it expires. Raises `InvalidToken`, `TokenExpired`.
    """
    tenant = api_key.tenant
    token_hash = random_tokens.digest(access_token)
    row = issued_to(_tokens.first(tenant=tenant, token_hash=token_hash, kind=Token.Kind.ANONYMOUS_ACCESS), api_key.pk)
    now = timezone.now()
    if now >= min(row.issued_at + timedelta(seconds=tenant.anonymous_refresh_lifetime), row.session.expires_at):
        raise TokenExpired
    token, expires_at = opaque_tokens.issue_anonymous_access(session=row.session, api_key=api_key)
    return row.session, token, expires_at


@compiled
def _tokens(*, tenant: Tenant, token_hash: bytes, kind: str) -> QuerySet[Token]:
    tokens = Token.objects.for_tenant(tenant).select_related("session__customer")
    return tokens.filter(token_hash=token_hash, kind=kind)


@compiled
def _locked_tokens(*, tenant: Tenant, token_hash: bytes, kind: str) -> QuerySet[Token]:
    """With the rows of the session and of the token locked, in this order: refreshing and ending a session exclude
    each other, and who waits for the lock sees what the other one wrote."""
    tokens = Token.objects.for_tenant(tenant).select_related("session__customer")
    return tokens.filter(token_hash=token_hash, kind=kind).select_for_update(of=("session", "self"))


@compiled_update
def _spend(*, tenant: Tenant, token_id: int, spent_at: datetime) -> Change:
    return Token.objects.for_tenant(tenant).filter(pk=token_id), {"spent_at": spent_at}


def issued_to(row: Token | None, api_key_id: int | None) -> Token:
    """The token, unless it was issued to another client than the one named. Raises `InvalidToken`."""
    if row is None or (api_key_id is not None and row.api_key_id not in (None, api_key_id)):
        raise InvalidToken
    return row


def _given(refreshed: Refreshed | None) -> Refreshed:
    """Raise outside of the transaction what was decided inside: what it wrote must stay."""
    if refreshed is None:
        raise InvalidToken
    return refreshed


def _act_for(tenant: Tenant, session: Session, legal_entity_id: str) -> None:
    if session.customer is None:
        raise InvalidToken
    entity = None
    if not legal_entity_id and session.legal_entity_id is None:
        return
    if legal_entity_id:
        entity = legal_entities.get_assigned(tenant=tenant, customer=session.customer, public_id=legal_entity_id)
    Session.objects.for_tenant(tenant).filter(pk=session.pk).update(legal_entity=entity)


def _rotate(
    tenant: Tenant,
    refresh_token: str,
    client: Client,
    api_key_id: int | None,
    *,
    is_customers: bool,
    is_renewable: bool = False,
) -> Refreshed | None:
    """Spend the token, or repeat what it was spent for, or, too late for that, end what it belongs to: None. In the
    caller's transaction."""
    _, kind = opaque_tokens.kinds(is_customers=is_customers)
    token_hash = random_tokens.digest(refresh_token)
    token = issued_to(_locked_tokens.first(tenant=tenant, token_hash=token_hash, kind=kind), api_key_id)
    session = token.session
    _check_session(tenant, session, is_customers=is_customers)
    now = timezone.now()
    if token.spent_at is None:
        if token.expires_at <= now:
            raise TokenExpired
        _spend.wait(tenant=tenant, token_id=token.pk, spent_at=now)
        pair = opaque_tokens.issue_pair(
            session=session,
            tenant=tenant,
            is_customers=is_customers,
            api_key_id=token.api_key_id,
            is_renewable=is_renewable,
            spent=refresh_token,
        )
        return Refreshed(session=session, pair=pair)
    if clocks.is_ahead(token.spent_at, now):  # nobody knows whether this is late: neither believed nor a theft
        raise InvalidToken
    if now - token.spent_at <= RETRY_WINDOW:
        repeated = opaque_tokens.find_successors(refresh_token)
        return Refreshed(session=session, pair=repeated) if repeated else None
    end_family(
        tenant=tenant, session=session, client=client, is_customers=is_customers, reason=sessions.REUSED_REFRESH_TOKEN
    )
    return None


def _check_session(tenant: Tenant, session: Session, *, is_customers: bool) -> None:
    """Raises `InvalidToken` and `TokenExpired` unless the session can be refreshed."""
    if is_customers:
        if customer_of(tenant=tenant, session=session) is None:
            raise InvalidToken
        session_use.note(session)
    elif session.expires_at <= timezone.now():
        raise TokenExpired


def end_family(*, tenant: Tenant, session: Session, client: Client, is_customers: bool, reason: str) -> None:
    """End what a refresh token belongs to: the customer's part of its session, or the anonymous tokens of it. In the
    caller's transaction, which has locked the session."""
    if is_customers:
        sessions.end(tenant=tenant, session=session, reason=reason, client=client)
        return
    Token.objects.filter(session=session, kind__in=opaque_tokens.kinds(is_customers=False)).delete()
    audit.record(tenant=tenant, action="end_anonymous_tokens", client=client, session_id=session.pk, reason=reason)
