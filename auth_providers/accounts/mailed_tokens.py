"""Tokens by mail: each proves that its receiver reads a mailbox, once, for one purpose, for a while."""

from datetime import timedelta
from typing import TypedDict

from django.utils import timezone

from auth_providers.models import Account, Challenge
from customers.models import Customer
from tenants.errors import DomainError, FieldError, Kind, Reason
from tenants.models import Tenant, TenantQuerySet
from tenants.random_tokens import digest, new_token

# From the moment the mail is handed over, not from the request: a mail server that is down uses none of it up.
LIFETIMES = {
    Challenge.Purpose.OPT_IN: timedelta(days=2),
    Challenge.Purpose.PASSWORD_RESET: timedelta(hours=1),
    Challenge.Purpose.EMAIL_CHANGE: timedelta(hours=24),
    Challenge.Purpose.DELETION: timedelta(hours=24),
}


class EmailChange(TypedDict):
    """What a token of an e-mail change confirms: the new address, and whether the contact e-mail follows it."""

    email: str
    is_contact_email_synced: bool


class InvalidChallenge(DomainError):
    """Unknown, spent, expired, of another purpose or another tenant: the caller learns no more than this."""

    kind = Kind.INVALID
    reason = Reason.INVALID_CHALLENGE
    default_message = "The token is not valid."


def issue(*, account: Account, purpose: Challenge.Purpose, details: EmailChange | None = None) -> str:
    """Make a token for the account's owner and return it in plain; only its hash is kept. `details` are stored with it,
    for what it confirms."""
    token = new_token()
    Challenge(
        tenant_id=account.tenant_id,
        purpose=purpose,
        account=account,
        token_hash=digest(token),
        details=details or {},
        expires_at=timezone.now() + LIFETIMES[purpose],
    ).save(force_insert=True)
    return token


def spend(*, tenant: Tenant, purpose: Challenge.Purpose, token: str) -> Challenge:
    """Use the token up, and with it every other one of the account. Raises `InvalidChallenge`.

    Call it in the transaction of what it proves: should that fail, the token stays good.
    """
    challenge = find_locked(tenant=tenant, purpose=purpose, token=token)
    void_all(tenant=tenant, account=challenge.account)
    return challenge


def void_all(*, tenant: Tenant, account: Account) -> None:
    """Spend every token of the account: what was mailed before a password or an address changed is good no more."""
    Challenge.objects.for_tenant(tenant).filter(account=account, spent_at=None).update(spent_at=timezone.now())


def find_locked(*, tenant: Tenant, purpose: Challenge.Purpose, token: str) -> Challenge:
    """The good challenge of this token with its account and customer, its row locked. Raises `InvalidChallenge`."""
    challenge = (
        _good(tenant, purpose)
        .filter(token_hash=digest(token), account__customer__erased_at=None)
        .select_related("account__customer")
        .select_for_update(of=("self",))
        .first()
    )
    if challenge is None:
        raise _invalid()
    return challenge


def spend_own(*, tenant: Tenant, purpose: Challenge.Purpose, token: str, customer: Customer) -> None:
    """Use up a token that was mailed to this customer. Raises `InvalidChallenge`, also for another customer's."""
    mine = _good(tenant, purpose).filter(account__customer=customer, token_hash=digest(token))
    if not mine.update(spent_at=timezone.now()):
        raise _invalid()


def _good(tenant: Tenant, purpose: Challenge.Purpose) -> TenantQuerySet[Challenge]:
    return Challenge.objects.for_tenant(tenant).filter(purpose=purpose, spent_at=None, expires_at__gt=timezone.now())


def _invalid() -> InvalidChallenge:
    return InvalidChallenge(details=(FieldError(field="token", code="invalid", message="Not a valid token."),))
