"""The customer's authenticator app (RFC 6238): enrolled with a QR code, asked at every log-in, with recovery codes in
case it is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Subquery
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts import accounts, known_devices, notices, pending, verification
from auth_providers.accounts.notices import Notice
from auth_providers.models import TOTP as PROVIDER
from auth_providers.models import Authenticator, AuthProvider, RecoveryCode, Session
from auth_providers.providers import registry
from auth_providers.tokens import sessions
from auth_providers.tokens.reauthentication import require_recent_log_in
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import DomainError, FieldError, Kind, Reason
from tenants.models import Tenant, TenantQuerySet
from tenants.secrets import authenticator_apps
from tenants.secrets.encryption import decrypt, encrypt
from tenants.subqueries import CountOf
from tenants.trail import audit
from tenants.trail.event_types import EventType

# How long ago a customer may have logged in to change what they log in with.
FRESH = timedelta(minutes=10)  # OWASP ASVS 5.0, 7.5.1


class NothingProven(DomainError):
    """A customer who has proven no address, number or identity can't protect the profile: it may be somebody else's."""

    kind = Kind.FORBIDDEN
    reason = Reason.NOTHING_PROVEN
    default_message = "Confirm your e-mail address first."


class AlreadyEnrolled(DomainError):
    """There is one authenticator for each customer; it has to be removed first."""

    kind = Kind.CONFLICT
    reason = Reason.ALREADY_ENROLLED
    default_message = "An authenticator is enrolled already."


class NotEnrolled(DomainError):
    """The customer has no authenticator, or has not begun to enrol one."""

    kind = Kind.NOT_FOUND
    reason = Reason.NOT_ENROLLED
    default_message = "No authenticator is enrolled."


class WrongCode(DomainError):
    """Not the app's code of this moment, used already, or no recovery code: the caller learns no more than this."""

    kind = Kind.INVALID
    reason = Reason.WRONG_SECOND_FACTOR
    default_message = "The code is not right."


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """What the app needs, to be shown once: the secret in base 32, the same as an address, and that as an image."""

    secret: str
    uri: str

    @property
    def qr_svg(self) -> str:
        """The address as an image; drawn when it is asked for, since that takes longer than everything else."""
        return authenticator_apps.qr_svg(self.uri)


@dataclass(frozen=True, kw_only=True)
class Status:
    """Whether the customer has an authenticator, and how many recovery codes are left."""

    is_enrolled: bool
    recovery_codes_left: int


def status(*, tenant: Tenant, customer: Customer) -> Status:
    """The customer's authenticator as it stands."""
    return status_of(_enrolled(tenant, customer).values_list(_unspent(tenant, customer), flat=True).first())


def recovery_codes_left(*, tenant: Tenant, customer: Customer) -> Subquery:
    """The number of unspent recovery codes, NULL without an authenticator, as a column of the caller's statement."""
    return Subquery(_enrolled(tenant, customer).values(left=_unspent(tenant, customer)))


def status_of(recovery_codes_left: int | None) -> Status:
    """The authenticator of a customer with that column."""
    return Status(is_enrolled=recovery_codes_left is not None, recovery_codes_left=recovery_codes_left or 0)


def _unspent(tenant: Tenant, customer: Customer) -> CountOf:
    return CountOf(_codes(tenant, customer).filter(spent_at=None), most=authenticator_apps.RECOVERY_CODES)


def start_enrolment(*, tenant: Tenant, customer: Customer, session: Session) -> Enrolment:
    """Make a secret, which counts for nothing until `confirm_enrolment`; asking again replaces it.

    Raises `ReauthenticationNeeded`, `AlreadyEnrolled`, `NothingProven`, and `registry.UnknownProvider` where the tenant
    has switched the provider `totp` off.
    """
    require_recent_log_in(session=session, within=FRESH)
    switched_off = AuthProvider.objects.for_tenant(tenant).filter(name=PROVIDER, is_enabled=False)
    if switched_off.exists():
        raise registry.UnknownProvider
    if not verification.has_proof(tenant=tenant, customer=customer):
        raise NothingProven
    secret = authenticator_apps.new_secret()
    hidden = encrypt(secret)
    waiting = Authenticator.objects.for_tenant(tenant).filter(customer=customer, confirmed_at=None)
    if not waiting.update(secret_encrypted=hidden, created_at=timezone.now(), last_step=0):
        mine = Authenticator(tenant=tenant, customer=customer, secret_encrypted=hidden)
        Authenticator.objects.bulk_create([mine], ignore_conflicts=True)
        if not waiting.filter(secret_encrypted=hidden).exists():
            raise AlreadyEnrolled
    return Enrolment(secret=secret, uri=_uri(tenant, customer, secret))


def confirm_enrolment(*, tenant: Tenant, customer: Customer, session: Session, code: str, client: Client) -> list[str]:
    """Let the authenticator count from now on, by its first code. Returns the recovery codes, to be shown once.

    Every other session ends: it was opened without the second factor. Raises `ReauthenticationNeeded`, `NotEnrolled`,
    `AlreadyEnrolled`, `WrongCode` and `limits.Throttled`.
    """
    require_recent_log_in(session=session, within=FRESH)
    with transaction.atomic():
        authenticator = _locked(tenant, customer)
        if authenticator is None:
            raise NotEnrolled
        if authenticator.confirmed_at is not None:
            raise AlreadyEnrolled
        before = notices.take(tenant=tenant, customer=customer)
        is_right = _compare(authenticator, "".join(code.split()))
        codes = _enrol(before, session, client) if is_right else []
    if not is_right:  # raised outside of the transaction, so that the failure counts
        raise _wrong()
    return codes


def verify(*, tenant: Tenant, customer: Customer, code: str, client: Client) -> str:
    """Use up the app's code of this moment, one step early or late, or a recovery code; each is good once. Wrong ones
    from a device that the customer has used have a count of their own: what others try does not keep the owner out.

    Returns "totp" or "recovery_code". Raises `WrongCode` and `limits.Throttled`. Not inside a transaction: a failure
    has to count.
    """
    with transaction.atomic():
        authenticator = _locked(tenant, customer)
        if authenticator is None or authenticator.confirmed_at is None:
            raise _wrong()
        code = "".join(code.split())  # people type what they read: 123 456
        is_of_app = authenticator_apps.is_code(code)
        recovery = None if is_of_app else _codes(tenant, customer)
        is_right = _compare(authenticator, code, recovery=recovery, client=client)
    if not is_right:
        raise _wrong()
    return "totp" if is_of_app else "recovery_code"


def renew_recovery_codes(*, tenant: Tenant, customer: Customer, session: Session, client: Client) -> list[str]:
    """Replace the recovery codes. Returns the new ones, to be shown once. Raises `ReauthenticationNeeded` and
    `NotEnrolled`."""
    require_recent_log_in(session=session, within=FRESH)
    with transaction.atomic():
        authenticator = _locked(tenant, customer)
        if authenticator is None or authenticator.confirmed_at is None:
            raise NotEnrolled
        _announce(notices.take(tenant=tenant, customer=customer), Notice.RECOVERY_CODES_RENEWED, client)
        _codes(tenant, customer).delete()
        return _new_codes(tenant, customer)


def remove(*, tenant: Tenant, customer: Customer, session: Session, client: Client) -> None:
    """Remove the customer's own authenticator and its recovery codes. Raises `ReauthenticationNeeded` and
    `NotEnrolled`."""
    require_recent_log_in(session=session, within=FRESH)
    _remove(tenant, customer, client)


def remove_by_staff(
    *, tenant: Tenant, customer: Customer, staff_username: str, client: Client, reason: str = ""
) -> None:
    """Remove it for a customer who has lost both the app and the recovery codes. Raises `NotEnrolled`."""
    _remove(tenant, customer, client, staff_username=staff_username, reason=reason)


def _enrolled(tenant: Tenant, customer: Customer) -> TenantQuerySet[Authenticator]:
    return Authenticator.objects.for_tenant(tenant).filter(customer=customer).exclude(confirmed_at=None)


def _locked(tenant: Tenant, customer: Customer) -> Authenticator | None:
    """The row, locked: guesses are compared one at a time."""
    return Authenticator.objects.for_tenant(tenant).filter(customer=customer).select_for_update().first()


def _compare(
    authenticator: Authenticator,
    code: str,
    *,
    client: Client | None = None,
    recovery: TenantQuerySet[RecoveryCode] | None = None,
) -> bool:
    """Spend the code, by the first of which the authenticator counts, or count the failure, with the authenticator and
    for the client's device, if the customer has used that. Returns whether the code is right. Raises
    `limits.Throttled`, with nothing counted."""
    tenant, is_first = authenticator.tenant, not authenticator.throttling_failure_count
    on_device = () if is_first else _on_known_device(authenticator, client)
    _check_wait(authenticator, on_device)
    if _spend_step(authenticator, code) if recovery is None else _spend_recovery_code(authenticator, recovery, code):
        if on_device:
            limits.forget_failures(tenant=tenant, attempts=on_device)
        authenticator.confirmed_at = authenticator.confirmed_at or timezone.now()
        authenticator.throttle_reset()
        return True
    if is_first:  # a right code, as nearly all are, never asked for the device
        on_device = _on_known_device(authenticator, client)
    limits.record_failure(tenant=tenant, attempts=on_device)
    authenticator.throttle_increment()
    return False


def _on_known_device(authenticator: Authenticator, client: Client | None) -> tuple[limits.Attempt, ...]:
    """What an attempt counts against on a device that the customer has used; nothing on any other device."""
    tenant, customer = authenticator.tenant, authenticator.customer
    if client is None or not client.is_recognizable:
        return ()
    if not known_devices.is_known(tenant=tenant, client=client, customer=customer):
        return ()
    return limits.of_authenticator(customer_number=customer.number, device=client.device)


def _check_wait(authenticator: Authenticator, on_device: tuple[limits.Attempt, ...]) -> None:
    """Raises `limits.Throttled`. A device that the customer has used waits for its own failures alone."""
    if on_device:
        limits.admit(tenant=authenticator.tenant, attempts=on_device)
        return
    limits.check_wait(
        rule=limits.AUTHENTICATOR_BY_CUSTOMER,
        failures=authenticator.throttling_failure_count,
        failed_at=authenticator.throttling_failure_timestamp,
    )


def _spend_step(authenticator: Authenticator, code: str) -> bool:
    """Whether it is the code of a time step that none was accepted for yet, nor for a later one."""
    secret = decrypt(authenticator.secret_encrypted)
    step = authenticator_apps.step_of(secret=secret, code=code, after=authenticator.last_step)
    authenticator.last_step = step or authenticator.last_step
    return step is not None


def _spend_recovery_code(authenticator: Authenticator, codes: TenantQuerySet[RecoveryCode], code: str) -> bool:
    macs = authenticator_apps.macs(str(authenticator.customer_id), code)
    return codes.filter(code_hmac__in=macs, spent_at=None).update(spent_at=timezone.now()) == 1


def _enrol(before: notices.Before, session: Session, client: Client) -> list[str]:
    tenant, customer = before.tenant, before.customer
    ended = sessions.end_others(tenant=tenant, customer=customer, reason="second_factor_added", except_session=session)
    _announce(before, Notice.SECOND_FACTOR_ADDED, client, also=[EventType.SESSION_ENDED] if ended else ())
    return _new_codes(tenant, customer)


@transaction.atomic
def _remove(tenant: Tenant, customer: Customer, client: Client, *, staff_username: str = "", reason: str = "") -> None:
    before = notices.take(tenant=tenant, customer=customer)
    removed, _ = _enrolled(tenant, customer).delete()
    if not removed:
        raise NotEnrolled
    pending.void(tenant=tenant, customer=customer)
    _codes(tenant, customer).delete()
    _announce(before, Notice.SECOND_FACTOR_REMOVED, client, staff_username=staff_username, reason=reason)


def _announce(
    before: notices.Before,
    what: Notice,
    client: Client,
    *,
    staff_username: str = "",
    reason: str = "",
    also: Sequence[EventType] = (),
) -> None:
    """On the trail, and by mail to the owner. `what` names both."""
    audit.record(
        tenant=before.tenant,
        action=what,
        client=client,
        customer_number=before.customer.number,
        staff_username=staff_username,
        reason=reason,
        also=also,
    )
    notices.tell(before=before, notice=what)


def _first_email(tenant: Tenant, customer: Customer) -> str:
    own = accounts.emails_of_customer(tenant=tenant, customer=customer).filter(is_permitted=True)
    return own.values_list("identifier", flat=True).first() or ""


def _codes(tenant: Tenant, customer: Customer) -> TenantQuerySet[RecoveryCode]:
    return RecoveryCode.objects.for_tenant(tenant).filter(customer=customer)


def _new_codes(tenant: Tenant, customer: Customer) -> list[str]:
    codes = authenticator_apps.new_recovery_codes()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(tenant=tenant, customer=customer, code_hmac=authenticator_apps.mac(str(customer.pk), code))
        for code in codes
    )
    return codes


def _uri(tenant: Tenant, customer: Customer, secret: str) -> str:
    issuer = (tenant.name or tenant.code).replace(":", " ")
    return authenticator_apps.uri(issuer=issuer, label=_first_email(tenant, customer) or customer.number, secret=secret)


def _wrong() -> WrongCode:
    return WrongCode(details=(FieldError(field="code", code="wrong", message="This is not the right code."),))
