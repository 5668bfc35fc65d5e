"""Tokens by mail: each proves that its receiver reads a mailbox, once, for one purpose, for a while."""

from datetime import datetime, timedelta
from typing import NotRequired, TypedDict

from django.db.models import Q
from django.utils import timezone

from auth_providers.accounts import pending, undoable_changes
from auth_providers.models import Account, MailedToken, Session, UndoableChange
from customers.models import Customer
from tenants.errors import DomainError, FieldError, Kind, Reason
from tenants.models import Tenant, TenantQuerySet
from tenants.secrets.random_tokens import digest, new_token

# From the moment the mail is handed over, not from the request: a mail server that is down uses none of it up.
LIFETIMES = {
    MailedToken.Purpose.OPT_IN: timedelta(days=2),
    MailedToken.Purpose.PASSWORD_RESET: timedelta(hours=1),
    MailedToken.Purpose.EMAIL_CHANGE: timedelta(hours=24),
    MailedToken.Purpose.DELETION: timedelta(hours=24),
    MailedToken.Purpose.UNDO: undoable_changes.LIFETIME,
}

# These prove that the address is its reader's, and not that of somebody who put it on a profile without a proof: they
# stay valid whatever is done to that profile.
IS_ANOTHERS_PROOF = Q(purpose=MailedToken.Purpose.PASSWORD_RESET, account__verified_at=None) | Q(
    purpose=MailedToken.Purpose.OPT_IN, details__pending_sign_up__gt=0
)


class EmailChange(TypedDict):
    """What a token of an e-mail change confirms: the new address, and whether the contact e-mail follows it. `shown_in`
    is the session that it was shown in, "" for none."""

    email: str
    is_contact_email_synced: bool
    shown_in: NotRequired[str]


class OptIn(TypedDict):
    """What the link of an opt-in belongs to: the account's own sign-up (`is_own`), or the session that asked for it, ""
    for none; and the sign-up, or the additional log-in, that waits for it, 0 for none. `email` is the latter's
    address."""

    is_own: bool
    session: str
    pending_sign_up: int
    pending_log_in: int
    email: str


class InvalidMailedToken(DomainError):
    """Unknown, spent, expired, of another purpose or another tenant: the caller learns no more than this."""

    kind = Kind.INVALID
    reason = Reason.INVALID_MAILED_TOKEN
    default_message = "The token is not valid."


def issue(*, account: Account, purpose: MailedToken.Purpose, details: EmailChange | OptIn | None = None) -> str:
    """Make a token for the account's owner and return it in plain; only its hash is kept. `details` are stored with it,
    for what it confirms."""
    return _issue(MailedToken(tenant_id=account.tenant_id, purpose=purpose, account=account, details=details or {}))


def issue_undo(*, change: UndoableChange) -> str:
    """Make a token that undoes the change and return it in plain; only its hash is kept.

    It belongs to no account, so that nothing that voids an account's tokens voids it: that would be the first thing
    that an intruder does."""
    return _issue(MailedToken(tenant_id=change.tenant_id, purpose=MailedToken.Purpose.UNDO, change=change))


def _issue(mailed: MailedToken) -> str:
    token = new_token()
    mailed.token_hash = digest(token)
    mailed.expires_at = timezone.now() + LIFETIMES[MailedToken.Purpose(mailed.purpose)]
    mailed.save(force_insert=True)
    return token


def spend(*, tenant: Tenant, purpose: MailedToken.Purpose, token: str) -> MailedToken:
    """Use the token up, and with it every other one of the account, but for those of sign-ups with an address that is
    about to be left to them. Raises `InvalidMailedToken`.

    Call it in the transaction of what it proves: should that fail, the token stays good.
    """
    mailed = find_locked(tenant=tenant, purpose=purpose, token=token)
    is_left = purpose == MailedToken.Purpose.EMAIL_CHANGE and not mailed.owner.is_verified
    pending.void_for(tenant=tenant, account=mailed.owner, keeps_sign_ups=is_left)
    return mailed


def find_change(*, tenant: Tenant, token: str) -> UndoableChange:
    """The change that the token undoes, with its customer; the token stays good until the change is undone. Raises
    `InvalidMailedToken`."""
    mailed = (
        MailedToken.objects.for_tenant(tenant)
        .filter(purpose=MailedToken.Purpose.UNDO, token_hash=digest(token), expires_at__gt=timezone.now())
        .filter(change__customer__erased_at=None)
        .select_related("change__customer")
        .first()
    )
    if mailed is None or mailed.change is None:
        raise _invalid()
    return mailed.change


def opt_in_of(mailed: MailedToken) -> OptIn:
    """What a token of an opt-in belongs to."""
    kept = mailed.details
    return OptIn(
        is_own=kept.get("is_own", False),
        session=kept.get("session", ""),
        pending_sign_up=kept.get("pending_sign_up", 0),
        pending_log_in=kept.get("pending_log_in", 0),
        email=kept.get("email", ""),
    )


def is_void(
    *, account: Account, purpose: MailedToken.Purpose, details: EmailChange | OptIn | None, asked_at: datetime
) -> bool:
    """Whether a token that was asked for at that moment has become void (`pending`)."""
    pending.heed_clock(tenant=account.tenant, customer=account.customer)
    is_anothers_proof = (purpose == MailedToken.Purpose.PASSWORD_RESET and not account.is_verified) or bool(
        details and details.get("pending_sign_up")
    )
    return not is_anothers_proof and pending.is_void(customer=account.customer, began_at=asked_at)


def find(*, tenant: Tenant, purpose: MailedToken.Purpose, token: str) -> MailedToken:
    """The row of this token, if it is good, with its account and customer; nothing is spent. Raises
    `InvalidMailedToken`."""
    good = _good(tenant, purpose).filter(token_hash=digest(token), account__customer__erased_at=None)
    mailed = good.select_related("account__customer").first()
    if mailed is None:
        raise _invalid()
    return mailed


def find_locked(*, tenant: Tenant, purpose: MailedToken.Purpose, token: str) -> MailedToken:
    """The row of this token, if it is good, locked, with its account and customer. Raises `InvalidMailedToken`."""
    mailed = (
        _good(tenant, purpose)
        .filter(token_hash=digest(token), account__customer__erased_at=None)
        .select_related("account__customer")
        .select_for_update(of=("self",))
        .first()
    )
    if mailed is None:
        raise _invalid()
    return mailed


def is_known(*, tenant: Tenant, purpose: MailedToken.Purpose, token: str) -> bool:
    """Whether this token was mailed for this purpose, be it good or not."""
    return MailedToken.objects.for_tenant(tenant).filter(purpose=purpose, token_hash=digest(token)).exists()


def mark_used(*, tenant: Tenant, mailed: MailedToken) -> None:
    """Keep that the token was accepted, for `find_used`."""
    now = timezone.now()
    MailedToken.objects.for_tenant(tenant).filter(pk=mailed.pk).update(spent_at=now, used_at=now)


def mark_shown(*, tenant: Tenant, mailed: MailedToken, session: Session | None) -> None:
    """Keep that a token of an e-mail change was accepted, and in which session it was shown."""
    now, shown = timezone.now(), mailed.details | {"shown_in": str(session.pk) if session else ""}
    MailedToken.objects.for_tenant(tenant).filter(pk=mailed.pk).update(spent_at=now, used_at=now, details=shown)


def was_shown_in(*, account: Account, session: Session) -> bool:
    """Whether the token that moved the account to its address was shown in this session."""
    shown = MailedToken.objects.for_tenant(account.tenant).filter(
        account=account, details__email=account.identifier, details__shown_in=str(session.pk)
    )
    return shown.exists()


def find_used(*, tenant: Tenant, purpose: MailedToken.Purpose, token: str) -> tuple[Account, datetime] | None:
    """The account of a token that was accepted before, and when it was; None for every other token."""
    used = MailedToken.objects.for_tenant(tenant).filter(purpose=purpose, token_hash=digest(token))
    mailed = used.filter(account__customer__erased_at=None).select_related("account__customer").first()
    return (mailed.owner, mailed.used_at) if mailed and mailed.used_at else None


def spend_own(*, tenant: Tenant, purpose: MailedToken.Purpose, token: str, customer: Customer) -> None:
    """Use up a token that was mailed to this customer. Raises `InvalidMailedToken`, also for another customer's."""
    mine = _good(tenant, purpose).filter(account__customer=customer, token_hash=digest(token))
    if not mine.update(spent_at=timezone.now()):
        raise _invalid()


def _good(tenant: Tenant, purpose: MailedToken.Purpose) -> TenantQuerySet[MailedToken]:
    good = MailedToken.objects.for_tenant(tenant).filter(purpose=purpose, spent_at=None, expires_at__gt=timezone.now())
    return good.filter(pending.BEGAN_AFTER_THE_LAST_VOIDING | IS_ANOTHERS_PROOF)


def _invalid() -> InvalidMailedToken:
    return InvalidMailedToken(details=(FieldError(field="token", code="invalid", message="Not a valid token."),))
