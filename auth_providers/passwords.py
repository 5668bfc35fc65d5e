"""Passwords: what a good one is, how it is stored, and logging in with one."""

from functools import lru_cache

from argon2.exceptions import InvalidHashError
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef

from auth_providers import limits, sessions
from auth_providers.models import PASSWORD, Account, AuthProvider, Session
from auth_providers.second_factor_due import NoSecondFactor, SecondFactorDue
from customers.profiles import normalize_email
from tenants import audit
from tenants.clients import Client
from tenants.errors import DomainError, FieldError, InvalidInput, Kind
from tenants.models import Tenant

MAX_LENGTH = 256  # characters, OWASP ASVS 5.0, 6.2.9 asks for at least 64
# Shorter parts of a name are parts of many good passwords, too.
CONTEXT_MIN_LENGTH = 4


class WrongPassword(DomainError):
    """A customer who is logged in gave a wrong current password."""

    kind = Kind.INVALID
    code = "wrong_password"
    default_message = "The password is not right."


class Argon2idHasher(Argon2PasswordHasher):
    """argon2id at OWASP's figures: 19 MiB, two passes, one lane (ASVS 5.0, appendix C; about 30 ms).

    Django's own figures take 100 MiB and seven times as long, which a log-in page can't afford under attack.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def verify(self, password: str, encoded: str) -> bool:
        """A damaged hash, such as an import may bring, fits no password."""
        try:
            return bool(super().verify(password, encoded))
        except InvalidHashError:
            return False

    def must_update(self, encoded: str) -> bool:
        try:
            return bool(super().must_update(encoded))
        except InvalidHashError:
            return False


# Stands in for the hash of an account that does not exist: the work is anybody's, and no password fits.
NOBODYS_PASSWORD = (
    f"argon2$argon2id$v=19$m={Argon2idHasher.memory_cost},t={Argon2idHasher.time_cost},p={Argon2idHasher.parallelism}"
    f"${'nobodysnobodysnobodysw'}${'nobody0' * 6}w"
)


# Fits no password: not a hash (`django.contrib.auth.hashers.is_password_usable`).
NO_PASSWORD = "!"  # noqa: S105


def hash_password(password: str) -> str:
    """The password as it is stored."""
    return make_password(password)


def check_new(*, tenant: Tenant, password: str, context: tuple[str, ...] = (), field: str = "password") -> None:
    """Raises `InvalidInput` on `field` unless the tenant's policy accepts the password (OWASP ASVS 5.0, 6.2).

    `context` is what an attacker would try first: the e-mail address, the names.
    """
    if len(password) < tenant.password_min_length:
        raise InvalidInput.field(
            field, f"A password has at least {tenant.password_min_length} characters.", code="min_length"
        )
    if len(password) > MAX_LENGTH:
        raise InvalidInput.field(field, f"A password has at most {MAX_LENGTH} characters.", code="max_length")
    if not tenant.is_common_password_refused:
        return
    if _is_common(password):
        raise InvalidInput.field(field, "This password is too common.", code="too_common")
    if _is_contextual(password, (*context, tenant.code, tenant.name)):
        raise InvalidInput.field(field, "This password is too easy to guess for this account.", code="too_similar")


@lru_cache(maxsize=1)
def _common_passwords() -> CommonPasswordValidator:
    path = settings.REFUSED_PASSWORDS_FILE
    return CommonPasswordValidator(path) if path else CommonPasswordValidator()


def _is_common(password: str) -> bool:
    try:
        _common_passwords().validate(password)
    except ValidationError:
        return True
    return False


def _is_contextual(password: str, context: tuple[str, ...]) -> bool:
    """Whether the password is one of the words in `context` with little else around it."""
    lowered = password.lower()
    words = {word.lower() for text in context for word in (text, *text.split("@"), *text.split()) if word}
    return any(
        len(word) >= CONTEXT_MIN_LENGTH and word in lowered and len(lowered) - len(word) < CONTEXT_MIN_LENGTH
        for word in words
    )


def log_in(
    *,
    tenant: Tenant,
    email: str,
    password: str,
    issue: sessions.Issue,
    client: Client,
    continuing: Session | None = None,
) -> sessions.Started:
    """Log a customer in by e-mail and password.

    `continuing` is the anonymous session that becomes the customer's. Raises `limits.Throttled`, `SecondFactorDue` and
    `NoSecondFactor` after the right password, and `sessions.LogInRefused` for every other reason, after the same work
    (OWASP ASVS 5.0, 6.3.8).
    """
    identifier = normalize_email(email)
    account, is_device_known = _find_account(tenant, identifier, client)
    attempts = _attempts(identifier, client, is_device_known=is_device_known)
    has_failures = limits.admit(tenant=tenant, attempts=attempts)
    try:
        started = sessions.start(
            tenant=tenant,
            account=_verified(tenant, account, password, client),
            method=PASSWORD,
            issue=issue,
            client=client,
            continuing=continuing,
            is_device_known=is_device_known,
        )
    except sessions.LogInRefused:
        limits.record_failure(tenant=tenant, attempts=attempts)
        raise
    except (SecondFactorDue, NoSecondFactor):  # the password is right; guesses at the other one count on their own
        if has_failures:
            limits.forget_failures(tenant=tenant, attempt=attempts[0])
        raise
    if has_failures:
        limits.forget_failures(tenant=tenant, attempt=attempts[0])
    return started


def verify_own(
    *, tenant: Tenant, account: Account | None, password: str, client: Client, field: str = "password"
) -> Account:
    """The account, when the password is its own. Raises `WrongPassword` on `field`, and `limits.Throttled`.

    It counts like a log-in: a stolen session must not be a way to guess the password.
    """
    identifier = account.identifier if account else ""
    attempts = _attempts(identifier, client, is_device_known=True)
    has_failures = limits.admit(tenant=tenant, attempts=attempts)
    if not check_password(password, account.password if account else NOBODYS_PASSWORD) or account is None:
        limits.record_failure(tenant=tenant, attempts=attempts)
        raise WrongPassword(details=(FieldError(field=field, code="wrong", message="This is not your password."),))
    if has_failures:
        limits.forget_failures(tenant=tenant, attempt=attempts[0])
    return account


def _find_account(tenant: Tenant, identifier: str, client: Client) -> tuple[Account | None, bool]:
    """The account, whether its customer has used this device before, and whether the tenant has switched passwords off
    (`is_switched_off` of the account), in one statement."""
    known = audit.known_device_events(tenant=tenant, client=client)
    switched_off = AuthProvider.objects.for_tenant(tenant).filter(kind=PASSWORD, is_enabled=False)
    account = (
        Account.objects.for_tenant(tenant)
        .filter(provider=PASSWORD, identifier=identifier)
        .select_related("customer")
        .annotate(
            is_device_known=Exists(known.filter(customer_number=OuterRef("customer__number"))),
            is_switched_off=Exists(switched_off),
        )
        .first()
    )
    return (account, bool(account.is_device_known)) if account else (None, False)


def _attempts(identifier: str, client: Client, *, is_device_known: bool) -> tuple[limits.Attempt, ...]:
    """What this log-in counts against: the account, seen from this device or from any other, and the address.

    An address that others guess from does not keep a customer out who has been there before.
    """
    device = client.device if is_device_known else ""
    by_account = limits.Attempt(rule=limits.LOG_IN_BY_ACCOUNT, subject=f"{identifier}\n{device}")
    if not client.address:
        return (by_account,)
    return (by_account, _by_address(client, is_enforced=not is_device_known))


def _by_address(client: Client, *, is_enforced: bool) -> limits.Attempt:
    return limits.Attempt(rule=limits.LOG_IN_BY_ADDRESS, subject=client.subscriber, is_enforced=is_enforced)


def _verified(tenant: Tenant, account: Account | None, password: str, client: Client) -> Account:
    """The account, when the password is its own, else `sessions.LogInRefused`. One hash is computed either way."""

    def rehash(raw: str) -> None:
        if account is not None:
            Account.objects.for_tenant(tenant).filter(pk=account.pk, password=account.password).update(
                password=hash_password(raw)
            )

    is_right = check_password(password, account.password if account else NOBODYS_PASSWORD, setter=rehash)
    is_switched_off = bool(getattr(account, "is_switched_off", False))
    if account is None or not is_right or is_switched_off:
        wrong = "switched off" if is_switched_off else "wrong password"
        sessions.refuse(
            tenant=tenant,
            client=client,
            method=PASSWORD,
            reason=wrong if account else "unknown e-mail",
            customer_number=account.customer.number if account else "",
        )
    return account
