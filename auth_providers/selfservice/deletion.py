"""A customer deletes the profile: at once, or after following a link in a mail, as the tenant wants it."""

import json
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from auth_providers import limits
from auth_providers.accounts import accounts, mailed_tokens, notices, undoable_changes
from auth_providers.models import Account, MailedToken, Session, UnfinishedErasure
from auth_providers.selfservice import email_change, opt_in
from auth_providers.selfservice.merging import snapshots
from customers import erasure
from customers.models import Customer
from tenants.clients import Client
from tenants.models import Message, Tenant
from tenants.models.outbox import WAITING
from tenants.outbox import queue
from tenants.privacy.classification import emptied
from tenants.secrets.encryption import decrypt, encrypt
from tenants.trail import audit

TEMPLATE = "deletion"
REASON = "deleted"
# Mails to an address that is not the account's yet.
TO_NEW_ADDRESSES = (email_change.REQUEST_TEMPLATE, opt_in.ADDITIONAL_TEMPLATE)


def request(*, tenant: Tenant, customer: Customer, session: Session, client: Client) -> bool:
    """Delete the profile, or mail a token where the tenant wants a confirmation. Returns whether it is gone already.

    A customer who has no mail address can't be asked. Raises `limits.Throttled`.
    """
    account = None
    if tenant.is_deletion_confirmed:
        account = notices.find_asked_account(tenant=tenant, customer=customer, account_id=session.account_id)
    if account is None:
        _delete(tenant, customer, client)
        return True
    limits.spend_mail(tenant=tenant, destination=account.mail_address, kind=TEMPLATE, client=client)
    with transaction.atomic():
        queue.enqueue(
            tenant=tenant,
            template=TEMPLATE,
            recipient=account.mail_address,
            context={"account": account.pk},
            language=customer.preferred_language,
            site=customer.preferred_site,
        )
        notices.tell(before=notices.take(tenant=tenant, customer=customer), notice=notices.Notice.DELETION_REQUESTED)
        audit.record(tenant=tenant, action="request_deletion", client=client, customer_number=customer.number)
    return False


@transaction.atomic
def confirm(*, tenant: Tenant, customer: Customer, token: str, client: Client) -> None:
    """Delete the profile with the mailed token. Raises `InvalidMailedToken`, also for another customer's token."""
    mailed_tokens.spend_own(tenant=tenant, purpose=MailedToken.Purpose.DELETION, token=token, customer=customer)
    _delete(tenant, customer, client)


@transaction.atomic
def erase_by_staff(
    *, tenant: Tenant, customer: Customer, staff_username: str, client: Client, reason: str = ""
) -> None:
    """Erase the customer at once, as someone asked the shop to; a `reason` is on the trail, too. Raises
    `CustomerNotFound` when that is done already."""
    _delete(tenant, customer, client, staff_username)
    if not reason:
        return
    audit.record(
        tenant=tenant,
        action="erase_by_staff",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
        reason=reason,
    )


def preview(*, tenant: Tenant, customer: Customer) -> list[erasure.Fate]:
    """What an erasure would do, table by table; nothing is done."""
    log_ins = list(accounts.of_customer(tenant=tenant, customer=customer))
    everyone = [customer, *snapshots.merged_into(tenant=tenant, customer=customer)]
    own = _own_destinations(tenant, customer, log_ins, is_merged=len(everyone) > 1)
    theirs = _destinations(tenant, customer, log_ins, own)
    return erasure.preview(tenant=tenant, customers=everyone, destinations=theirs)


def _own_destinations(tenant: Tenant, customer: Customer, log_ins: Iterable[Account], is_merged: bool) -> list[str]:
    """The addresses and numbers on the profile, also before merges if there were any, and of the log-ins."""
    found = [customer.contact_email, customer.contact_phone]
    for _, profile in snapshots.profiles_before(tenant=tenant, customer=customer) if is_merged else ():
        found += [str(profile[name] or "") for name in ("contact_email", "contact_phone")]
    found += [text for account in log_ins for text in (account.mail_address, account.identifier)]
    return sorted({text for text in found if text})


@transaction.atomic
def _delete(tenant: Tenant, customer: Customer, client: Client, staff_username: str = "") -> None:
    """Erase the customer, and everybody who was merged into them: they are one person. Who that is says the row that
    the first statement locks."""
    erasure.erase(tenant=tenant, customer=customer, client=client, staff_username=staff_username)
    others = snapshots.merged_into(tenant=tenant, customer=customer)
    for each in others:
        erasure.erase(tenant=tenant, customer=each, client=client, staff_username=staff_username)
    for each in (customer, *others):
        _end_access(tenant, each, is_merged=bool(others))


def _end_access(tenant: Tenant, customer: Customer, *, is_merged: bool) -> None:
    """Free the log-ins, end the sessions; what other rows point at stays, and says nothing. The rest is left to the
    worker (`finish_due`), so that a customer with much of it waits no longer than any other.

    The order is that of the locks of a log-in and of whoever follows a mailed link.
    """
    own = accounts.of_customer(tenant=tenant, customer=customer)
    destinations = _own_destinations(tenant, customer, own, is_merged)
    accounts.erase_all(tenant=tenant, customer=customer)
    Session.objects.for_tenant(tenant).filter(customer=customer).update(
        ended_at=Coalesce("ended_at", timezone.now()),
        end_reason=Case(When(ended_at=None, then=Value(REASON)), default=F("end_reason")),
        **emptied(Session),
    )
    UnfinishedErasure(
        tenant=tenant,
        customer=customer,
        destinations_encrypted=encrypt(json.dumps(destinations)),
    ).save(force_insert=True)


def finish_due() -> int:
    """Delete what is left of customers who are erased. Returns how many there were. For the worker, of which several
    may run at once."""
    count = 0
    for unfinished in UnfinishedErasure.objects.select_related("tenant", "customer"):
        count += _finish(unfinished)
    return count


@transaction.atomic
def _finish(unfinished: UnfinishedErasure) -> int:
    """Delete what belongs to one erased customer and the row that asks for it; 0 when another worker was faster."""
    taken, _ = UnfinishedErasure.objects.filter(pk=unfinished.pk).delete()
    if not taken:
        return 0
    tenant, customer = unfinished.tenant, unfinished.customer
    log_ins = list(accounts.of_customer(tenant=tenant, customer=customer))
    own: list[str] = json.loads(decrypt(unfinished.destinations_encrypted))
    theirs = _destinations(tenant, customer, log_ins, own)
    erasure.finish(customer=customer, destinations=theirs)
    return 1


def _destinations(tenant: Tenant, customer: Customer, log_ins: list[Account], own: list[str]) -> set[str]:
    """Where messages to the customer went or wait to go. What someone else logs in with is theirs, whatever a profile
    calls its contact e-mail."""
    asked_for = MailedToken.objects.for_tenant(tenant).filter(account__in=log_ins, details__email__gt="")
    former = undoable_changes.addresses_told(tenant=tenant, customer=customer)
    found = {*own, *former, *asked_for.values_list("details__email", flat=True), *_about_to_be_asked(tenant, log_ins)}
    return found - accounts.destinations_of_others(tenant=tenant, customer=customer, destinations=found)


def _about_to_be_asked(tenant: Tenant, log_ins: list[Account]) -> set[str]:
    """New addresses of these accounts, to which no mail has gone out yet."""
    keys = {account.pk for account in log_ins}
    waiting = Message.objects.for_tenant(tenant).filter(WAITING, template__in=TO_NEW_ADDRESSES)
    return {each.recipient for each in waiting if json.loads(decrypt(each.context_encrypted)).get("account") in keys}
