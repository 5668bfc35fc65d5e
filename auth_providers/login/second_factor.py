"""The second half of a log-in whose first factor is proven (`second_factor_policy`): a code is sent where the factor
needs one, and is verified."""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils import timezone

from auth_providers.accounts import known_devices
from auth_providers.accounts.pending import BEGAN_AFTER_THE_LAST_VOIDING
from auth_providers.login import federated, one_time_code, totp
from auth_providers.models import Account, OneTimeCode, PendingLogIn
from auth_providers.tokens import second_factor_policy, sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from auth_providers.tokens.second_factor_policy import TOTP, NoSecondFactor, SecondFactorDue, SecondFactorMethod
from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant, TenantQuerySet
from tenants.secrets.random_tokens import digest
from tenants.trail import audit

# After the first factor, where the code reaches the mail server late.
LONGEST = timedelta(hours=1)

# A code by the channel of the first factor: no second factor, so tokens do not name it as one.
REPEATED = "repeated_code"

__all__ = ["InvalidHandle", "SecondFactorDue", "Shown", "complete", "log_in", "send_code", "show"]


class InvalidHandle(DomainError):
    """Unknown, expired, completed already, another tenant's: the log-in has to start again."""

    kind = Kind.UNAUTHENTICATED
    reason = Reason.INVALID_HANDLE
    default_message = "This log-in is over. Start again."


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A log-in whose second factor was shown, and which one it was."""

    pending: PendingLogIn
    factor: str


def send_code(*, tenant: Tenant, handle: str, client: Client) -> one_time_code.Issued | None:
    """Send the code for the log-in that waits under this handle; None when its customer has an authenticator.

    Raises `InvalidHandle`, `second_factor_policy.NoSecondFactor` and `limits.Throttled`.
    """
    pending = _get(tenant, handle)
    factor = _factor(tenant, pending)
    if factor.method == TOTP:
        return None
    customer = pending.account.customer
    issued = one_time_code.request(
        tenant=tenant,
        purpose=OneTimeCode.Purpose.SECOND_FACTOR,
        channel=factor.method,
        destination=factor.destination,
        client=client,
        customer=customer,
        site=pending.anonymous_session.site if pending.anonymous_session else customer.preferred_site,
        language=customer.preferred_language,
    )
    # Asking for another code does not prolong the log-in.
    until = max(pending.expires_at, min(issued.latest, pending.created_at + LONGEST))
    _waiting(tenant, digest(handle)).update(challenge_id=issued.challenge_id, expires_at=until)
    return issued


def complete(*, attempt: LogInAttempt, handle: str, code: str) -> sessions.Started:
    """Complete the log-in of this handle with the second factor's code; an identity that waits for it is linked. A
    handle is valid for one log-in.

    Raises `InvalidHandle`, `one_time_code.InvalidCode`, `limits.Throttled`, `second_factor_policy.NoSecondFactor`, and
    `sessions.LogInRefused` for a customer who may not log in any more. Not inside a transaction: failures count.
    """
    shown = show(tenant=attempt.tenant, handle=handle, code=code, client=attempt.client)
    linked = federated.finish_link(attempt=replace(attempt, method=shown.pending.method), handle=handle)
    return log_in(attempt=attempt, shown=shown, account=linked)


def show(*, tenant: Tenant, handle: str, code: str, client: Client) -> Shown:
    """Prove the second factor that is waited for under this handle, and spend the handle.

    Raises `InvalidHandle`, `one_time_code.InvalidCode`, `limits.Throttled` and `second_factor_policy.NoSecondFactor`.
    Not inside a transaction: failures count.
    """
    pending = _get(tenant, handle)
    factor = _prove(tenant, pending, code, client)
    if not _waiting(tenant, digest(handle)).update(spent_at=timezone.now()):
        raise InvalidHandle
    return Shown(pending=pending, factor=factor)


def log_in(*, attempt: LogInAttempt, shown: Shown, account: Account | None = None) -> sessions.Started:
    """Log in the customer who has shown a second factor, with `account` where that is not the one that waited. Raises
    `sessions.LogInRefused` for a customer who may not log in any more."""
    tenant, client = attempt.tenant, attempt.client
    pending, factor, account = shown.pending, shown.factor, account or shown.pending.account
    proven = replace(
        attempt,
        method=pending.method,
        anonymous_session=pending.anonymous_session,
        is_device_known=known_devices.is_known(tenant=tenant, client=client, customer=account.customer),
        note=f"second factor: {factor}",
        second_factor=factor,
    )
    return sessions.start(attempt=proven, account=account)


def _prove(tenant: Tenant, pending: PendingLogIn, code: str, client: Client) -> str:
    """What was proven by the code. Raises `one_time_code.InvalidCode`, which is on the audit trail by then."""
    factor = _factor(tenant, pending)
    if factor.method == TOTP:
        return _prove_authenticator(tenant, pending, code, client)
    if pending.challenge_id is None:  # none was sent
        raise one_time_code.InvalidCode
    one_time_code.verify(
        tenant=tenant,
        challenge_id=pending.challenge_id,
        code=code,
        client=client,
        purposes=(OneTimeCode.Purpose.SECOND_FACTOR,),
    )
    return REPEATED if factor.is_repeated else factor.method


def _prove_authenticator(tenant: Tenant, pending: PendingLogIn, code: str, client: Client) -> str:
    customer = pending.account.customer
    try:
        return totp.verify(tenant=tenant, customer=customer, code=code, client=client)
    except totp.WrongCode as error:
        audit.record(
            tenant=tenant,
            action=audit.LOG_IN,
            client=client,
            customer_number=customer.number,
            method=pending.method,
            is_success=False,
            reason="wrong code of the authenticator",
        )
        raise one_time_code.InvalidCode from error


def _factor(tenant: Tenant, pending: PendingLogIn) -> SecondFactorMethod:
    """As things stand now: an authenticator that was enrolled meanwhile is asked for."""
    factor = second_factor_policy.find_method(
        tenant=tenant, account=pending.account, method=pending.method, is_mailbox_proof=pending.is_mailbox_proof
    )
    if factor is None:
        raise NoSecondFactor
    return factor


def _get(tenant: Tenant, handle: str) -> PendingLogIn:
    found = _waiting(tenant, digest(handle)).select_related("account__customer", "anonymous_session").first()
    if found is None:
        raise InvalidHandle
    return found


def _waiting(tenant: Tenant, handle_hash: bytes) -> TenantQuerySet[PendingLogIn]:
    """The log-in of this handle, unless it is over, or its first factor may not be good any more."""
    return PendingLogIn.objects.for_tenant(tenant).filter(
        BEGAN_AFTER_THE_LAST_VOIDING, handle_hash=handle_hash, spent_at=None, expires_at__gt=timezone.now()
    )
