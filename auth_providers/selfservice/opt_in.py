"""Confirming an account by a link in a mail: before it may be logged in with (double opt-in), or beside that.

The link belongs to the sign-up, or to the session, that it was mailed for: what was set there stays, and everything
else that was set without a proof goes (`accounts.verification`).
"""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts import accounts, mailed_tokens, notices, verification
from auth_providers.models import PASSWORD, Account, MailedToken, Session
from auth_providers.selfservice import log_in_limit, pending_sign_ups
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from customers.spelling.emails import normalize_email
from tenants import clocks
from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant
from tenants.outbox import queue
from tenants.outbox.queue import MessageContext

# Clients repeat a request whose answer got lost, and people click twice.
REPEAT_WINDOW = timedelta(seconds=30)
TEMPLATE = "opt_in"
ADDITIONAL_TEMPLATE = "additional_log_in"


class AlreadyConfirmed(DomainError):
    """The same link was followed before, longer than `REPEAT_WINDOW` ago, or the session from then has ended."""

    kind = Kind.INVALID
    reason = Reason.ALREADY_CONFIRMED
    default_message = "This has been confirmed already."


def ask(*, tenant: Tenant, account: Account) -> None:
    """Write the mail with the link of the account's own sign-up, in the caller's transaction."""
    _enqueue(tenant, account, TEMPLATE, {"is_own": True})


def ask_for_pending(*, tenant: Tenant, account: Account, pending_sign_up_id: int) -> None:
    """Write the mail with the link of a sign-up that waits, in the caller's transaction."""
    _enqueue(tenant, account, TEMPLATE, {"pending_sign_up": pending_sign_up_id})


def ask_for_additional(*, tenant: Tenant, account: Account) -> None:
    """Write the mail with the link of an additional log-in, in the caller's transaction."""
    _enqueue(tenant, account, ADDITIONAL_TEMPLATE, {})


def ask_for_pending_log_in(*, tenant: Tenant, account: Account, email: str, pending_log_in_id: int) -> None:
    """Write the mail with the link of an additional log-in that waits, in the caller's transaction. `account` is its
    customer's own."""
    context = {"account": account.pk, "pending_log_in": pending_log_in_id}
    _enqueue(tenant, account, ADDITIONAL_TEMPLATE, context, recipient=email)


def _enqueue(tenant: Tenant, account: Account, template: str, context: MessageContext, *, recipient: str = "") -> None:
    customer = account.customer
    queue.enqueue(
        tenant=tenant,
        template=template,
        recipient=recipient or account.identifier,
        context=context,
        language=customer.preferred_language,
        site=customer.preferred_site,
    )


def resend(*, tenant: Tenant, email: str, client: Client, session_id: UUID | None = None) -> None:
    """Ask for the mail again, from this session. Whether anyone waits for it shows neither here nor in the time it
    takes.

    Raises `limits.Throttled`.
    """
    identifier = normalize_email(email)
    limits.spend_mail(tenant=tenant, destination=identifier, kind=TEMPLATE, client=client)
    context = {"session": str(session_id or "")}
    queue.enqueue(tenant=tenant, template=TEMPLATE, recipient=identifier, context=context)


def confirm(*, attempt: LogInAttempt, token: str, caller: Session | None = None) -> sessions.Started:
    """Confirm the account that the token was mailed for and log its customer in.

    `caller` is the session that the token is shown in: an additional log-in becomes its customer's only there; shown in
    any other session, it proves that the mailbox is somebody else's, who becomes a new customer. Raises
    `mailed_tokens.InvalidMailedToken`, `sessions.LogInRefused` for a customer who may not log in all the same, and what
    `sessions.start` raises where a second factor is due: the account is confirmed then, too. The same token logs in
    again for `REPEAT_WINDOW`; after that it raises `AlreadyConfirmed`.
    """
    account = accept(tenant=attempt.tenant, token=token, client=attempt.client, caller=caller)
    proven = replace(attempt, method=PASSWORD, note="opt-in confirmed", is_mailbox_proof=True)
    return sessions.start(attempt=proven, account=account)


def accept(*, tenant: Tenant, token: str, client: Client, caller: Session | None = None) -> Account:
    """Confirm the account that the token was mailed for, as `confirm` does, without a log-in, and return it. Raises
    `mailed_tokens.InvalidMailedToken` and `AlreadyConfirmed`."""
    try:
        return _confirm(tenant, token, client, caller)
    except mailed_tokens.InvalidMailedToken:
        confirmed = _find_confirmed(tenant, token)
        if confirmed is None:
            raise
        return confirmed


def is_used(*, tenant: Tenant, token: str) -> bool:
    """Whether this very token has confirmed an account."""
    return mailed_tokens.find_used(tenant=tenant, purpose=MailedToken.Purpose.OPT_IN, token=token) is not None


def is_additional(mailed: MailedToken) -> bool:
    """Whether the token is good together with a session of a profile's owner only: it is about a log-in that was added
    to the profile, and not about a sign-up with the same address."""
    link = mailed_tokens.opt_in_of(mailed)
    return bool(link["pending_log_in"]) or (mailed.owner.is_additional and not link["pending_sign_up"])


def subject_of(*, tenant: Tenant, mailed: MailedToken) -> str:
    """The address that the token is about. Raises `mailed_tokens.InvalidMailedToken`."""
    waiting = mailed_tokens.opt_in_of(mailed)["pending_log_in"]
    if not waiting:
        return str(mailed.owner)
    pending = pending_sign_ups.find(tenant=tenant, account=mailed.owner, pk=waiting)
    if pending is None:
        raise mailed_tokens.InvalidMailedToken
    return pending.email


@transaction.atomic
def _confirm(tenant: Tenant, token: str, client: Client, caller: Session | None) -> Account:
    mailed = mailed_tokens.find_locked(tenant=tenant, purpose=MailedToken.Purpose.OPT_IN, token=token)
    account, link = mailed.owner, mailed_tokens.opt_in_of(mailed)
    if link["pending_log_in"]:
        return _add_log_in(tenant, mailed, client, caller)
    if account.is_verified:  # another of the account's tokens was used: they are all spent
        raise mailed_tokens.InvalidMailedToken
    pending = pending_sign_ups.find(tenant=tenant, account=account, pk=link["pending_sign_up"])
    if link["pending_sign_up"] and pending is None:
        raise mailed_tokens.InvalidMailedToken
    before = notices.take(tenant=tenant, customer=account.customer) if account.is_additional else None
    try:
        verified = verification.verify(
            tenant=tenant,
            account=account,
            by=Account.Proof.LINK,
            client=client,
            is_own=link["is_own"] and not account.is_additional,
            session_id=None if pending else _session_of_proof(account, link, caller),
            number=pending.number if pending else "",
        )
    except verification.AccountGone as error:
        raise mailed_tokens.InvalidMailedToken from error
    if pending is not None:
        pending_sign_ups.apply(tenant=tenant, account=verified, pending=pending, client=client)
    if before is not None and verified.customer_id == before.customer.pk:  # and not that of somebody new
        notices.tell(before=before, notice=notices.Notice.LOG_IN_ADDED, context={"email": verified.identifier})
    mailed_tokens.mark_used(tenant=tenant, mailed=mailed)
    return verified


def _add_log_in(tenant: Tenant, mailed: MailedToken, client: Client, caller: Session | None) -> Account:
    """The additional log-in that waited, which is its customer's now."""
    own, link = mailed.owner, mailed_tokens.opt_in_of(mailed)
    customer = own.customer
    pending = pending_sign_ups.find(tenant=tenant, account=own, pk=link["pending_log_in"])
    if pending is None or caller is None or caller.customer_id != customer.pk:
        raise mailed_tokens.InvalidMailedToken
    verification.release(tenant=tenant, email=pending.email, owner=customer, client=client)
    log_in_limit.check_room(tenant=tenant, customer=customer)
    before = notices.take(tenant=tenant, customer=customer)
    try:
        added = accounts.create_with_email(
            tenant=tenant,
            customer=customer,
            email=pending.email,
            password_hash=pending.password_hash,
            is_permitted=True,
            is_additional=True,
            session_id=pending.session_id,
        )
    except accounts.EmailTaken as error:
        raise mailed_tokens.InvalidMailedToken from error
    added = verification.verify(
        tenant=tenant, account=added, by=Account.Proof.LINK, client=client, session_id=caller.pk
    )
    notices.tell(before=before, notice=notices.Notice.LOG_IN_ADDED, context={"email": added.identifier})
    mailed_tokens.mark_used(tenant=tenant, mailed=mailed)
    return added


def _find_confirmed(tenant: Tenant, token: str) -> Account | None:
    """The account that this very token has just confirmed; None for a token that never has. Raises
    `AlreadyConfirmed`."""
    found = mailed_tokens.find_used(tenant=tenant, purpose=MailedToken.Purpose.OPT_IN, token=token)
    if found is None:
        return None
    account, used_at = found
    ended = Session.objects.for_tenant(tenant).filter(customer=account.customer, ended_at__gte=used_at)
    is_repeated = clocks.was_within(used_at, REPEAT_WINDOW, timezone.now())
    if not account.is_verified or not is_repeated or ended.exists():
        raise AlreadyConfirmed
    return account


def _session_of_proof(account: Account, link: mailed_tokens.OptIn, caller: Session | None) -> UUID | None:
    """The session that the proof comes from. For an additional log-in the one that shows the token counts: the mail
    went to a mailbox that may be somebody else's."""
    if caller is not None and caller.customer_id == account.customer_id:
        return caller.pk
    if account.is_additional:
        return None
    return UUID(link["session"]) if link["session"] else None
