"""Sessions: opened by a storefront, taken over by a customer who logs in, ended by log-out or by staff.

Every log-in of every contract and provider ends in `start`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts import known_devices, notices, pending, verification
from auth_providers.models import Account, Session
from auth_providers.tokens import jwts, last_log_in, opaque_tokens, second_factor_policy, session_limits
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from customers.models import Customer
from tenants import codes
from tenants.clients import Client
from tenants.compiled import transactions, writes
from tenants.compiled.instances import fresh
from tenants.compiled.writes import Change, compiled_update
from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import ApiKey, Tenant
from tenants.trail import audit
from tenants.trail.event_types import EventType

LOG_OUT = "log_out"
INACTIVE, ON_HOLD, NOT_OPTED_IN = "inactive", "on hold", "not opted in"
REUSED_REFRESH_TOKEN = "reused_refresh_token"  # noqa: S105


class LogInRefused(DomainError):
    """Unknown, wrong, inactive, on hold: whatever the reason, the caller learns no more than this."""

    kind = Kind.UNAUTHENTICATED
    reason = Reason.INVALID_CREDENTIALS
    default_message = "The credentials are not valid."


class NotYourSession(DomainError):
    """A customer may end their own session only."""

    kind = Kind.FORBIDDEN
    reason = Reason.NOT_YOUR_SESSION
    default_message = "User not authorized."


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a storefront knows about a visit when it opens it; "" means the tenant's default."""

    site: str = ""
    currency: str = ""
    language: str = ""
    country: str = ""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """An anonymous session and its tokens."""

    session: Session
    pair: opaque_tokens.Pair


@dataclass(frozen=True, kw_only=True)
class Started:
    """A customer's session and the tokens that were asked for."""

    session: Session
    account: Account
    pair: opaque_tokens.Pair | None
    service_jwt: str
    customer_jwt: str


@transactions.brief()
def open_anonymous(*, api_key: ApiKey, context: Context, client: Client) -> Opened:
    """Open a session for a visitor of whom nothing is known yet. Raises `InvalidInput`, and `limits.Throttled` when
    the key's or the address's quota of visits is spent."""
    if context.currency and not codes.is_currency_of(tenant=api_key.tenant, code=context.currency):
        raise InvalidInput.field("currency", "Enter a currency code of ISO 4217.")
    _spend_visit(api_key, client)
    session = _new_session(api_key.tenant, client)
    session.api_key = api_key
    session.site, session.currency = context.site, context.currency
    session.language, session.country = context.language, context.country
    writes.insert(session, waits=True)
    pair = opaque_tokens.issue_pair(session=session, tenant=api_key.tenant, is_customers=False, api_key_id=api_key.pk)
    return Opened(session=session, pair=pair)


def _spend_visit(api_key: ApiKey, client: Client) -> None:
    uses = [(limits.VISITS_BY_KEY, str(api_key.pk))]
    if client.address:
        uses.append((limits.VISITS_BY_ADDRESS, client.subscriber))
    limits.spend_frequent(tenant=api_key.tenant, uses=uses)


def start(*, attempt: LogInAttempt, account: Account) -> Started:
    """Log the customer of `account` in: the session, its tokens, the audit event and the notice of a new device.

    Raises `LogInRefused`, which is on the audit trail by then, and where a second factor is due and none was proven
    `second_factor_policy.SecondFactorDue` or `.NoSecondFactor`; then nothing else was written.
    """
    obstacle = find_obstacle(account)
    if obstacle is not None:
        refuse(attempt=attempt, reason=obstacle, customer_number=account.customer.number)
    try:
        started = _open(attempt, account)
    except last_log_in.HeldUp:
        _hold_up(attempt, account)
    attempt.count("success")
    if account.is_additional:
        verification.recognize(account=account, session=started.session, client=attempt.client)
    return started


def _hold_up(attempt: LogInAttempt, account: Account) -> NoReturn:
    """Raise what the second factor is asked for with, unless it was staff who kept the customer out."""
    if not attempt.second_factor and last_log_in.permitted(attempt.tenant, account.customer_id).exists():
        second_factor_policy.ask(attempt=attempt, account=account)
    refuse(attempt=attempt, reason="deactivated in the meantime", customer_number=account.customer.number)


@transactions.brief()
def _open(attempt: LogInAttempt, account: Account) -> Started:
    """Everything that a log-in writes. Raises `last_log_in.HeldUp`, and writes nothing, when staff deactivated the
    customer while we hashed, or when a second factor is due: one statement says both, sent with the session's."""
    tenant, client, customer = attempt.tenant, attempt.client, account.customer
    now = timezone.now()
    noted = last_log_in.note(attempt=attempt, customer=customer, now=now)
    session = _new_session(tenant, client)
    session.customer, session.account, session.method = customer, account, attempt.method
    session.second_factor, session.authenticated_at = attempt.second_factor, now
    session = _continued(tenant, session, attempt.anonymous_session)
    if noted.count != 1:
        raise last_log_in.HeldUp
    for each in session_limits.beyond(tenant=tenant, customer=customer, session=session):
        end(tenant=tenant, session=each, reason=session_limits.TOO_MANY, client=client)
    if customer.last_login_at is not None and not attempt.is_device_known:
        _tell_of_new_device(tenant, account, session, client)
    if not attempt.is_device_noted:
        known_devices.remember(tenant=tenant, client=client, customer=customer)
    audit.record(
        tenant=tenant,
        action=audit.LOG_IN,
        client=client,
        customer_number=customer.number,
        session_id=session.pk,
        method=attempt.method,
        reason=attempt.note,
    )
    return _started(attempt, account, session)


def _started(attempt: LogInAttempt, account: Account, session: Session) -> Started:
    """The session with the tokens that were asked for."""
    tenant, customer, issue = attempt.tenant, account.customer, attempt.issue
    return Started(
        session=session,
        account=account,
        pair=_pair(attempt, session),
        service_jwt=_jwt(tenant, session, customer, jwts.ServiceToken) if Issue.SERVICE_JWT in issue else "",
        customer_jwt=_jwt(tenant, session, customer, jwts.CustomerToken) if Issue.CUSTOMER_JWT in issue else "",
    )


def refuse(*, attempt: LogInAttempt, reason: str, customer_number: str = "") -> NoReturn:
    """Put a failed log-in on the audit trail, with its reason, and raise `LogInRefused`, without."""
    audit.record(
        tenant=attempt.tenant,
        action=audit.LOG_IN,
        client=attempt.client,
        customer_number=customer_number,
        method=attempt.method,
        is_success=False,
        reason=reason,
    )
    attempt.count("refused")
    raise LogInRefused


@transaction.atomic
def end(*, tenant: Tenant, session: Session, reason: str = LOG_OUT, client: Client = audit.NO_CLIENT) -> None:
    """End the customer's part of the session: every customer token of it is refused from the next request on."""
    ended = Session.objects.for_tenant(tenant).filter(pk=session.pk, ended_at=None)
    if ended.update(ended_at=timezone.now(), end_reason=reason):
        audit.record(
            tenant=tenant,
            action="end_session",
            client=client,
            customer_number=session.customer.number if session.customer else "",
            session_id=session.pk,
            reason=reason,
            also=[EventType.CUSTOMER_LOGGED_OUT] if reason == LOG_OUT else (),
            details={"reason": reason},
        )


def log_out(*, tenant: Tenant, session: Session, named_session_id: UUID | None, client: Client) -> None:
    """End the caller's session. `named_session_id` is that of the token the caller wants to be invalid.

    Raises `NotYourSession` when it is another's.
    """
    if named_session_id is not None and named_session_id != session.pk:
        raise NotYourSession
    end(tenant=tenant, session=session, client=client)


@transaction.atomic
def end_all(
    *,
    tenant: Tenant,
    customer: Customer,
    reason: str,
    staff_username: str = "",
    client: Client = audit.NO_CLIENT,
) -> int:
    """End every session of the customer, and put that on the audit trail. Returns how many ended."""
    count = end_others(tenant=tenant, customer=customer, reason=reason, except_session=None)
    audit.record(
        tenant=tenant,
        action="end_all_sessions",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
        reason=f"{reason} ({count})",
        details={"reason": reason},
    )
    return count


def end_others(*, tenant: Tenant, customer: Customer, reason: str, except_session: Session | None) -> int:
    """End every session of the customer but `except_session`, and what waits for an answer (`pending`), as a part of
    something that is on the audit trail. Returns how many ended."""
    kept = except_session.pk if except_session else None
    return pending.end_sessions(tenant=tenant, customer=customer, reason=reason, kept_session_id=kept)


def find_obstacle(account: Account) -> str | None:
    """Why the account's customer may not log in, for the audit trail; None when nothing speaks against it."""
    if not account.customer.is_active:
        return INACTIVE
    if account.customer.is_on_hold:
        return ON_HOLD
    return None if account.is_permitted else NOT_OPTED_IN


def _new_session(tenant: Tenant, client: Client) -> Session:
    now = timezone.now()
    return fresh(
        Session,
        tenant=tenant,
        address=client.address or None,
        user_agent=client.user_agent[:255],
        last_used_at=now,
        expires_at=now + timedelta(seconds=tenant.session_lifetime),
    )


def _continued(tenant: Tenant, session: Session, anonymous: Session | None) -> Session:
    """The session that the customer goes on with: the one they came with if it is free, else the new one. One that was
    left idle is over: its tokens don't come back. One of another tenant lends nothing."""
    if anonymous is not None and anonymous.tenant_id == tenant.pk:
        session.api_key_id = anonymous.api_key_id
        session.site, session.currency = anonymous.site, anonymous.currency
        session.language, session.country = anonymous.language, anonymous.country
        if not session_limits.is_idle(tenant=tenant, session=anonymous) and _take_over(tenant, anonymous, session):
            session.pk, session.created_at = anonymous.pk, anonymous.created_at
            return session
    writes.insert(session, waits=True)
    return session


def _take_over(tenant: Tenant, anonymous: Session, wanted: Session) -> bool:
    """Make the anonymous session the customer's, unless it has ended or is someone else's: one conditional UPDATE."""
    taken = _take(
        tenant=tenant,
        anonymous_id=anonymous.pk,
        owner=wanted.customer,
        customer_id=wanted.customer_id,
        account_id=wanted.account_id,
        method=wanted.method,
        second_factor=wanted.second_factor,
        authenticated_at=wanted.authenticated_at,
        address=wanted.address,
        user_agent=wanted.user_agent,
        expires_at=wanted.expires_at,
        last_used_at=wanted.last_used_at,
    )
    return taken == 1


@compiled_update
def _take(
    *,
    tenant: Tenant,
    anonymous_id: UUID,
    owner: Customer | None,
    customer_id: int | None,
    account_id: int | None,
    method: str,
    second_factor: str,
    authenticated_at: datetime | None,
    address: str | None,
    user_agent: str,
    expires_at: datetime,
    last_used_at: datetime,
) -> Change:
    free = Session.objects.for_tenant(tenant).filter(
        Q(customer=None) | Q(customer=owner), pk=anonymous_id, ended_at=None
    )
    return free, {
        "customer_id": customer_id,
        "account_id": account_id,
        "method": method,
        "second_factor": second_factor,
        "authenticated_at": authenticated_at,
        "address": address,
        "user_agent": user_agent,
        "expires_at": expires_at,
        "last_used_at": last_used_at,
    }


def _pair(attempt: LogInAttempt, session: Session) -> opaque_tokens.Pair | None:
    if not attempt.issue & (Issue.PAIR | Issue.RENEWABLE_PAIR):
        return None
    return opaque_tokens.issue_pair(
        session=session,
        tenant=attempt.tenant,
        is_customers=True,
        api_key_id=attempt.api_key.pk if attempt.api_key else session.api_key_id,
        is_renewable=Issue.RENEWABLE_PAIR in attempt.issue,
    )


def _jwt(
    tenant: Tenant,
    session: Session,
    customer: Customer,
    token_class: type[jwts.ServiceToken] | type[jwts.CustomerToken],
) -> str:
    return jwts.sign(tenant=tenant, session=session, customer_number=customer.number, token_class=token_class)


def _tell_of_new_device(tenant: Tenant, account: Account, session: Session, client: Client) -> None:
    """A mail to the address that the customer logged in with, or to another one that is proven."""
    notices.send(
        tenant=tenant,
        customer=account.customer,
        notice=notices.Notice.NEW_DEVICE,
        recipients=notices.notice_address(tenant=tenant, account=account),
        site=session.site,
        context={
            "at": f"{session.authenticated_at:%Y-%m-%d %H:%M} UTC",
            "address": client.address,
            "user_agent": client.user_agent,
        },
    )
