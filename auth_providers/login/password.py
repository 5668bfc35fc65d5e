"""Logging in with e-mail and password, and showing one's own password again."""

from dataclasses import replace

from django.db.models import Exists, OuterRef, QuerySet

from auth_providers import limits
from auth_providers.accounts import accounts, known_devices, passwords
from auth_providers.accounts.hashing import Asker
from auth_providers.models import PASSWORD, Account, AuthProvider
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from auth_providers.tokens.second_factor_policy import NoSecondFactor, SecondFactorDue
from customers.spelling.emails import normalize_email
from tenants.clients import Client
from tenants.compiled.queries import compiled
from tenants.errors import DomainError, FieldError, Kind, Reason
from tenants.models import Tenant


class WrongPassword(DomainError):
    """A customer who is logged in gave a wrong current password."""

    kind = Kind.INVALID
    reason = Reason.WRONG_PASSWORD
    default_message = "The password is not right."


def log_in(
    *,
    attempt: LogInAttempt,
    email: str,
    password: str,
) -> sessions.Started:
    """Log a customer in by e-mail and password.

    Raises `limits.Throttled`, `hashing.Overloaded`, `SecondFactorDue` and
    `NoSecondFactor` after the right password, and `sessions.LogInRefused` for every other reason, after the same work
    (OWASP ASVS 5.0, 6.3.8).
    """
    identifier = normalize_email(email)
    tenant = attempt.tenant
    account, is_device_known = _find_account(tenant, identifier, attempt.client)
    attempt = replace(attempt, method=PASSWORD, is_device_known=is_device_known)
    attempts = _attempts(identifier, attempt.client, is_device_known=is_device_known)
    has_failures = limits.admit(tenant=tenant, attempts=attempts)
    try:
        started = sessions.start(attempt=attempt, account=_verified(attempt, account, password))
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

    It counts like a log-in: a stolen session must not allow guessing the password.
    """
    identifier = account.identifier if account else ""
    attempts = _attempts(identifier, client, is_device_known=True)
    has_failures = limits.admit(tenant=tenant, attempts=attempts)
    asker = Asker.of(client, is_known=True)
    if not _fits(tenant, account, password, asker) or account is None:
        limits.record_failure(tenant=tenant, attempts=attempts)
        raise WrongPassword(details=(FieldError(field=field, code="wrong", message="This is not your password."),))
    if has_failures:
        limits.forget_failures(tenant=tenant, attempt=attempts[0])
    return account


def _find_account(tenant: Tenant, identifier: str, client: Client) -> tuple[Account | None, bool]:
    """The account, whether its customer has used this device before, and whether the tenant has switched passwords off
    (`is_switched_off` of the account), in one statement."""
    account = _accounts.first(tenant=tenant, email=identifier, device=client.device)
    return (account, bool(account.is_device_known)) if account else (None, False)  # type: ignore[attr-defined]


@compiled
def _accounts(*, tenant: Tenant, email: str, device: str) -> QuerySet[Account]:
    known = known_devices.of_device(tenant=tenant, device=device)
    switched_off = AuthProvider.objects.for_tenant(tenant).filter(kind=PASSWORD, is_enabled=False)
    return accounts.with_email(tenant=tenant, email=email).annotate(
        is_device_known=Exists(known.filter(customer=OuterRef("customer"))),
        is_switched_off=Exists(switched_off),
    )


def _attempts(identifier: str, client: Client, *, is_device_known: bool) -> tuple[limits.Attempt, ...]:
    """What this log-in counts against: the account, seen from this device or from any other, and the address.

    Others who guess from an address do not keep out a customer who has logged in from there before.
    """
    device = client.device if is_device_known else ""
    by_account = limits.Attempt(rule=limits.LOG_IN_BY_ACCOUNT, subject=f"{identifier}\n{device}")
    if not client.address:
        return (by_account,)
    return (by_account, _by_address(client, is_enforced=not is_device_known))


def _by_address(client: Client, *, is_enforced: bool) -> limits.Attempt:
    return limits.Attempt(rule=limits.LOG_IN_BY_ADDRESS, subject=client.subscriber, is_enforced=is_enforced)


def _verified(attempt: LogInAttempt, account: Account | None, password: str) -> Account:
    """The account, when the password is its own, else `sessions.LogInRefused`. As many hashes are computed for an
    account as for none."""
    asker = Asker.of(attempt.client, is_known=attempt.is_device_known)
    is_right = _fits(attempt.tenant, account, password, asker)
    is_switched_off = bool(getattr(account, "is_switched_off", False))
    if account is None or not is_right or is_switched_off:
        wrong = "switched off" if is_switched_off else "wrong password"
        sessions.refuse(
            attempt=attempt,
            reason=wrong if account else "unknown e-mail",
            customer_number=account.customer.number if account else "",
        )
    return account


def _fits(tenant: Tenant, account: Account | None, password: str, asker: Asker) -> bool:
    """Whether the account has this password, with the same work when there is none."""

    def store_again(right: str) -> None:
        if account is not None:
            password_hash = passwords.hash_password(right, asker=asker)
            accounts.replace_password_hash(tenant=tenant, account=account, password_hash=password_hash)

    password_hash = account.password if account else passwords.NOBODYS_PASSWORD
    return passwords.is_right(password=password, password_hash=password_hash, store_again=store_again, asker=asker)
