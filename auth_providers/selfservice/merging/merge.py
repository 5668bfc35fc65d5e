"""Merging two customers: one keeps the number and gets what the other has.

Staff say that the two are one person. That is no proof: log-ins that nobody has proven open nothing after a merge.
Where one of the two has proven something, they are additional ones, which need their mail's token together with a
session of the owner; where nobody has, they wait for their confirmation (`accounts.verification`).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from django.db import transaction
from django.utils import timezone

from auth_providers.accounts import accounts, known_devices, notices, pending, undoable_changes
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account, Authenticator, CustomerMerge, Submission
from auth_providers.selfservice import opt_in
from auth_providers.selfservice.log_in_limit import MAX_LOG_INS
from auth_providers.selfservice.merging import snapshots
from auth_providers.selfservice.merging.snapshots import LogIn
from auth_providers.selfservice.staff_log_ins import By, check_reason
from auth_providers.tokens import sessions
from customers import merging, profiles
from customers.models import THERE, Customer
from tenants.clients import Client
from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import Tenant
from tenants.trail import audit

END_REASON = "merged"


class NotMergeable(DomainError):
    """A customer can't be merged into themselves."""

    kind = Kind.INVALID
    reason = Reason.NOT_MERGEABLE
    default_message = "Choose two different customers."


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What staff chose and saw: `taken` names the fields whose value is the other customer's
    (`customers.merging.differences`), the versions are those of the profiles that they looked at."""

    taken: Collection[str]
    kept_version: int | None = None
    merged_version: int | None = None


def find_other(*, tenant: Tenant, customer: Customer, number: str) -> Customer:
    """The customer of this number, to be merged. Raises `profiles.CustomerNotFound` and `NotMergeable`."""
    named = number.strip()
    other = Customer.objects.for_tenant(tenant).filter(number=named, **THERE).first() if named.isdecimal() else None
    if other is None:
        raise profiles.CustomerNotFound
    if other.pk == customer.pk:
        raise NotMergeable
    return other


@transaction.atomic
def merge(
    *,
    tenant: Tenant,
    customer: Customer,
    merged: Customer,
    choice: Choice,
    reason: str,
    staff_username: str,
    client: Client,
) -> CustomerMerge:
    """Merge the second customer into the first. Every proven address of both is told, with a link that undoes it.

    Raises `NotMergeable`, `profiles.CustomerNotFound`, `profiles.StaleVersion` and `InvalidInput`.
    """
    why, by = check_reason(reason), By(staff_username=staff_username, client=client)
    kept, gone = _locked(tenant, customer, merged, choice)
    before = _before(tenant, kept, gone, choice)
    profile, own = snapshots.profile_of(gone), snapshots.profile_of(kept)
    _end(tenant, kept, gone, by)
    changes = merging.changes_of(merged=gone, taken=choice.taken)
    if changes:
        kept = profiles.update(tenant=tenant, customer=kept, changes=changes, **by)
    merging.take_flags(tenant=tenant, kept=kept, merged=gone)
    log_ins, unproven = _move_log_ins(tenant, kept, gone)
    change = _tell(before, gone)
    snapshot = snapshots.Snapshot(
        merged=profile,
        kept=own,
        kept_after=snapshots.profile_of(kept),
        moved=merging.move(tenant=tenant, kept=kept, merged=gone, taken=choice.taken, **by),
        log_ins=log_ins,
        unproven=unproven,
        authenticator=_move_authenticator(tenant, kept, gone),
        change=change,
    )
    merging.empty(tenant=tenant, merged=gone, into=kept)
    made = snapshots.keep(tenant=tenant, customer=kept, merged=gone, staff_username=staff_username, snapshot=snapshot)
    record(tenant, kept, gone, "merge_customers", "merged", why, by)
    return made


def record(  # noqa: PLR0917 - who did what to whom
    tenant: Tenant, kept: Customer, merged: Customer, action: str, counterpart: str, reason: str, by: By
) -> None:
    """On the trail of both, and for systems of the shop, who know them by number."""
    audit.record(
        tenant=tenant,
        action=action,
        customer_number=kept.number,
        reason=f"{merged.number}: {reason}".rstrip(": "),
        details={"merged": merged.number},
        **by,
    )
    audit.record(
        tenant=tenant,
        action=counterpart,
        customer_number=merged.number,
        reason=f"{kept.number}: {reason}".rstrip(": "),
        **by,
    )


def _locked(tenant: Tenant, customer: Customer, merged: Customer, choice: Choice) -> tuple[Customer, Customer]:
    """Both as they are now, locked in the order of their keys, so that no two merges wait for each other."""
    if customer.pk == merged.pk:
        raise NotMergeable
    rows = Customer.objects.for_tenant(tenant).filter(pk__in=(customer.pk, merged.pk), **THERE)
    found = {each.pk: each for each in rows.select_for_update().order_by("pk")}
    if len(found) < len((customer, merged)):
        raise profiles.CustomerNotFound
    for each in found.values():
        each.tenant = tenant
    kept, gone = found[customer.pk], found[merged.pk]
    seen = (choice.kept_version, kept.version), (choice.merged_version, gone.version)
    if any(version is not None and version != now for version, now in seen):
        raise profiles.StaleVersion
    log_ins = sum(accounts.of_customer(tenant=tenant, customer=each).count() for each in (kept, gone))
    if log_ins > MAX_LOG_INS:
        raise InvalidInput.field("customer", f"A customer has at most {MAX_LOG_INS} log-ins.", code="max_length")
    return kept, gone


def _before(tenant: Tenant, kept: Customer, merged: Customer, choice: Choice) -> notices.Before:
    """The kept customer before the merge; who is told of it are both, and the contact addresses that go."""
    mine, theirs = (notices.take(tenant=tenant, customer=each) for each in (kept, merged))
    proven = tuple(dict.fromkeys((*mine.proven, *theirs.proven)))
    replaced = kept.contact_email if "contact_email" in choice.taken else merged.contact_email
    others = dict.fromkeys(each for each in (*mine.others, *theirs.others, replaced) if each)
    return replace(mine, proven=proven, others=tuple(others))


def _tell(before: notices.Before, merged: Customer) -> list[int]:
    """Returns the key of what the link undoes; nothing where nobody has a link."""
    tenant, kept = before.tenant, before.customer
    facts = {"number": kept.number, "merged": merged.number}
    notices.tell(before=before, notice=notices.Notice.CUSTOMERS_MERGED, context=facts)
    newest = undoable_changes.in_force(tenant=tenant, customer=kept).first() if before.proven else None
    return [newest.pk] if newest else []


def _end(tenant: Tenant, kept: Customer, merged: Customer, by: By) -> None:
    """The other customer's sessions end, and of the kept one those that began with a log-in that nobody has proven;
    with both, what waits for an answer."""
    sessions.end_all(tenant=tenant, customer=merged, reason=END_REASON, **by)
    if ended := pending.end_unproven_sessions(tenant=tenant, customer=kept, reason=END_REASON):
        audit.record(
            tenant=tenant,
            action="end_session",
            customer_number=kept.number,
            reason=f"{END_REASON}: begun without a proof ({ended})",
            details={"reason": END_REASON},
            **by,
        )
    known_devices.forget(tenant=tenant, customer=merged)
    waiting = Submission.objects.for_tenant(tenant).filter(customer_number=merged.number, spent_at=None)
    waiting.update(spent_at=timezone.now(), data_encrypted="")


def _move_log_ins(tenant: Tenant, kept: Customer, merged: Customer) -> tuple[list[int], list[LogIn]]:
    """Returns the keys of those that moved, and those of both that nobody has proven, as they were."""
    theirs = list(accounts.of_customer(tenant=tenant, customer=merged))
    every = [*accounts.of_customer(tenant=tenant, customer=kept), *theirs]
    is_owned = any(each.is_verified for each in every)
    unproven = [each for each in every if not each.is_verified]
    before = [_as_it_is(each) for each in unproven]
    for each in theirs:
        each.customer = kept
    for each in unproven:
        _make_inert(each, is_owned=is_owned)
    Account.objects.bulk_update(every, ["customer", "is_permitted", "is_additional", "password", "session_id"])
    _ask(tenant, kept, unproven)
    return [each.pk for each in theirs], before


def _as_it_is(account: Account) -> LogIn:
    return LogIn(
        pk=account.pk,
        is_permitted=account.is_permitted,
        is_additional=account.is_additional,
        password=account.password,
        session_id=str(account.session_id) if account.session_id else None,
    )


def _make_inert(account: Account, *, is_owned: bool) -> None:
    """Nobody logs in with it before a proof. One that waited for the owner's session already does so still."""
    if is_owned and not account.is_additional:
        account.is_additional, account.session_id = True, None
        account.password = NO_PASSWORD if account.kind == Account.Kind.EMAIL else ""
    account.is_permitted = False


def _ask(tenant: Tenant, kept: Customer, unproven: Iterable[Account]) -> None:
    for each in unproven:
        each.tenant, each.customer = tenant, kept
        if each.kind == Account.Kind.EMAIL and each.is_additional:
            opt_in.ask_for_additional(tenant=tenant, account=each)
        elif each.kind == Account.Kind.EMAIL:
            opt_in.ask(tenant=tenant, account=each)


def _move_authenticator(tenant: Tenant, kept: Customer, merged: Customer) -> list[int]:
    """The app of the one who has one is asked for from now on; of two, that of the kept customer. Recovery codes are
    bound to their customer and stay. Returns its key if it moved."""
    apps = Authenticator.objects.for_tenant(tenant)
    own = apps.filter(customer=merged).exclude(confirmed_at=None).first()
    if own is None or apps.filter(customer=kept).exclude(confirmed_at=None).exists():
        return []
    apps.filter(customer=kept).delete()  # one that was never confirmed
    apps.filter(pk=own.pk).update(customer=kept)
    return [own.pk]
