"""Notices of what happened to a customer's log-ins (OWASP ASVS 5.0, 6.3.7): where they go, and how they are written.

A notice goes to addresses that the customer has proven to own: confirmed e-mail log-ins, and addresses that an external
identity's provider has verified. A contact e-mail alone is no such address: nobody has proven it, and whoever has taken
over a profile can change it.

What concerns one log-in is told to its own address, and what concerns the whole profile to every address.
"""

from collections.abc import Collection
from enum import StrEnum

from auth_providers.accounts import accounts
from auth_providers.models import Account
from customers.models import Customer
from tenants.models import Tenant
from tenants.outbox import queue
from tenants.outbox.queue import MessageContext


class Notice(StrEnum):
    """What there are notices of, by the names of their templates."""

    NEW_DEVICE = "new_device"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    EMAIL_CHANGE_REQUESTED = "email_change_notice"
    CONTACT_CHANGED = "contact_changed"
    LOG_IN_ADDED = "log_in_added"
    LOG_IN_LINKED = "log_in_linked"
    SECOND_FACTOR_ADDED = "second_factor_added"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed"


def notice_addresses(*, tenant: Tenant, customer: Customer) -> tuple[str, ...]:
    """Every address that the customer has proven, each once, that of the oldest account first; where nothing is proven
    yet, the addresses that one logs in with: it is their owner who must know."""
    every = list(accounts.of_customer(tenant=tenant, customer=customer))
    proven = [account.proven_address for account in every if account.proven_address]
    return tuple(dict.fromkeys(proven or (each.identifier for each in every if each.is_email_log_in)))


def notice_address(*, tenant: Tenant, account: Account) -> tuple[str, ...]:
    """The one address to tell of what concerns this account: its own where that is proven, else the first of
    `notice_addresses`; nothing when there is none."""
    if account.proven_address:
        return (account.proven_address,)
    return notice_addresses(tenant=tenant, customer=account.customer)[:1]


def tell_of_changed_contact(*, tenant: Tenant, customer: Customer, old_email: str) -> None:
    """Tell that the profile's contact data was changed: at every address of `notice_addresses`, and at `old_email`, the
    contact address until now, "" when it is still the same or there was none."""
    every = notice_addresses(tenant=tenant, customer=customer)
    old = (old_email,) if old_email else ()
    recipients = tuple(dict.fromkeys((*every, *old)))
    send(tenant=tenant, customer=customer, notice=Notice.CONTACT_CHANGED, recipients=recipients)


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
    context: MessageContext | None = None,
    recipients: Collection[str] | None = None,
    site: str = "",
) -> None:
    """Write the notice to the outbox, in the caller's transaction.

    `recipients` are by default all of `notice_addresses`, as they are now: look them up before a change that adds or
    replaces an address. `site` is by default the one that the customer prefers.
    """
    if recipients is None:
        recipients = notice_addresses(tenant=tenant, customer=customer)
    for recipient in recipients:
        queue.enqueue(
            tenant=tenant,
            template=notice,
            recipient=recipient,
            context=context,
            language=customer.preferred_language,
            site=site or customer.preferred_site,
        )
