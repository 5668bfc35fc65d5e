"""The customer in the contract's words: addresses are contacts, mixins are attributes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, TypedDict

from auth_providers.accounts import connections
from auth_providers.api.kibo.formats import locale_of, to_the_second
from auth_providers.api.kibo.records import (
    Attribute,
    AuditInfo,
    Contact,
    ContactAddress,
    ContactType,
    CustomerAccount,
    CustomerSegment,
    PhoneNumbers,
    StaffNote,
)
from auth_providers.models import Session
from customers import consents, notes, segments
from customers.addresses import addresses
from customers.models import Address, Customer, Note, Segment
from tenants.compiled.queries import CompiledQuery, reading_ahead
from tenants.models import Tenant

# The purpose whose consent is meant where the contract knows one only.
MARKETING = "email"
CONTACT_TYPES = {"BILLING": "Billing", "SHIPPING": "Shipping"}
ADDRESS_LINES = 4
# What the parts that may be left out are read with.
READS_OF_PARTS: dict[str, Sequence[CompiledQuery[Any, Any]]] = {
    "acceptsMarketing": consents.READS,
    "contacts": addresses.READS,
    "notes": notes.READS,
    "segments": segments.READS,
}


class Whose(TypedDict):
    tenant: Tenant
    customer: Customer


def customer_account(
    *, tenant: Tenant, session: Session, customer: Customer, is_wanted: Callable[[str], bool]
) -> CustomerAccount:
    """What a ticket says of its customer. `session` is the one that the ticket is for; of the parts that take a
    statement of their own, only those are looked up that `is_wanted` says yes to."""
    parts = chain.from_iterable(reads for part, reads in READS_OF_PARTS.items() if is_wanted(part))
    reads = [each.asked(tenant=tenant, customer=customer) for each in (*connections.READS, *parts)]
    with reading_ahead(*reads):
        return _customer_account(tenant, session, customer, is_wanted)


def _customer_account(
    tenant: Tenant, session: Session, customer: Customer, is_wanted: Callable[[str], bool]
) -> CustomerAccount:
    known = connections.list_for(tenant=tenant, customer=customer)
    whose: Whose = {"tenant": tenant, "customer": customer}
    return CustomerAccount(
        id=int(customer.number),
        user_id=customer.number,
        user_name=known.log_ins[0][0] if known.log_ins else None,
        account_type="B2B" if known.legal_entities else "B2C",
        email_address=customer.contact_email,
        first_name=customer.first_name,
        last_name=customer.last_name,
        company_or_organization=customer.company,
        locale_code=locale_of(customer.preferred_language),
        customer_since_date=to_the_second(customer.created_at),
        last_second_factor_at=to_the_second(session.authenticated_at if session.second_factor else None),
        accepts_marketing=consents.current(**whose).get(MARKETING) if is_wanted("acceptsMarketing") else None,
        has_external_password=False,
        is_active=customer.is_active,
        is_anonymous=False,
        is_locked=customer.is_on_hold,
        migration_required=False,
        attributes=_attributes(customer.mixins),
        contacts=[_contact(each, customer) for each in addresses.list_for(**whose)] if is_wanted("contacts") else [],
        notes=[_note(each) for each in notes.list_for(**whose)] if is_wanted("notes") else [],
        segments=[_segment(each) for each in segments.list_for(**whose)] if is_wanted("segments") else [],
        audit_info=_audit_info(customer.created_at, customer.updated_at),
    )


def _audit_info(created_at: datetime | None, updated_at: datetime | None = None, by: str | None = None) -> AuditInfo:
    return AuditInfo(create_by=by, create_date=to_the_second(created_at), update_date=to_the_second(updated_at))


def _attributes(mixins: dict[str, Any]) -> list[Attribute]:
    """The properties of every mixin, each by both names. Sorted: databases keep them in an order of their own."""
    named: dict[str, Any] = {}
    for key, values in mixins.items():
        named |= (
            {f"{key}~{name}": value for name, value in values.items()} if isinstance(values, dict) else {key: values}
        )
    return [
        Attribute(fully_qualified_name=name, values=value if isinstance(value, list) else [value])
        for name, value in sorted(named.items())
    ]


def _contact(address: Address, customer: Customer) -> Contact:
    """We know a contact's name as a whole. It is taken apart only where it is the customer's own."""
    own = " ".join(part for part in (customer.first_name, customer.last_name) if part)
    is_own = address.contact_name == own
    return Contact(
        id=address.pk,
        account_id=int(customer.number),
        first_name=customer.first_name if is_own else None,
        last_name_or_surname=customer.last_name if is_own else address.contact_name,
        company_or_organization=address.company_name,
        email=customer.contact_email,
        phone_numbers=PhoneNumbers(home=address.contact_phone),
        types=[
            ContactType(name=CONTACT_TYPES[tag], is_primary=address.is_default)
            for tag in address.tags
            if tag in CONTACT_TYPES
        ],
        address=_postal_address(address),
        audit_info=_audit_info(address.created_at),
    )


def _postal_address(address: Address) -> ContactAddress:
    """As many lines as the contract has; what is left over shares the last one."""
    street = " ".join(part for part in (address.street, address.street_number) if part)
    extra = (address.extra_line_1, address.extra_line_2, address.extra_line_3, address.extra_line_4)
    given = [line for line in (street, address.street_appendix, *extra) if line]
    lines = [*given[: ADDRESS_LINES - 1], ", ".join(given[ADDRESS_LINES - 1 :])]
    return ContactAddress(
        **{f"address{number}": line for number, line in enumerate(lines, start=1) if line},
        city_or_town=address.city,
        country_code=address.country,
        is_validated=False,
        postal_or_zip_code=address.postal_code,
        state_or_province=address.state,
    )


def _note(note: Note) -> StaffNote:
    return StaffNote(id=note.pk, content=note.text, audit_info=_audit_info(note.created_at, by=note.staff_username))


def _segment(segment: Segment) -> CustomerSegment:
    return CustomerSegment(
        id=segment.pk,
        code=segment.code,
        name=segment.name or None,
        description=segment.description or None,
        audit_info=_audit_info(segment.created_at),
    )
