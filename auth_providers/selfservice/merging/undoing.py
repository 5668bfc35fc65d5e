"""Undoing a merge: both customers are as they were, and what came after it stays with the one who was kept.

Staff undo it by a button, within 30 days; a link in the notice of it, or of an earlier change of one of the two, undoes
it as well (`selfservice.undo`).
"""

from django.db import transaction
from django.utils import timezone

from auth_providers.accounts import accounts, notices, undoable_changes
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, Authenticator, CustomerMerge, UndoableChange
from auth_providers.selfservice.merging import snapshots
from auth_providers.selfservice.merging.merge import record
from auth_providers.selfservice.merging.snapshots import LogIn, Snapshot
from auth_providers.selfservice.staff_log_ins import By
from auth_providers.tokens import sessions
from customers import merging, profiles
from customers.models import Customer
from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant

END_REASON = "merge undone"
OUT = {"is_active": False, "is_on_hold": True}  # how staff keep a customer out


class MergeNotFound(DomainError):
    """It was undone already, is older than 30 days, or one of the two is erased or merged again."""

    kind = Kind.NOT_FOUND
    reason = Reason.MERGE_NOT_FOUND
    default_message = "This merge can't be undone any more."


@transaction.atomic
def undo(*, tenant: Tenant, customer: Customer, merge_id: int, staff_username: str, client: Client) -> Customer:
    """Undo the merge into this customer. Returns the customer who is back. Raises `MergeNotFound`."""
    _lock(tenant, customer)
    merge = snapshots.in_force(tenant=tenant, customer=customer).filter(pk=merge_id).first()
    if merge is None:
        raise MergeNotFound
    return _undo(tenant, customer, merge, By(staff_username=staff_username, client=client))


def undo_since(*, tenant: Tenant, change: UndoableChange, client: Client) -> None:
    """Undo, in the caller's transaction, the merges that came with or after a change of one of their customers, newest
    first. Raises `profiles.CustomerNotFound` where one is erased."""
    customer, by = change.customer, By(staff_username="", client=client)
    if customer.merged_into is not None:
        _undo_into(tenant, customer.merged_into, customer, by)
    if snapshots.in_force(tenant=tenant, customer=customer).filter(created_at__gte=change.created_at).exists():
        profiles.lock(tenant=tenant, customer=customer)
        for merge in snapshots.in_force(tenant=tenant, customer=customer).filter(created_at__gte=change.created_at):
            _undo(tenant, customer, merge, by)


def _undo_into(tenant: Tenant, kept: Customer, merged: Customer, by: By) -> None:
    """Undo the merge of this customer; where the one who was kept was merged in turn, that first."""
    if kept.merged_into is not None:
        _undo_into(tenant, kept.merged_into, kept, by)
    profiles.lock(tenant=tenant, customer=kept)
    merge = snapshots.in_force(tenant=tenant, customer=kept).filter(merged=merged).first()
    if merge is not None:
        _undo(tenant, kept, merge, by)


def _lock(tenant: Tenant, customer: Customer) -> None:
    try:
        profiles.lock(tenant=tenant, customer=customer)
    except profiles.CustomerNotFound as error:
        raise MergeNotFound from error


def _undo(tenant: Tenant, customer: Customer, merge: CustomerMerge, by: By) -> Customer:
    """The kept customer's row is locked before the other's, as an erasure locks them."""
    snapshot = snapshots.read(merge)
    told = _addresses(tenant, customer)
    sessions.end_all(tenant=tenant, customer=customer, reason=END_REASON, **by)
    kept, back = _reloaded(tenant, customer.pk), _reloaded(tenant, merge.merged_id)
    _restore_profiles(kept, back, snapshot)
    merging.give_back(tenant=tenant, kept=kept, merged=back, moved=snapshot["moved"], **by)
    _return_log_ins(tenant, kept, back, snapshot)
    now = timezone.now()
    CustomerMerge.objects.for_tenant(tenant).filter(pk=merge.pk).update(undone_at=now, snapshot_encrypted="")
    # The link in the notice of the merge undoes nothing any more.
    undoable_changes.in_force(tenant=tenant, customer=kept).filter(pk__in=snapshot["change"]).update(undone_at=now)
    context = {"number": kept.number, "merged": back.number}
    for each in (kept, back):
        own = tuple(dict.fromkeys((*_addresses(tenant, each), *(told if each is kept else ()))))
        others = own if each is kept else tuple(address for address in own if address not in told)
        notices.send(
            tenant=tenant, customer=each, notice=notices.Notice.MERGE_UNDONE, recipients=others, context=context
        )
    record(tenant, kept, back, "undo_merge", "merge_undone", "", by)
    return back


def _addresses(tenant: Tenant, customer: Customer) -> tuple[str, ...]:
    return notices.notice_addresses(tenant=tenant, customer=customer)


def _reloaded(tenant: Tenant, pk: int) -> Customer:
    """The row as it is now, locked."""
    customer = Customer.objects.for_tenant(tenant).select_for_update().get(pk=pk)
    customer.tenant = tenant
    return customer


def _restore_profiles(kept: Customer, back: Customer, snapshot: Snapshot) -> None:
    """Of the kept profile what the merge changed and nobody has changed since; the other one whole, but that staff who
    have kept the customer out since have kept out both."""
    now = snapshots.profile_of(kept)
    changed = {
        name: before
        for name, before in snapshot["kept"].items()
        if name != "last_login_at"
        and before != snapshot["kept_after"].get(name)
        and now.get(name) == snapshot["kept_after"].get(name)
    }
    merging.restore(customer=kept, values=snapshots.values_of(changed))
    out = {name: now[name] for name in OUT if now[name] == OUT[name] != snapshot["kept_after"].get(name)}
    merging.restore(customer=back, values={**snapshots.values_of(snapshot["merged"] | out), "merged_into": None})


def _return_log_ins(tenant: Tenant, kept: Customer, back: Customer, snapshot: Snapshot) -> None:
    """Those that are still the kept customer's; what was proven meanwhile stays proven."""
    own = accounts.of_customer(tenant=tenant, customer=kept)
    own.filter(pk__in=snapshot["log_ins"]).update(customer=back)
    both = Account.objects.for_tenant(tenant).filter(customer__in=(kept, back), verified_at=None)
    before = {each["pk"]: each for each in snapshot["unproven"]}
    for account in both.filter(pk__in=before):
        _as_before(account, before[account.pk])
    apps = Authenticator.objects.for_tenant(tenant).filter(customer=kept, pk__in=snapshot["authenticator"])
    apps.update(customer=back)


def _as_before(account: Account, before: LogIn) -> None:
    """A password that was chosen since stays."""
    account.is_permitted, account.is_additional = before["is_permitted"], before["is_additional"]
    if account.password == NO_PASSWORD:
        account.password = before["password"]
    account.session_id = before["session_id"]
    account.save(update_fields=["is_permitted", "is_additional", "password", "session_id"])
