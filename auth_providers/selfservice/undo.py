"""Undoing a change by the link in its notice: "this was not me".

Every session ends, with all that waits for an answer, and the profile is reached and logged in to as before the change.
What was changed after it is undone, too: whoever made it was still there. No password stays, because a thief may know
the old one as well as the new; each proven log-in gets a mail with a link to choose another
(`docs/decisions/undoing-changes.md`).
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from auth_providers.accounts import accounts, known_devices, mailed_tokens, notices, pending, undoable_changes
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.accounts.undoable_changes import AppState, State
from auth_providers.models import Account, Authenticator, RecoveryCode, UndoableChange
from auth_providers.selfservice import password_reset
from auth_providers.selfservice.merging import undoing
from auth_providers.tokens import sessions
from customers import profiles
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant
from tenants.outbox import queue
from tenants.secrets.encryption import encrypt
from tenants.trail import audit

REASON = "change undone"


class AlreadyUndone(DomainError):
    """The change was undone before, by this link or by that of an earlier change."""

    kind = Kind.INVALID
    reason = Reason.ALREADY_UNDONE
    default_message = "This has been undone already."


@dataclass(frozen=True, kw_only=True)
class Undone:
    """`lost` are the addresses, numbers and identities that could not be given back, because somebody else has proven
    to own them by now; `password_addresses` are where a link for a new password goes."""

    lost: tuple[str, ...]
    password_addresses: tuple[str, ...]


def find(*, tenant: Tenant, token: str) -> UndoableChange:
    """The change that the token undoes, with its customer. Raises `mailed_tokens.InvalidMailedToken` and
    `AlreadyUndone`."""
    change = mailed_tokens.find_change(tenant=tenant, token=token)
    if change.undone_at is not None:
        raise AlreadyUndone
    return change


@transaction.atomic
def undo(*, tenant: Tenant, token: str, client: Client) -> Undone:
    """Undo the change, and what came after it. Raises what `find` raises."""
    change = find(tenant=tenant, token=token)
    names = _mark_undone(tenant, change)
    _undo_merges(tenant, change, client)
    customer = _locked(tenant, change.customer)
    before = notices.take(tenant=tenant, customer=customer)
    sessions.end_all(tenant=tenant, customer=customer, reason=REASON, client=client)
    known_devices.forget(tenant=tenant, customer=customer)
    state = undoable_changes.read(change)
    lost = _restore_accounts(tenant, customer, state)
    _restore_app(tenant, customer, before.state["app"], state["app"])
    _restore_contact(tenant, customer, state)
    audit.record(
        tenant=tenant, action="undo_changes", client=client, customer_number=customer.number, reason=", ".join(names)
    )
    _tell(before)
    return Undone(lost=lost, password_addresses=_drop_passwords(tenant, customer))


def _undo_merges(tenant: Tenant, change: UndoableChange, client: Client) -> None:
    """A merge that came with the change or after it joined two customers who are two again. Raises
    `InvalidMailedToken` where one of them is erased."""
    try:
        undoing.undo_since(tenant=tenant, change=change, client=client)
    except profiles.CustomerNotFound as error:
        raise mailed_tokens.InvalidMailedToken from error


def _locked(tenant: Tenant, customer: Customer) -> Customer:
    """The customer as they are now, locked. Raises `InvalidMailedToken` for one who is erased."""
    try:
        profiles.lock(tenant=tenant, customer=customer)
    except profiles.CustomerNotFound as error:
        raise mailed_tokens.InvalidMailedToken from error
    return Customer.objects.for_tenant(tenant).get(pk=customer.pk)


def _mark_undone(tenant: Tenant, change: UndoableChange) -> list[str]:
    """Mark it and those that came after it. Returns what they were, newest first. Raises `AlreadyUndone`."""
    now, in_force = timezone.now(), undoable_changes.in_force(tenant=tenant, customer=change.customer)
    later = list(in_force.filter(pk__gt=change.pk).values_list("notice", flat=True))
    if not in_force.filter(pk=change.pk).update(undone_at=now):
        raise AlreadyUndone
    in_force.filter(pk__gt=change.pk).update(undone_at=now)
    return [*later, change.notice]


def _restore_accounts(tenant: Tenant, customer: Customer, state: State) -> tuple[str, ...]:
    """Remove the log-ins that were added, and give back those that were moved or removed. Returns what is another's."""
    wanted = undoable_changes.accounts_in(state)
    there = {each.pk: each for each in accounts.of_customer(tenant=tenant, customer=customer)}
    added = there.keys() - {each.pk for each in wanted}
    Account.objects.for_tenant(tenant).filter(pk__in=added).delete()
    return tuple(str(each) for each in wanted if not _is_given_back(tenant, customer, each, there.get(each.pk)))


def _is_given_back(tenant: Tenant, customer: Customer, wanted: Account, there: Account | None) -> bool:
    """Whether the customer logs in with this now, proven by what it was proven by then; an account that nobody had
    proven and that is gone is nobody's."""
    if there is None and not wanted.is_verified:
        return True
    if wanted.is_verified and (there is None or there.identifier != wanted.identifier):
        accounts.remove_unproven(tenant=tenant, wanted=wanted)
    try:
        with transaction.atomic():
            _give_back(tenant, customer, wanted, there)
    except IntegrityError:
        if there is not None:  # what it was moved to is not the owner's
            there.delete()
        return False
    return True


def _give_back(tenant: Tenant, customer: Customer, wanted: Account, there: Account | None) -> None:
    wanted.tenant, wanted.customer = tenant, customer
    wanted.password = NO_PASSWORD if wanted.kind == Account.Kind.EMAIL else ""
    wanted.is_password_initial = False
    if there is None:
        wanted.pk = None
        wanted.save(force_insert=True)
    else:
        if there.identifier != wanted.identifier:  # what was mailed to that address would prove this one
            pending.void_for(tenant=tenant, account=there)
        wanted.save(force_update=True)


def _restore_app(tenant: Tenant, customer: Customer, there: AppState | None, wanted: AppState | None) -> None:
    """The authenticator app and its recovery codes; counts of wrong codes go on where it is the same one."""
    if _secrets(there) == _secrets(wanted):
        return
    Authenticator.objects.for_tenant(tenant).filter(customer=customer).delete()
    RecoveryCode.objects.for_tenant(tenant).filter(customer=customer).delete()
    if wanted is None:
        return
    Authenticator(
        tenant=tenant,
        customer=customer,
        secret_encrypted=encrypt(wanted["secret"]),
        confirmed_at=datetime.fromisoformat(wanted["confirmed_at"]),
        last_step=wanted["last_step"],
    ).save(force_insert=True)
    RecoveryCode.objects.bulk_create(
        RecoveryCode(
            tenant=tenant,
            customer=customer,
            code_hmac=bytes.fromhex(code),
            spent_at=datetime.fromisoformat(spent_at) if spent_at else None,
        )
        for code, spent_at in wanted["recovery_codes"]
    )


def _secrets(app: AppState | None) -> tuple[str, frozenset[str]] | None:
    return (app["secret"], frozenset(code for code, _ in app["recovery_codes"])) if app else None


def _restore_contact(tenant: Tenant, customer: Customer, state: State) -> None:
    wanted = state["contact_email"], state["contact_phone"]
    if (customer.contact_email, customer.contact_phone) == wanted:
        return
    customer.contact_email, customer.contact_phone = wanted
    Customer.objects.for_tenant(tenant).filter(pk=customer.pk).update(
        contact_email=customer.contact_email,
        contact_phone=customer.contact_phone,
        version=F("version") + 1,
        updated_at=timezone.now(),
    )


def _drop_passwords(tenant: Tenant, customer: Customer) -> tuple[str, ...]:
    """Take every password, and mail the proven addresses among them a link for a new one. Returns those."""
    emails = accounts.emails_of_customer(tenant=tenant, customer=customer)
    proven = tuple(each.identifier for each in emails if each.is_verified)
    emails.update(password=NO_PASSWORD, is_password_initial=False)
    for address in proven:
        queue.enqueue(
            tenant=tenant,
            template=password_reset.REQUEST_TEMPLATE,
            recipient=address,
            language=customer.preferred_language,
            site=customer.preferred_site,
        )
    return proven


def _tell(before: notices.Before) -> None:
    """Tell who was told of the changes, and who is reached now."""
    tenant, customer = before.tenant, before.customer
    now = notices.notice_addresses(tenant=tenant, customer=customer)
    recipients = tuple(dict.fromkeys((*before.proven, *before.others, *now)))
    notices.send(tenant=tenant, customer=customer, notice=notices.Notice.CHANGE_UNDONE, recipients=recipients)
