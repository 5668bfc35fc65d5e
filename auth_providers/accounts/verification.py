"""Whose is an account, and who has proven it?

To be permitted to log in and to have shown that one reads a mailbox or holds a telephone are two facts. Until the
second is shown, a profile may have been filled by anybody. **The first proof evicts** (`eviction`): the first to prove
owns the profile and shares it with nobody who has proven nothing. An address that was added to a profile whose owner
has proven another one is not that profile's when somebody else proves it: the prover is a new customer
(`docs/decisions/unproven-accounts.md`).
"""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from auth_providers.accounts import accounts, eviction, pending
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, Session
from customers import numbers, profiles
from customers.models import Customer
from tenants import audit
from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.event_types import EventType
from tenants.models import Tenant


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
    has_owner = current.is_additional or has_proof(tenant=tenant, customer=current.customer)
    if not has_owner:
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
