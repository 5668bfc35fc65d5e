"""Logging in with e-mail and password, and showing one's own password again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts import accounts, dummy_hashes, known_devices, passwords
from auth_providers.accounts.hashing import Asker
from auth_providers.models import PASSWORD, Account, Attempts, AuthProvider
from auth_providers.models.accounts import today
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from auth_providers.tokens.second_factor_policy import NoSecondFactor, SecondFactorDue
from customers.spelling.emails import normalize_email
from tenants import clocks
from tenants.clients import Client
from tenants.compiled.queries import compiled, together
from tenants.errors import DomainError, FieldError, Kind, Reason
from tenants.models import Tenant, TenantQuerySet
from tenants.trail import audit

# A customer earns an address more failures no oftener than this.
REGULAR = timedelta(hours=1)


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
    account, counted = _look_up(tenant, identifier, attempt.client)
    attempt = replace(
        attempt,
        method=PASSWORD,
        is_device_known=_first_seen(account) is not None,
        is_device_noted=getattr(account, "last_seen", None) == today(),
    )
    attempts = limits.of_log_in(identifier=identifier, client=attempt.client, is_device_known=attempt.is_device_known)
    try:
        on_record = limits.admit(tenant=tenant, attempts=attempts, counted=counted)
    except limits.Throttled:
        _note_wait(attempt, account, attempts)
        raise
    try:
        started = sessions.start(attempt=attempt, account=_verified(attempt, account, identifier, password))
    except sessions.LogInRefused:
        _record_failure(tenant, identifier, password, attempts)
        raise
    except (SecondFactorDue, NoSecondFactor):  # the password is right; guesses at the other one count on their own
        limits.record_success(tenant=tenant, attempts=attempts, on_record=on_record)
        raise
    limits.record_success(tenant=tenant, attempts=attempts, on_record=on_record, is_earning=_is_regular(account))
    return started


def verify_own(
    *, tenant: Tenant, account: Account | None, password: str, client: Client, field: str = "password"
) -> Account:
    """The account, when the password is its own. Raises `WrongPassword` on `field`, and `limits.Throttled`.

    A stolen session must not be a way to guess the password.
    """
    identifier = account.identifier if account else ""
    attempts = limits.of_own_password(identifier=identifier, client=client)
    on_record = limits.admit(tenant=tenant, attempts=attempts)
    if not _fits(tenant, account, identifier, password, Asker.of(client, is_known=True)) or account is None:
        _record_failure(tenant, identifier, password, attempts)
        raise WrongPassword(details=(FieldError(field=field, code="wrong", message="This is not your password."),))
    limits.record_success(tenant=tenant, attempts=attempts, on_record=on_record)
    return account


def forget_guesses(*, tenant: Tenant, account: Account, client: Client) -> None:
    """The account has another password: what was tried before says nothing about it."""
    unknown = limits.of_log_in(identifier=account.identifier, client=client, is_device_known=False)
    own = limits.of_own_password(identifier=account.identifier, client=client)
    limits.forget_failures(tenant=tenant, attempts=[*unknown, *own])


def switched_off(*, tenant: Tenant) -> TenantQuerySet[AuthProvider]:
    """The row that switches passwords off, where there is one."""
    return AuthProvider.objects.for_tenant(tenant).filter(kind=PASSWORD, is_enabled=False)


def _note_wait(attempt: LogInAttempt, account: Account | None, attempts: Sequence[limits.Attempt]) -> None:
    """One line on the trail for each wait: staff are asked why the right password does not help."""
    if limits.note_wait(tenant=attempt.tenant, attempts=attempts):
        audit.record(
            tenant=attempt.tenant,
            action=audit.LOG_IN,
            client=attempt.client,
            customer_number=account.customer.number if account else "",
            method=attempt.method,
            is_success=False,
            reason="too many failures, on a known device" if attempt.is_device_known else "too many failures",
        )


def _look_up(tenant: Tenant, identifier: str, client: Client) -> tuple[Account | None, list[Attempts]]:
    """The account, with the days on which its customer first and last used this device (`_first_seen`, `last_seen`) and
    whether the tenant has switched passwords off (`is_switched_off`), and what is on record of attempts to log in to
    it: in one round trip."""
    possible = limits.of_any_log_in(identifier=identifier, client=client)
    found, counted = together(
        _accounts.asked(tenant=tenant, email=identifier, device=client.device),
        limits.asked(tenant=tenant, attempts=possible),
    )
    return next(iter(found), None), counted


@compiled
def _accounts(*, tenant: Tenant, email: str, device: str) -> QuerySet[Account]:
    known = known_devices.of_device(tenant=tenant, device=device).filter(customer=OuterRef("customer"))
    return accounts.with_email(tenant=tenant, email=email).annotate(
        first_seen=Subquery(known.values("first_seen_date")),
        last_seen=Subquery(known.values("last_seen_date")),
        is_switched_off=Exists(switched_off(tenant=tenant)),
    )


def _first_seen(account: Account | None) -> date | None:
    """When this device was used first; None when it is not known."""
    return getattr(account, "first_seen", None)


def _is_regular(account: Account | None) -> bool:
    """Whether the log-in is one of those by which an address with many customers is known: the first one in an hour, on
    a device that was known the day before. Accounts made for the purpose earn an attacker little."""
    now, first_seen = timezone.now(), _first_seen(account)
    if account is None or first_seen is None or first_seen >= now.date():
        return False
    last = account.customer.last_login_at
    return last is None or not clocks.was_within(last, REGULAR, now)


def _record_failure(tenant: Tenant, identifier: str, password: str, attempts: Sequence[limits.Attempt]) -> None:
    if not limits.is_repeated(tenant=tenant, identifier=identifier, password=password):
        limits.record_failure(tenant=tenant, attempts=attempts)


def _verified(attempt: LogInAttempt, account: Account | None, identifier: str, password: str) -> Account:
    """The account, when the password is its own, else `sessions.LogInRefused`. As many hashes are computed for an
    account as for none."""
    asker = Asker.of(attempt.client, is_known=attempt.is_device_known)
    is_right = _fits(attempt.tenant, account, identifier, password, asker)
    is_switched_off = bool(getattr(account, "is_switched_off", False))
    if account is None or not is_right or is_switched_off:
        wrong = "switched off" if is_switched_off else "wrong password"
        sessions.refuse(
            attempt=attempt,
            reason=wrong if account else "unknown e-mail",
            customer_number=account.customer.number if account else "",
        )
    return account


def _fits(tenant: Tenant, account: Account | None, identifier: str, password: str, asker: Asker) -> bool:
    """Whether the account has this password, with the same work when there is no account, or none with a password."""
    own = account if account and account.has_password else None
    dummy = dummy_hashes.choose(tenant=tenant, identifier=identifier)  # in any case: it may take a statement

    def store_again(right: str) -> None:
        if own is not None:
            password_hash = passwords.hash_password(right, asker=asker)
            accounts.replace_password_hash(tenant=tenant, account=own, password_hash=password_hash)

    password_hash = own.password if own else dummy
    is_right = passwords.is_right(password=password, password_hash=password_hash, store_again=store_again, asker=asker)
    return is_right and own is not None
