"""Notices of what happened to a customer's log-ins (OWASP ASVS 5.0, 6.3.7): where they go, and how they are written.

A notice goes to addresses that the customer has proven to own: confirmed e-mail log-ins, and addresses that an external
identity's provider has verified. A contact e-mail alone is no such address: nobody has proven it, and whoever has taken
over a profile can change it.

Where nothing is proven yet, or a contact e-mail is replaced, the address that is told may be a stranger's, who is told
few times an hour.

A change of what one logs in with or is reached at is told to every address that was proven before it, and to those that
were so in the days before, with a link that undoes it (`undoable_changes`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from auth_providers import limits
from auth_providers.accounts import accounts, undoable_changes
from auth_providers.models import Account
from customers.models import Customer
from customers.spelling.emails import normalize_email
from tenants.models import Tenant
from tenants.outbox import queue
from tenants.outbox.queue import MessageContext


class Notice(StrEnum):
    """What there are notices of, by the names of their templates."""

    NEW_DEVICE = "new_device"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    EMAIL_CHANGE_REQUESTED = "email_change_notice"
    EMAIL_CHANGED = "email_changed"
    CONTACT_CHANGED = "contact_changed"
    LOG_IN_ADDED = "log_in_added"
    LOG_IN_LINKED = "log_in_linked"
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"
    DELETION_REQUESTED = "deletion_notice"
    CUSTOMERS_MERGED = "customers_merged"
    MERGE_UNDONE = "merge_undone"
    CHANGE_UNDONE = "change_undone"


# Those that are of nothing that could be undone.
WITHOUT_LINK = (Notice.NEW_DEVICE, Notice.MERGE_UNDONE, Notice.CHANGE_UNDONE)
WITH_LINK = tuple(notice for notice in Notice if notice not in WITHOUT_LINK)


@dataclass(frozen=True, kw_only=True)
class Before:
    """A customer before a change: `proven` are the addresses that are told of it with a link that undoes it, `others`
    those that are told without."""

    tenant: Tenant
    customer: Customer
    state: undoable_changes.State
    proven: tuple[str, ...]
    others: tuple[str, ...]


def take(*, tenant: Tenant, customer: Customer) -> Before:
    """The customer as they are now, before a change that they are told of by `tell`."""
    every = list(accounts.of_customer(tenant=tenant, customer=customer))
    proven = _proven(every)
    state = undoable_changes.state_of(tenant=tenant, customer=customer, accounts=every, proven=proven)
    told = (*proven, *state["former"])
    return Before(tenant=tenant, customer=customer, state=state, proven=told, others=() if told else _log_ins(every))


def tell(
    *,
    before: Before,
    notice: Notice,
    context: MessageContext | None = None,
    old_contact_email: str = "",
) -> None:
    """Tell of a change, in its transaction, each of the addresses from before it; `old_contact_email`, which may be
    unproven, without a link."""
    tenant, customer = before.tenant, before.customer
    others = dict.fromkeys(each for each in (*before.others, old_contact_email) if each and each not in before.proven)
    send(tenant=tenant, customer=customer, notice=notice, recipients=_within_quota(tenant, others), context=context)
    if before.proven:
        change = undoable_changes.keep(tenant=tenant, customer=customer, notice=notice, state=before.state)
        linked = {**(context or {}), "change": change.pk}
        send(tenant=tenant, customer=customer, notice=notice, recipients=before.proven, context=linked)


def tell_of_changed_contact(*, tenant: Tenant, before: Customer, after: Customer) -> None:
    """Tell that the profile's contact data was changed, if it was: also at the contact e-mail until now. `before` is
    the profile as it was."""
    if (before.contact_email, before.contact_phone) == (after.contact_email, after.contact_phone):
        return
    tell(
        before=take(tenant=tenant, customer=before),
        notice=Notice.CONTACT_CHANGED,
        old_contact_email=former_contact_email(before=before, after=after),
    )


def former_contact_email(*, before: Customer, after: Customer) -> str:
    """The contact e-mail that was replaced or removed; "" when it is still the same or there was none."""
    return before.contact_email or "" if before.contact_email != after.contact_email else ""


def notice_addresses(*, tenant: Tenant, customer: Customer) -> tuple[str, ...]:
    """Every address that the customer has proven, each once, that of the oldest account first; where nothing is proven
    yet, the addresses that one logs in with: it is their owner who must know."""
    every = list(accounts.of_customer(tenant=tenant, customer=customer))
    return _proven(every) or _log_ins(every)


def _proven(every: Sequence[Account]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(account.proven_address for account in every if account.proven_address))


def _log_ins(every: Sequence[Account]) -> tuple[str, ...]:
    return tuple(account.identifier for account in every if account.is_email_log_in)


def notice_address(*, tenant: Tenant, account: Account) -> tuple[str, ...]:
    """The one address to tell of what concerns this account: its own where that is proven, else the first of
    `notice_addresses`; nothing when there is none, or when it is not proven and was told enough."""
    if account.proven_address:
        return (account.proven_address,)
    every = tuple(accounts.of_customer(tenant=tenant, customer=account.customer))
    found = notice_address_among(every, account)
    return found if _proven(every) else _within_quota(tenant, found)


def notice_address_among(every: Sequence[Account], account: Account) -> tuple[str, ...]:
    """The same, of all accounts of the customer, the oldest first."""
    return (account.proven_address,) if account.proven_address else (_proven(every) or _log_ins(every))[:1]


def _within_quota(tenant: Tenant, unproven: Iterable[str]) -> tuple[str, ...]:
    """Those of the addresses, which nobody has proven, that were not told of enough in the last hour."""
    quota = limits.NOTICE_BY_MAILBOX
    return tuple(
        each for each in unproven if limits.try_spend(tenant=tenant, quota=quota, subject=normalize_email(each))
    )


def find_asked_account(*, tenant: Tenant, customer: Customer, account_id: int | None) -> Account | None:
    """The account by whose mailbox the customer is asked to confirm something: one with a proven address, or else one
    with any; of several `account_id`, or else the oldest. None when there is no address at all."""
    every = [each for each in accounts.of_customer(tenant=tenant, customer=customer) if each.mail_address]
    candidates = [each for each in every if each.proven_address] or every
    preferred = [each for each in candidates if each.pk == account_id]
    return next(iter(preferred or candidates), None)


def find_message_address(*, tenant: Tenant, customer: Customer) -> str:
    """Where a message goes that tells no secret and no change, such as a greeting: a proven address, or else that of a
    log-in, or else the contact e-mail; "" when there is none."""
    account = find_asked_account(tenant=tenant, customer=customer, account_id=None)
    return account.mail_address if account else customer.contact_email or ""


def send(
    *,
    tenant: Tenant,
    customer: Customer,
    notice: Notice,
    recipients: Sequence[str],
    context: MessageContext | None = None,
    site: str = "",
) -> None:
    """Write the notice to the outbox, in the caller's transaction. `site` is by default the one that the customer
    prefers."""
    for recipient in recipients:
        queue.enqueue(
            tenant=tenant,
            template=notice,
            recipient=recipient,
            context=context,
            language=customer.preferred_language,
            site=site or customer.preferred_site,
        )
