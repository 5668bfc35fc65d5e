"""What a storefront hands in about a customer: checked and completed as a whole, then written to a profile."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypedDict

from django.db import transaction

from customers import consents, identifiers, profiles
from customers.addresses import addresses
from customers.addresses import fields as address_fields
from customers.addresses.fields import AddressChanges
from customers.enrichment import countries, enrichment
from customers.enrichment.fields import ADDRESS_NAMES, PROFILE_NAMES, CustomerFields, fields_of
from customers.models import Address, Customer
from customers.profiles import ProfileChanges
from customers.spelling.names import folded
from tenants.clients import Client
from tenants.errors import Complaints, InvalidInput, fields_renamed
from tenants.json_values import JsonObject
from tenants.models import Tenant
from tenants.trail import audit
from tenants.trail.event_types import Details, EventType

PERSON = ("first_name", "last_name")
ENTRY_NAMES = {own: name for name, own in PROFILE_NAMES.items()}
# What a postal code says: with a new code, the place is another.
PLACE = ("city", "state")


class EntryJson(TypedDict):
    """An entry as JSON: a completed one, in which dates are ISO 8601 texts."""

    values: CustomerFields
    consents: Mapping[str, bool]
    identifiers: Mapping[str, str]
    properties: JsonObject
    derived: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What was handed in: profile and address (`values`), consents by purpose, identifiers by name, and the
    `properties` that a storefront sent under names of its own. `derived` names the values that nobody sent.

    Whether the values are of their types, `complete` checks.
    """

    values: CustomerFields = field(default_factory=CustomerFields)
    consents: Mapping[str, bool] = field(default_factory=dict)
    identifiers: Mapping[str, str] = field(default_factory=dict)
    properties: JsonObject = field(default_factory=dict)
    derived: tuple[str, ...] = ()

    @property
    def email(self) -> str:
        """The address, normalized once the entry is complete; "" when there is none."""
        return self.values.get("email") or ""

    @property
    def phone(self) -> str:
        """The telephone number, in E.164 once the entry is complete; "" when there is none."""
        return self.values.get("phone") or ""

    def as_json(self) -> EntryJson:
        """The entry as JSON, for `from_json`."""
        return EntryJson(
            values=self.values,
            consents=self.consents,
            identifiers=self.identifiers,
            properties=self.properties,
            derived=self.derived,
        )

    @classmethod
    def from_json(cls, content: EntryJson) -> "Entry":
        """The entry that `as_json` wrote."""
        return cls(
            values=content["values"],
            consents=content["consents"],
            identifiers=content["identifiers"],
            properties=content["properties"],
            derived=tuple(content["derived"]),
        )


def complete(*, tenant: Tenant, entry: Entry) -> Entry:
    """The entry in one form and with what follows from it. Raises one `InvalidInput` with everything that is wrong."""
    complaints = Complaints()
    completed = entry
    with complaints.collect():
        enriched = enrichment.enrich(tenant=tenant, values=entry.values)
        completed = replace(entry, values=fields_of(enriched.values), derived=enriched.derived)
    refused = {each.field for each in complaints.found}  # may be of any type: they are not looked at again
    completed = replace(completed, values=fields_of({k: v for k, v in completed.values.items() if k not in refused}))
    with complaints.collect():
        identifiers.check(identifiers=completed.identifiers)
    with complaints.collect():
        consents.check(given=completed.consents)
    with complaints.collect(), fields_renamed(lambda name: ENTRY_NAMES.get(name, name)):
        profiles.check(tenant=tenant, values=_profile(completed))
    complaints.raise_any()  # of an address, enrichment has said everything
    return completed


def complete_for(*, tenant: Tenant, entry: Entry, customer: Customer) -> Entry:
    """The same for a known customer's entry. What the profile has already is no error, whatever lists and rules say of
    it today: a storefront sends back what it has read. Raises `InvalidInput`."""
    try:
        return complete(tenant=tenant, entry=entry)
    except InvalidInput as error:
        repeated = _repeated(tenant, customer, entry, {each.field for each in error.details})
        if not repeated:
            raise
        kept = {name: value for name, value in entry.values.items() if name not in repeated}
        return complete(tenant=tenant, entry=replace(entry, values=fields_of(kept)))


def _repeated(tenant: Tenant, customer: Customer, entry: Entry, refused: set[str]) -> set[str]:
    """Those of the refused fields that the profile has already. Where they are of its address, also what else of that
    is the same: a postal code without its country would be read as one of another."""
    sent = {*entry.values}
    of_address = refused & sent & {*ADDRESS_NAMES}
    address = addresses.find_default(tenant=tenant, customer=customer) if of_address else None
    same = {name for name in sent & refused if _is_stored(customer, address, name, entry)}
    if of_address and of_address <= same:
        same |= {name for name in sent & {*ADDRESS_NAMES} if _is_stored(customer, address, name, entry)}
    return same


def _is_stored(customer: Customer, address: Address | None, name: str, entry: Entry) -> bool:
    sent: object = dict(entry.values)[name]
    return sent not in (None, "") and sent == _stored(customer, address, name)


@transaction.atomic
def create(*, tenant: Tenant, number: str, entry: Entry, client: Client, has_log_in: bool = False) -> Customer:
    """A new profile of the completed entry; `has_log_in` says that the caller gives it one. Raises `InvalidInput`, and
    `identifiers.IdentifierTaken` for another customer's."""
    customer = profiles.create(tenant=tenant, number=number, values=_profile(entry))
    address = _address(entry)
    first = None
    if _says_something(address):
        address["contact_name"] = _contact_name(customer)
        first = addresses.create_first(tenant=tenant, customer=customer, values=address)
    events, details = _told_of_new(first, has_log_in=has_log_in)
    _write_the_rest(tenant, customer, entry, client, also=events, details=details)
    return customer


def _told_of_new(address: Address | None, *, has_log_in: bool) -> tuple[list[EventType], Details]:
    """What systems of the shop are told of a new customer."""
    events, details = [EventType.CUSTOMER_CREATED], Details()
    if has_log_in:
        events.append(EventType.CREDENTIAL_ADDED)
        details["credentials"] = ["one_time_code"]
    if address is not None:
        events.append(EventType.ADDRESS_CREATED)
        details["address"] = address.public_id
    return events, details


@transaction.atomic
def update(*, tenant: Tenant, customer: Customer, entry: Entry, client: Client) -> tuple[Customer, tuple[str, ...]]:
    """Write the completed entry to a profile; what was derived replaces nothing that is known. Returns the changed
    profile, and which of the derived values were written. Raises `InvalidInput`, `profiles.CustomerNotFound` and
    `identifiers.IdentifierTaken`."""
    address = addresses.find_default(tenant=tenant, customer=customer) if _says_something(_address(entry)) else None
    fitted = _fitted(tenant, customer, address, entry)
    changes = _profile(fitted)
    if not changes.get("contact_email"):
        changes.pop("contact_email", None)  # it can be changed, and not removed
    changed = profiles.update(tenant=tenant, customer=customer, changes=changes, client=client)
    _write_address(tenant, changed, address, _address(fitted), client)
    _write_the_rest(tenant, customer, fitted, client)
    return changed, fitted.derived


def _profile(entry: Entry) -> ProfileChanges:
    """The profile's part, by its own names."""
    part = {PROFILE_NAMES.get(name, name): value for name, value in entry.values.items() if name not in ADDRESS_NAMES}
    return profiles.changes_of(part | ({"properties": entry.properties} if entry.properties else {}))


def _address(entry: Entry) -> AddressChanges:
    return address_fields.changes_of({name: value for name, value in entry.values.items() if name in ADDRESS_NAMES})


def _says_something(address: AddressChanges) -> bool:
    return any(value not in (None, "") for value in address.values())


def _contact_name(customer: Customer) -> str:
    """An address has to name somebody."""
    name = " ".join(part for part in (customer.first_name, customer.last_name) if part)
    return (name or customer.company or customer.contact_email or customer.number)[:255]


def _fitted(tenant: Tenant, customer: Customer, address: Address | None, entry: Entry) -> Entry:
    """The entry without what is derived and known already; what a postal code says is worked out with the country
    that is known."""
    sent = {name: value for name, value in entry.values.items() if name not in entry.derived}
    if "country" in entry.derived and address is not None and address.country:
        entry = _within(tenant, address.country, entry, sent)
    is_new_place = bool(sent.get("postal_code"))
    kept = [name for name in entry.derived if (name in PLACE and is_new_place) or not _stored(customer, address, name)]
    values = {name: value for name, value in entry.values.items() if name in sent or name in kept}
    if address is not None and sent.get("postal_code", address.postal_code) != address.postal_code:
        values.setdefault("state", None)  # the stored one belongs to the old postal code
    return replace(entry, values=fields_of(values), derived=tuple(kept))


def _within(tenant: Tenant, country: str, entry: Entry, sent: Mapping[str, object]) -> Entry:
    """The entry with what follows in this country; in one that is on no list any more, nothing of an address does."""
    if countries.find_code(country) is None:
        derived = tuple(name for name in entry.derived if name not in ADDRESS_NAMES)
        values = {name: value for name, value in entry.values.items() if name in sent or name in derived}
        return replace(entry, values=fields_of(values), derived=derived)
    known = enrichment.enrich(tenant=tenant, values={**sent, "country": country})
    return replace(entry, values=fields_of(known.values), derived=known.derived)


def _stored(customer: Customer, address: Address | None, name: str) -> object:
    if name in ADDRESS_NAMES:
        return getattr(address, name) if address else None
    return getattr(customer, PROFILE_NAMES.get(name, name))


def _write_address(
    tenant: Tenant, customer: Customer, address: Address | None, values: AddressChanges, client: Client
) -> None:
    if address is not None:
        addresses.update(tenant=tenant, customer=customer, public_id=address.public_id, changes=values, client=client)
    elif _says_something(values):
        values["contact_name"] = _contact_name(customer)
        addresses.add(tenant=tenant, customer=customer, values=values, client=client)


def _write_the_rest(
    tenant: Tenant,
    customer: Customer,
    entry: Entry,
    client: Client,
    *,
    also: Sequence[EventType] = (),
    details: Details | None = None,
) -> None:
    if entry.identifiers:
        identifiers.assign(tenant=tenant, customer=customer, identifiers=entry.identifiers, client=client)
    if entry.consents:
        consents.record(
            tenant=tenant,
            customer=customer,
            given=entry.consents,
            source="check_in",
            locale=customer.preferred_language,
            client=client,
        )
    audit.record(
        tenant=tenant,
        action="check_in",
        client=client,
        customer_number=customer.number,
        reason=", ".join(sorted({*entry.values, *entry.properties}))[:255],
        also=also,
        details=details,
    )


def names_another(*, customer: Customer, entry: Entry) -> bool:
    """Whether the entry is about somebody of another name than the customer's; nobody is, while no name is known."""
    known = {name: folded(getattr(customer, name) or "") for name in PERSON}
    given = {name: folded(str(entry.values.get(name) or "")) for name in PERSON}
    return any(known.values()) and any(given[name] not in ("", known[name]) for name in PERSON)


def without_person(*, customer: Customer, entry: Entry) -> Entry:
    """The entry without the e-mail, and without the names where the customer's are known."""
    is_known = any(getattr(customer, name) for name in PERSON)
    left_out = {"email", *(PERSON if is_known else ())}
    return replace(entry, values=fields_of({k: v for k, v in entry.values.items() if k not in left_out}))


def without_identifiers(entry: Entry, names: Iterable[str]) -> Entry:
    """The entry but for these identifiers."""
    left_out = set(names)
    return replace(
        entry, identifiers={name: value for name, value in entry.identifiers.items() if name not in left_out}
    )
