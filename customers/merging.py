"""Two profiles that are one person's: how they differ, and what moves from the one to the other and back.

The profile that is kept takes what staff choose of the other one, and all of its addresses, notes, identifiers,
segments and companies. What consents say newest is in force. The other profile is emptied and names the kept one.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypedDict, cast

from django.db.models import F, Model
from django.utils import timezone

from customers import consents, identifiers, legal_entities, profiles, segments
from customers.addresses import addresses
from customers.models import (
    Address,
    Consent,
    ContactAssignment,
    Customer,
    CustomerIdentifier,
    Note,
    Segment,
    SegmentMembership,
)
from customers.profiles import ProfileChanges
from customers.search import index
from tenants.clients import Client
from tenants.compiled import writes
from tenants.errors import InvalidInput
from tenants.json_values import Json
from tenants.models import Tenant
from tenants.privacy.classification import emptied

# Chosen field by field. Flags follow rules of their own (`take_flags`), objects are chosen entry by entry.
COLUMNS = tuple(name for name in profiles.FIELDS if name not in ("properties", "is_prospect", "is_activated"))
OBJECTS = ("mixins", "properties")
DEFAULT_ADDRESS = "default_address"
FLAGS = ("is_active", "is_on_hold", "is_prospect", "is_activated")
SOURCE, UNDONE = "merged from {}", "merge undone"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that both profiles may say something about, in words. `is_choice` where both could be kept, `is_taken`
    whether that of the other profile is proposed: where the kept one says nothing."""

    name: str
    label: str
    kept: str
    merged: str
    is_choice: bool
    is_taken: bool


class Moved(TypedDict):
    """What moved, by key: enough to bring it back. `ids` are the former ids of addresses that had to get others."""

    addresses: list[int]
    notes: list[int]
    identifiers: list[int]
    ids: dict[str, str]
    default_of_kept: list[int]  # one at most
    default_of_merged: list[int]
    segments: list[str]
    new_segments: list[str]
    companies: list[tuple[str, int]]
    new_companies: list[int]
    consents: dict[str, bool | None]


def differences(*, tenant: Tenant, kept: Customer, merged: Customer) -> list[Difference]:
    """The two profiles side by side."""
    found = [
        _difference(name, str(Customer._meta.get_field(name).verbose_name), getattr(kept, name), getattr(merged, name))  # type: ignore[union-attr]
        for name in COLUMNS
    ]
    for column in OBJECTS:
        mine, theirs = getattr(kept, column), getattr(merged, column)
        found += [
            _difference(f"{column}.{key}", f"{column}: {key}", mine.get(key), theirs.get(key))
            for key in dict.fromkeys((*mine, *theirs))
        ]
    default, other = (addresses.find_default(tenant=tenant, customer=each) for each in (kept, merged))
    found.append(_difference(DEFAULT_ADDRESS, "default address", default, other))
    return [each for each in found if each.kept or each.merged]


def _difference(name: str, label: str, kept: object, merged: object) -> Difference:
    mine, theirs = ("" if each in (None, "", {}) else str(each) for each in (kept, merged))
    return Difference(
        name=name,
        label=label,
        kept=mine,
        merged=theirs,
        is_choice=bool(theirs) and mine != theirs,
        is_taken=bool(theirs) and not mine,
    )


def changes_of(*, merged: Customer, taken: Collection[str]) -> ProfileChanges:
    """The change of the kept profile that gives it these fields of the other."""
    changes: dict[str, object] = {name: getattr(merged, name) for name in COLUMNS if name in taken}
    for column in OBJECTS:
        entries = {key: value for key, value in getattr(merged, column).items() if f"{column}.{key}" in taken}
        if entries:
            changes[column] = entries
    if "mixins" in changes:
        named = cast(Mapping[str, Json], changes["mixins"])
        changes["mixin_schemas"] = {key: url for key, url in merged.mixin_schemas.items() if key in named}
    return profiles.changes_of(changes)


def take_flags(*, tenant: Tenant, kept: Customer, merged: Customer) -> None:
    """What keeps one of the two out keeps out the one who is left."""
    kept.is_active = kept.is_active and merged.is_active
    kept.is_on_hold = kept.is_on_hold or merged.is_on_hold
    kept.is_prospect = kept.is_prospect and merged.is_prospect
    kept.is_activated = kept.is_activated or merged.is_activated
    known = [at for at in (kept.last_login_at, merged.last_login_at) if at]
    kept.last_login_at = max(known, default=None)
    Customer.objects.for_tenant(tenant).filter(pk=kept.pk).update(
        **{name: getattr(kept, name) for name in (*FLAGS, "last_login_at")}
    )


def move(
    *, tenant: Tenant, kept: Customer, merged: Customer, taken: Collection[str], staff_username: str, client: Client
) -> Moved:
    """Give the kept customer what the other has, in the caller's transaction, which holds both rows. Raises
    `InvalidInput` where one customer can't have as much."""
    _check_room(tenant, kept, merged)
    is_default_taken = DEFAULT_ADDRESS in taken
    ids = _rename_addresses(tenant, kept, merged)
    defaults = _choose_default(tenant, kept, merged, is_taken=is_default_taken)
    moved = {
        name: _reassign(model, tenant, merged, kept)
        for name, model in (("addresses", Address), ("notes", Note), ("identifiers", CustomerIdentifier))
    }
    codes, new_codes = _move_segments(tenant, kept, merged)
    companies, new_companies = _move_companies(tenant, kept, merged)
    before = _move_consents(tenant, kept, merged, staff_username, client)
    _index(tenant, kept)
    return Moved(
        addresses=moved["addresses"],
        notes=moved["notes"],
        identifiers=moved["identifiers"],
        ids=ids,
        default_of_kept=defaults[0],
        default_of_merged=defaults[1],
        segments=codes,
        new_segments=new_codes,
        companies=companies,
        new_companies=new_companies,
        consents=before,
    )


def empty(*, tenant: Tenant, merged: Customer, into: Customer) -> None:
    """Leave of the profile its number, and whose it is now. It is found by that number alone."""
    now = timezone.now()
    for name, value in emptied(Customer).items():
        setattr(merged, name, value)
    there = Customer.objects.for_tenant(tenant).filter(pk=merged.pk)
    there.update(
        **{**emptied(Customer), "search_profile": merged.profile_text()},
        is_active=False,
        is_on_hold=False,
        merged_into=into,
        version=F("version") + 1,
        updated_at=now,
    )


def give_back(
    *, tenant: Tenant, kept: Customer, merged: Customer, moved: Moved, staff_username: str, client: Client
) -> None:
    """Undo `move`, in the caller's transaction, which holds both rows: what is still there goes back, and what came
    after the merge stays with the kept customer."""
    own = Address.objects.for_tenant(tenant).filter(customer=kept)
    if own.filter(pk__in=moved["default_of_merged"], is_default=True).exists():
        own.filter(is_default=True).update(is_default=False)
        own.filter(pk__in=moved["default_of_kept"]).update(is_default=True)
    for model, keys in ((Address, moved["addresses"]), (Note, moved["notes"])):
        _reassign(model, tenant, kept, merged, keys)
    _reassign(CustomerIdentifier, tenant, kept, merged, moved["identifiers"])
    back = Address.objects.for_tenant(tenant).filter(customer=merged)
    for key, public_id in moved["ids"].items():
        back.filter(pk=int(key)).update(public_id=public_id)
    back.update(is_default=False)
    back.filter(pk__in=moved["default_of_merged"]).update(is_default=True)
    _return_segments(tenant, kept, merged, moved)
    _return_companies(tenant, kept, merged, moved)
    _return_consents(tenant, kept, merged, moved["consents"], staff_username, client)
    _index(tenant, kept)
    _index(tenant, merged)


def _check_room(tenant: Tenant, kept: Customer, merged: Customer) -> None:
    both = (kept, merged)
    for model, most, what in (
        (Address, addresses.MAX_ADDRESSES, "addresses"),
        (CustomerIdentifier, identifiers.MAX_IDENTIFIERS, "identifiers"),
    ):
        if model._default_manager.filter(tenant=tenant, customer__in=both).count() > most:
            raise InvalidInput.field("customer", f"A customer has at most {most} {what}.", code="max_length")


def _reassign(
    model: type[Model], tenant: Tenant, giver: Customer, taker: Customer, keys: Iterable[int] | None = None
) -> list[int]:
    """Give the rows, or those of these keys, to the other customer. Returns their keys."""
    rows = model._default_manager.filter(tenant=tenant, customer=giver)
    found = list((rows if keys is None else rows.filter(pk__in=keys)).order_by("pk").values_list("pk", flat=True))
    rows.filter(pk__in=found).update(customer=taker)
    return found


def _rename_addresses(tenant: Tenant, kept: Customer, merged: Customer) -> dict[str, str]:
    """Give others' ids to addresses whose ids the kept customer has. Returns the former ones, by key."""
    taken = {each.public_id for each in addresses.list_for(tenant=tenant, customer=kept)}
    same = [each for each in addresses.list_for(tenant=tenant, customer=merged) if each.public_id in taken]
    for each in same:
        Address.objects.for_tenant(tenant).filter(pk=each.pk).update(public_id=secrets.token_hex(addresses.ID_BYTES))
    return {str(each.pk): each.public_id for each in same}


def _choose_default(tenant: Tenant, kept: Customer, merged: Customer, *, is_taken: bool) -> tuple[list[int], list[int]]:
    """Leave one default address of two. Returns the keys of both as they were."""
    mine, theirs = (addresses.find_default(tenant=tenant, customer=each) for each in (kept, merged))
    loser = (mine if is_taken else theirs) if mine and theirs else None
    if loser is not None:
        Address.objects.for_tenant(tenant).filter(pk=loser.pk).update(is_default=False)
    return [mine.pk] if mine else [], [theirs.pk] if theirs else []


def _move_segments(tenant: Tenant, kept: Customer, merged: Customer) -> tuple[list[str], list[str]]:
    codes = [each.code for each in segments.list_for(tenant=tenant, customer=merged)]
    mine = {each.code for each in segments.list_for(tenant=tenant, customer=kept)}
    new = [code for code in codes if code not in mine]
    SegmentMembership.objects.for_tenant(tenant).filter(customer=merged).delete()
    _assign_segments(tenant, kept, new)
    return codes, new


def _assign_segments(tenant: Tenant, customer: Customer, codes: Iterable[str]) -> None:
    found = Segment.objects.for_tenant(tenant).filter(code__in=codes)
    SegmentMembership.objects.bulk_create(
        (SegmentMembership(tenant=tenant, customer=customer, segment=each) for each in found), ignore_conflicts=True
    )


def _return_segments(tenant: Tenant, kept: Customer, merged: Customer, moved: Moved) -> None:
    mine = SegmentMembership.objects.for_tenant(tenant).filter(customer=kept)
    mine.filter(segment__code__in=moved["new_segments"]).delete()
    _assign_segments(tenant, merged, moved["segments"])


def _move_companies(tenant: Tenant, kept: Customer, merged: Customer) -> tuple[list[tuple[str, int]], list[int]]:
    """Assignments keep their ids, but for those to a company that the kept customer acts for already."""
    rows = ContactAssignment.objects.for_tenant(tenant)
    theirs = list(rows.filter(customer=merged).order_by("pk").values_list("public_id", "legal_entity_id"))
    mine = set(rows.filter(customer=kept).values_list("legal_entity_id", flat=True))
    new = [company for _, company in theirs if company not in mine]
    rows.filter(customer=merged, legal_entity__in=new).update(customer=kept)
    rows.filter(customer=merged).delete()
    return theirs, new


def _return_companies(tenant: Tenant, kept: Customer, merged: Customer, moved: Moved) -> None:
    rows = ContactAssignment.objects.for_tenant(tenant)
    rows.filter(customer=kept, legal_entity__in=moved["new_companies"]).update(customer=merged)
    there = set(rows.filter(customer=merged).values_list("legal_entity_id", flat=True))
    gone = set(rows.values_list("public_id", flat=True).filter(public_id__in=[each for each, _ in moved["companies"]]))
    for public_id, company in moved["companies"]:
        if company not in there and company not in moved["new_companies"]:
            named = public_id if public_id not in gone else legal_entities.new_public_id()
            rows.create(tenant=tenant, customer=merged, legal_entity_id=company, public_id=named)


def _move_consents(
    tenant: Tenant, kept: Customer, merged: Customer, staff_username: str, client: Client
) -> dict[str, bool | None]:
    """State anew for the kept customer what the other said later: a statement is never rewritten. Returns what was in
    force before."""
    mine = {each.purpose: each for each in consents.in_force(tenant=tenant, customer=kept)}
    before: dict[str, bool | None] = {}
    for said in consents.in_force(tenant=tenant, customer=merged):
        own = mine.get(said.purpose)
        if own is not None and (own.is_given == said.is_given or own.at >= said.at):
            continue
        before[said.purpose] = own.is_given if own else None
        _state(tenant, kept, said, SOURCE.format(merged.number), staff_username, client)
    return before


def _state(  # noqa: PLR0917 - who said what where
    tenant: Tenant, customer: Customer, said: Consent, source: str, staff_username: str, client: Client
) -> None:
    consents.record(
        tenant=tenant,
        customer=customer,
        given={said.purpose: said.is_given},
        source=source,
        client=client,
        staff_username=staff_username,
        text_version=said.text_version,
        locale=said.locale,
        proof=said.proof,
    )


def _return_consents(  # noqa: PLR0917
    tenant: Tenant,
    kept: Customer,
    merged: Customer,
    before: Mapping[str, bool | None],
    staff_username: str,
    client: Client,
) -> None:
    """Where the statement of the merge is still the newest, what was in force before it is again; a purpose that nobody
    had asked the kept customer about is not consented to."""
    source = SOURCE.format(merged.number)
    now = {each.purpose for each in consents.in_force(tenant=tenant, customer=kept) if each.source == source}
    given = {purpose: bool(was) for purpose, was in before.items() if purpose in now}
    if given:
        consents.record(
            tenant=tenant, customer=kept, given=given, source=UNDONE, client=client, staff_username=staff_username
        )


def _index(tenant: Tenant, customer: Customer) -> None:
    """What the customer is found by of addresses and identifiers."""
    index.index_addresses(
        tenant=tenant, customer=customer, addresses=addresses.list_for(tenant=tenant, customer=customer)
    )
    own = [each.value for each in identifiers.list_for(tenant=tenant, customer=customer)]
    index.index_identifiers(tenant=tenant, customer=customer, values=own)


def restore(*, customer: Customer, values: Mapping[str, object]) -> None:
    """Write these columns back to the profile, whose row the caller holds, with the next version."""
    for name, value in values.items():
        setattr(customer, name, value)
    customer.version += 1
    customer.updated_at = timezone.now()
    writes.store(customer)
