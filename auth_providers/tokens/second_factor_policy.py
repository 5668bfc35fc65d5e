"""When a log-in needs a second factor, and what may be one (`docs/decisions/second-factor.md`).

`sessions.start` asks before the log-in writes anything; `second_factor` completes the log-in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from auth_providers.accounts import accounts, known_devices, notices, pending
from auth_providers.models import OTP, Account, Authenticator, AuthProvider, PendingLogIn
from auth_providers.providers.kinds.otp import OneTimeCodes
from auth_providers.tokens.log_in_attempt import LogInAttempt
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import DomainError, FieldError, Kind, Reason
from tenants.models import SecondFactor, Tenant, TenantQuerySet
from tenants.secrets.random_tokens import digest, new_token
from tenants.trail import audit

TOTP, SMS, EMAIL = "totp", "sms", "email"
# Long enough to find the telephone; OWASP ASVS 5.0, 6.6.3 allows ten minutes for what is sent.
LIFETIME = timedelta(minutes=10)


class SecondFactorDue(DomainError):
    """The first factor is proven, the second is missing. The log-in goes on with `handle` (256 bits) until
    `expires_at`; `methods` says what may be shown: totp, sms or email."""

    kind = Kind.CHALLENGE
    reason = Reason.SECOND_FACTOR_DUE
    default_message = "This log-in needs a second factor."

    def __init__(
        self,
        message: str = "",
        *,
        handle: str = "",
        expires_at: datetime | None = None,
        methods: tuple[str, ...] = (),
        details: tuple[FieldError, ...] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, details=details, retry_after=retry_after)
        self.handle = handle
        self.expires_at = expires_at or timezone.now() + LIFETIME
        self.methods = methods


class NoSecondFactor(DomainError):
    """A second factor is due, and the customer has none."""

    kind = Kind.FORBIDDEN
    reason = Reason.NO_SECOND_FACTOR
    default_message = "This log-in needs a second factor, and this customer has none that could be asked for."


@dataclass(frozen=True, kw_only=True)
class SecondFactorMethod:
    """What is asked for, and where its code is sent: a number in E.164, an address, or "" for an authenticator.
    `is_repeated` says that the first factor came by the same channel, so that it is no second one."""

    method: str
    destination: str = ""
    is_repeated: bool = False


def without_second_factor(
    *, tenant: Tenant, client: Client, customers: TenantQuerySet[Customer]
) -> TenantQuerySet[Customer]:
    """Those of the customers who need no second factor on this device, as a condition of the caller's statement."""
    if tenant.second_factor_policy == SecondFactor.ALWAYS:
        return customers.none()
    free = without_authenticator(tenant=tenant, customers=customers)
    if tenant.second_factor_policy == SecondFactor.NEW_DEVICE:
        free = on_known_device(tenant=tenant, device=client.device, customers=free)
    return free


def without_authenticator(*, tenant: Tenant, customers: TenantQuerySet[Customer]) -> TenantQuerySet[Customer]:
    """Those of the customers who have not set up an authenticator app."""
    return customers.exclude(Exists(_enrolled(tenant).filter(customer=OuterRef("pk"))))


def on_known_device(*, tenant: Tenant, device: str, customers: TenantQuerySet[Customer]) -> TenantQuerySet[Customer]:
    """Those of the customers who have used this device before."""
    known = known_devices.of_device(tenant=tenant, device=device)
    return customers.filter(Exists(known.filter(customer=OuterRef("pk"))))


def is_due(*, tenant: Tenant, client: Client, customer: Customer) -> bool:
    """Whether the customer needs a second factor on this device."""
    own = Customer.objects.for_tenant(tenant).filter(pk=customer.pk)
    return not without_second_factor(tenant=tenant, client=client, customers=own).exists()


def ask(*, attempt: LogInAttempt, account: Account) -> NoReturn:
    """Keep the proven first factor and raise `SecondFactorDue`, or `NoSecondFactor`. Not inside a transaction: the
    exception would roll back what was kept."""
    handle = new_token()
    kept = _keep(attempt, account, handle)
    attempt.count("second_factor" if kept else "refused")
    if kept is None:
        raise NoSecondFactor
    raise SecondFactorDue(handle=handle, expires_at=kept.log_in.expires_at, methods=(kept.method,))


@dataclass(frozen=True, kw_only=True)
class _Pending:
    log_in: PendingLogIn
    method: str


@transaction.atomic(durable=True)
def _keep(attempt: LogInAttempt, account: Account, handle: str) -> _Pending | None:
    """The log-in that waits under this handle from now on; None when there is nothing to ask for."""
    tenant = attempt.tenant
    factor = find_method(
        tenant=tenant, account=account, method=attempt.method, is_mailbox_proof=attempt.is_mailbox_proof
    )
    _record(attempt, account, factor)
    if factor is None:
        return None
    pending.heed_clock(tenant=tenant, customer=account.customer)
    log_in = PendingLogIn(
        tenant=tenant,
        account=account,
        handle_hash=digest(handle),
        method=attempt.method,
        is_mailbox_proof=attempt.is_mailbox_proof,
        anonymous_session=attempt.anonymous_session,
        expires_at=timezone.now() + LIFETIME,
    )
    log_in.save(force_insert=True)
    return _Pending(log_in=log_in, method=factor.method)


def find_method(
    *, tenant: Tenant, account: Account, method: str, is_mailbox_proof: bool = False
) -> SecondFactorMethod | None:
    """What the customer is asked for: the authenticator, else a code by text message or by mail, whichever the first
    factor did not come by; where there is no other, that one again. None when there is none at all."""
    if _enrolled(tenant).filter(customer=account.customer_id).exists():
        return SecondFactorMethod(method=TOTP)
    came_by = EMAIL if is_mailbox_proof else _channel(account) if method == OTP else ""
    every = list(accounts.of_customer(tenant=tenant, customer=account.customer))
    return sent_method(account, every, number=find_number(tenant=tenant, every=every), came_by=came_by)


def sent_method(
    account: Account, every: Sequence[Account], *, number: str, came_by: str = ""
) -> SecondFactorMethod | None:
    """The code that the owner of the account is sent, of a customer without an authenticator who has these accounts and
    this number (`find_number`)."""
    own = next(iter(notices.notice_address_among(every, account)), account.email)
    methods = [
        SecondFactorMethod(method=name, destination=to, is_repeated=name == came_by)
        for name, to in ((SMS, number), (EMAIL, own))
        if to
    ]
    return min(methods, key=lambda each: each.is_repeated, default=None)


def find_number(*, tenant: Tenant, every: Iterable[Account]) -> str:
    """The telephone that the customer of these accounts logs in with, where deployment and tenant send text messages;
    else ""."""
    numbers = (each.identifier for each in every if each.kind == Account.Kind.PHONE and each.is_permitted)
    number = next(numbers, "")
    return number if number and _sends_sms(tenant) else ""


def _channel(account: Account) -> str:
    """How a code reaches the account's owner."""
    return EMAIL if account.kind == Account.Kind.EMAIL else SMS


def _enrolled(tenant: Tenant) -> TenantQuerySet[Authenticator]:
    return Authenticator.objects.for_tenant(tenant).exclude(confirmed_at=None)


def _sends_sms(tenant: Tenant) -> bool:
    if not settings.SMS_URL:
        return False
    provider = AuthProvider.objects.for_tenant(tenant).filter(name=OTP, is_enabled=True).first()
    return provider is not None and SMS in OneTimeCodes(provider).settings.channels


def _record(attempt: LogInAttempt, account: Account, factor: SecondFactorMethod | None) -> None:
    audit.record(
        tenant=attempt.tenant,
        action="ask_second_factor",
        client=attempt.client,
        customer_number=account.customer.number,
        method=attempt.method,
        is_success=factor is not None,
        reason=factor.method if factor else "no second factor that could be asked for",
    )
