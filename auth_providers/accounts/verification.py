"""Whose is an account, and who has proven it?

To be permitted to log in and to have shown that one reads a mailbox or holds a telephone are two facts. Until the
second is shown, a profile may have been filled by anybody. **The first proof evicts** (`eviction`): the first to prove
owns the profile and shares it with nobody who has proven nothing. An address that was added to a profile whose owner
has proven another one is not that profile's when somebody else proves it: the prover is a new customer
(`docs/decisions/unproven-accounts.md`).
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from auth_providers.accounts import accounts, eviction, mailed_tokens, pending
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, Session
from customers import numbers, profiles
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant
from tenants.outbox import queue
from tenants.trail import audit
from tenants.trail.event_types import EventType

RELEASED = "proven elsewhere"
CONFIRMATION = "confirm_email"  # the mail


class AccountGone(DomainError):
    """Somebody else proved to own the profile first."""

    kind = Kind.UNAUTHENTICATED
    reason = Reason.ACCOUNT_GONE
    default_message = "This log-in belongs to nobody any more."


@transaction.atomic
def verify(
    *,
    tenant: Tenant,
    account: Account,
    by: Account.Proof,
    client: Client,
    session_id: UUID | None = None,
    is_own: bool = False,
    number: str = "",
) -> Account:
    """Record that the account's owner has proven to own it, and return the account as it is then.

    `session_id` is the session that the proof comes from: that in which the account was made, or one of its customer's;
    `is_own` says that the proof belongs to the sign-up that made the account. What was set there stays, with the
    password; everything else that was set without a proof is evicted. `number` is the one that a new customer gets, ""
    for the next. Without effect on an account that is verified. Raises `AccountGone` when another proof was faster and
    took the profile.
    """
    if account.is_verified:
        return account
    current = _locked(tenant, account)
    if current.is_verified:
        return _refreshed(account, current)
    is_own = is_own or _is_own(tenant, current, session_id)
    if not has_owner(tenant=tenant, account=current):
        kept = (session_id or current.session_id) if is_own else None
        eviction.evict(tenant=tenant, account=current, is_own=is_own, kept_session_id=kept, client=client)
    else:
        pending.void_for(tenant=tenant, account=current)
        if not is_own:
            _detach(tenant, current, number or numbers.take(tenant=tenant), client)
    current.is_permitted, current.is_additional = True, False
    current.verified_at, current.verified_by = timezone.now(), by
    current.save()
    audit.record(
        tenant=tenant, action="verify_account", client=client, customer_number=current.customer.number, method=by
    )
    return _refreshed(account, current)


def recognize(*, account: Account, session: Session, client: Client) -> None:
    """Record that an address is proven that an account was moved to by a link alone, where its customer has just logged
    in in the session that the link was shown in. Raises `AccountGone`."""
    if mailed_tokens.was_shown_in(account=account, session=session):
        verify(tenant=account.tenant, account=account, by=Account.Proof.LINK, client=client, session_id=session.pk)


def _locked(tenant: Tenant, account: Account) -> Account:
    """The account as it is, with the profile locked, so that no other proof of it runs. Raises `AccountGone`."""
    try:
        profiles.lock(tenant=tenant, customer=account.customer)
    except profiles.CustomerNotFound as error:
        raise AccountGone from error
    current = accounts.of_customer(tenant=tenant, customer=account.customer).filter(pk=account.pk).first()
    if current is None:
        raise AccountGone
    current.customer = account.customer
    return current


def release(*, tenant: Tenant, email: str, client: Client, owner: Customer | None = None) -> None:
    """Take the address from the profile that it is on, unless somebody has proven it there: nobody reserves one. That
    profile stays, and the sessions that began with the address end. `owner` is who has just proven to read it, if any.

    Call it in the transaction of the proof, before other rows are locked; it locks both profiles.
    """
    held = accounts.find_with_email(tenant=tenant, email=email)
    if held is None:
        return
    both = {owner or held.customer, held.customer}
    for customer in sorted(both, key=lambda each: each.pk):  # so that no two wait for each other
        profiles.lock(tenant=tenant, customer=customer)
    unproven = accounts.with_email(tenant=tenant, email=email).filter(pk=held.pk, verified_at=None).first()
    if unproven is None or unproven.customer_id != held.customer_id:
        return
    running = Session.objects.for_tenant(tenant).filter(account=unproven, ended_at=None)
    ended = running.update(ended_at=timezone.now(), end_reason=RELEASED)
    unproven.delete()
    audit.record(
        tenant=tenant,
        action="release_address",
        client=client,
        customer_number=unproven.customer.number,
        reason=RELEASED,
        also=[EventType.SESSION_ENDED] if ended else (),
    )


@transaction.atomic
def clear(*, tenant: Tenant, account: Account, client: Client) -> None:
    """Evict who has signed up with the address and proven nothing, before a server of the shop writes there what the
    address's reader has told it. Nothing is proven by that: the profile waits for the reader, who is mailed a link.

    Without effect on an account that is verified, and on one that the shop itself has made. Raises `AccountGone`.
    """
    current = _locked(tenant, account)
    if current.is_verified or current.session_id is None:
        return
    eviction.evict(tenant=tenant, account=current, is_own=False, kept_session_id=None, client=client, is_told=False)
    current.save()
    queue.enqueue(
        tenant=tenant,
        template=CONFIRMATION,
        recipient=current.identifier,
        language=current.customer.preferred_language,
        site=current.customer.preferred_site,
    )
    _refreshed(account, current)


def release_typed_in(
    *, tenant: Tenant, emails: Collection[str], client: Client = audit.NO_CLIENT, owner: Customer | None = None
) -> None:
    """Take the addresses from the profiles on which anybody may have typed them in: the shop says whose they are.
    `owner` is that customer, if there is one yet. Call it as `release`."""
    for email in accounts.emails_typed_in(tenant=tenant, emails=emails):
        release(tenant=tenant, email=email, client=client, owner=owner)


def has_owner(*, tenant: Tenant, account: Account) -> bool:
    """Whether the account, which nobody has proven, is on a profile that stays somebody else's when the reader of its
    address comes: of who has put the address there, or has proven another."""
    return account.is_additional or has_proof(tenant=tenant, customer=account.customer)


def has_proof(*, tenant: Tenant, customer: Customer) -> bool:
    """Whether the customer has proven anything: a mailbox, a telephone, an identity at another provider."""
    return accounts.of_customer(tenant=tenant, customer=customer).exclude(verified_at=None).exists()


def _is_own(tenant: Tenant, account: Account, session_id: UUID | None) -> bool:
    """Whether the session is one that speaks for the account: its password was set there, or its customer is logged in
    there."""
    if session_id is None:
        return False
    if session_id == account.session_id and not account.is_additional:
        return True
    own = Session.objects.for_tenant(tenant).filter(pk=session_id, customer=account.customer, ended_at=None)
    return own.exists()


def _detach(tenant: Tenant, account: Account, number: str, client: Client) -> None:
    """Give the account's owner a profile of their own. The profile that the address had been added to stays, without
    it."""
    before = account.customer
    is_email = account.kind == Account.Kind.EMAIL
    account.customer = profiles.create(
        tenant=tenant,
        number=number,
        values={"contact_email": account.identifier} if is_email else {"contact_phone": account.identifier},
    )
    account.password = NO_PASSWORD if is_email else ""
    account.session_id = None
    account.is_password_initial = False
    audit.record(
        tenant=tenant, action="detach_account", client=client, customer_number=before.number, reason=f"now {number}"
    )
    audit.record(
        tenant=tenant,
        action="create_customer",
        client=client,
        customer_number=number,
        reason=f"was with {before.number}",
        also=[EventType.CREDENTIAL_ADDED],
        details={"credentials": ["email_or_phone"]},
    )


def _refreshed(account: Account, current: Account) -> Account:
    """The caller's object as the row is now."""
    for field in Account._meta.concrete_fields:
        setattr(account, field.attname, getattr(current, field.attname))
    account.customer = current.customer
    return account
