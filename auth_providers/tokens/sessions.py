"""Sessions: opened by a storefront, taken over by a customer who logs in, ended by log-out or by staff.

`start` is the one door: every log-in of every contract and provider ends here.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Flag, auto
from typing import NoReturn
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from auth_providers.accounts import notices
from auth_providers.models import Account, Session
from auth_providers.tokens import jwts, opaque_tokens, second_factor_policy
from customers.models import Customer
from customers.profiles import is_currency
from tenants import audit
from tenants.clients import Client
from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import ApiKey, Tenant, TenantQuerySet

LOG_OUT = "log_out"
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


class Issue(Flag):
    """Which tokens a log-in hands out."""

    PAIR = auto()
    SERVICE_JWT = auto()
    CUSTOMER_JWT = auto()


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


@transaction.atomic
def open_anonymous(*, api_key: ApiKey, context: Context, client: Client) -> Opened:
    """Open a session for a visitor of whom nothing is known yet. Raises `InvalidInput`."""
    if context.currency and not is_currency(context.currency):
        raise InvalidInput.field("currency", "Enter a currency code of ISO 4217.")
    session = _new_session(api_key.tenant, client)
    session.api_key = api_key
    session.site, session.currency = context.site, context.currency
    session.language, session.country = context.language, context.country
    session.save(force_insert=True)
    pair = opaque_tokens.issue_pair(session=session, tenant=api_key.tenant, is_customers=False)
    return Opened(session=session, pair=pair)


def start(
    *,
    tenant: Tenant,
    account: Account,
    method: str,
    issue: Issue,
    client: Client,
    continuing: Session | None = None,
    is_device_known: bool = True,
    note: str = "",
    second_factor: str = "",
    is_mailbox_proof: bool = False,
) -> Started:
    """Log the customer of `account` in: the session, its tokens, the audit event and the notice of a new device.

    `method` names the provider. `continuing` is the session to take over; one that has ended, or that is another
    customer's, is left alone and a new one opens. `note` goes on the audit trail. `second_factor` is what was proven
    on top, "" for nothing; `is_mailbox_proof` says that the first factor was something mailed.
    Raises `LogInRefused`, which is on the audit trail by then, and where a second factor is due and none was proven
    `second_factor_policy.SecondFactorDue` or `.NoSecondFactor`; then nothing else was written.
    """
    started = None
    reason = _reason_against(account)
    if not reason:
        reason = "shut out in the meantime"
        started = _open(
            tenant=tenant,
            account=account,
            method=method,
            issue=issue,
            client=client,
            continuing=continuing,
            is_device_known=is_device_known,
            note=note,
            second_factor=second_factor,
        )
        if started is None and not second_factor:
            _hold_up(tenant, account, method, client, continuing, is_mailbox_proof=is_mailbox_proof)
    if started is None:
        refuse(tenant=tenant, client=client, method=method, reason=reason, customer_number=account.customer.number)
    return started


def _hold_up(
    tenant: Tenant, account: Account, method: str, client: Client, continuing: Session | None, *, is_mailbox_proof: bool
) -> None:
    """Raise what a second factor is asked for with, unless it was staff who kept the customer out."""
    if _welcome(tenant, account).exists():
        raise second_factor_policy.ask(
            tenant=tenant,
            account=account,
            method=method,
            client=client,
            continuing=continuing,
            is_mailbox_proof=is_mailbox_proof,
        )


@transaction.atomic
def _open(
    *,
    tenant: Tenant,
    account: Account,
    method: str,
    issue: Issue,
    client: Client,
    continuing: Session | None,
    is_device_known: bool,
    note: str,
    second_factor: str,
) -> Started | None:
    """Everything that a log-in writes; None, and nothing, when staff shut the customer out while we hashed, or when a
    second factor is due. One statement says both."""
    customer = account.customer
    now = timezone.now()
    welcome = _welcome(tenant, account)
    if not second_factor:
        welcome = second_factor_policy.let_through(tenant=tenant, client=client, customers=welcome)
    if not welcome.update(last_login_at=now):
        return None
    session = _new_session(tenant, client)
    session.customer, session.account, session.method = customer, account, method
    session.second_factor, session.authenticated_at = second_factor, now
    session = _continued(tenant, session, continuing)
    if customer.last_login_at is not None and not is_device_known:
        _tell_of_new_device(tenant, account, session, client)
    audit.record(
        tenant=tenant,
        action=audit.LOG_IN,
        client=client,
        customer_number=customer.number,
        session_id=session.pk,
        method=method,
        reason=note,
    )
    return Started(
        session=session,
        account=account,
        pair=_pair(tenant, session) if Issue.PAIR in issue else None,
        service_jwt=_jwt(tenant, session, customer, jwts.ServiceToken) if Issue.SERVICE_JWT in issue else "",
        customer_jwt=_jwt(tenant, session, customer, jwts.CustomerToken) if Issue.CUSTOMER_JWT in issue else "",
    )


def refuse(*, tenant: Tenant, client: Client, method: str, reason: str, customer_number: str = "") -> NoReturn:
    """Put a failed log-in on the audit trail, with its reason, and raise `LogInRefused`, without."""
    audit.record(
        tenant=tenant,
        action=audit.LOG_IN,
        client=client,
        customer_number=customer_number,
        method=method,
        is_success=False,
        reason=reason,
    )
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
    )
    return count


def end_others(*, tenant: Tenant, customer: Customer, reason: str, except_session: Session | None) -> int:
    """End every session of the customer but `except_session`, as a part of something that is on the audit trail.
    Returns how many ended."""
    mine = Session.objects.for_tenant(tenant).filter(customer=customer, ended_at=None)
    if except_session is not None:
        mine = mine.exclude(pk=except_session.pk)
    return mine.update(ended_at=timezone.now(), end_reason=reason)


def _welcome(tenant: Tenant, account: Account) -> TenantQuerySet[Customer]:
    """The account's customer, as long as staff let them in."""
    return Customer.objects.for_tenant(tenant).filter(pk=account.customer_id, is_active=True, is_on_hold=False)


def _reason_against(account: Account) -> str:
    """Why the account's customer may not log in; "" when nothing speaks against it."""
    if not account.customer.is_active:
        return "inactive"
    if account.customer.is_on_hold:
        return "on hold"
    return "" if account.is_confirmed else "not opted in"


def _new_session(tenant: Tenant, client: Client) -> Session:
    return Session(
        tenant=tenant,
        address=client.address or None,
        user_agent=client.user_agent[:255],
        expires_at=timezone.now() + timedelta(seconds=tenant.session_lifetime),
    )


def _continued(tenant: Tenant, session: Session, continuing: Session | None) -> Session:
    """The session that the customer goes on with: the one they came with if it is free, else the new one."""
    if continuing is not None:
        session.api_key_id = continuing.api_key_id
        session.site, session.currency = continuing.site, continuing.currency
        session.language, session.country = continuing.language, continuing.country
        if _take_over(tenant, continuing, session):
            session.pk, session.created_at = continuing.pk, continuing.created_at
            return session
    session.save(force_insert=True)
    return session


def _take_over(tenant: Tenant, continuing: Session, wanted: Session) -> bool:
    """Make the anonymous session the customer's, unless it has ended or is someone else's: one conditional UPDATE."""
    free = Session.objects.for_tenant(tenant).filter(
        Q(customer=None) | Q(customer=wanted.customer), pk=continuing.pk, ended_at=None
    )
    taken = free.update(
        customer=wanted.customer,
        account=wanted.account,
        method=wanted.method,
        second_factor=wanted.second_factor,
        authenticated_at=wanted.authenticated_at,
        address=wanted.address,
        user_agent=wanted.user_agent,
        expires_at=wanted.expires_at,
    )
    return taken == 1


def _pair(tenant: Tenant, session: Session) -> opaque_tokens.Pair:
    return opaque_tokens.issue_pair(session=session, tenant=tenant, is_customers=True)


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
