"""The customer in the contract's words: addresses are contacts, mixins are attributes. What we don't know is null.

Parts that take a statement of their own are functions, called where `responseFields` asks for them.
"""

from datetime import datetime
from typing import Any

from auth_providers.accounts import connections
from auth_providers.api.kibo.formats import locale_of, timestamp
from auth_providers.models import Session
from customers import consents, notes, segments
from customers.addresses import addresses
from customers.models import Address, Customer, Note, Segment
from tenants.models import Tenant

# The purpose whose consent is meant where the contract knows one only.
MARKETING = "email"
CONTACT_TYPES = {"BILLING": "Billing", "SHIPPING": "Shipping"}
ADDRESS_LINES = 4


def customer_account(*, tenant: Tenant, session: Session, customer: Customer) -> dict[str, Any]:
    """What a ticket says of its customer. `session` is the one that the ticket is for."""
    known = connections.list_for(tenant=tenant, customer=customer)
    return _nobody() | {
        "id": int(customer.number),
        "userId": customer.number,
        "userName": known.log_ins[0][0] if known.log_ins else None,
        "accountType": "B2B" if known.legal_entities else "B2C",
        "emailAddress": customer.contact_email,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "companyOrOrganization": customer.company,
        "localeCode": locale_of(customer.preferred_language),
        "customerSinceDate": timestamp(customer.created_at),
        "last2FaDate": timestamp(session.authenticated_at if session.second_factor else None),
        "acceptsMarketing": lambda: consents.current(tenant=tenant, customer=customer).get(MARKETING),
        "hasExternalPassword": False,
        "isActive": customer.is_active,
        "isAnonymous": False,
        "isLocked": customer.is_on_hold,
        "migrationRequired": False,
        "attributes": _attributes(customer.mixins),
        "contacts": lambda: [_contact(each, customer) for each in addresses.list_for(tenant=tenant, customer=customer)],
        "notes": lambda: [_note(each) for each in notes.list_for(tenant=tenant, customer=customer)],
        "segments": lambda: [_segment(each) for each in segments.list_for(tenant=tenant, customer=customer)],
        "auditInfo": _audit_info(customer.created_at, customer.updated_at),
    }


def anonymous_account() -> dict[str, Any]:
    """What a ticket says of a visitor."""
    return _nobody() | {"isAnonymous": True}


def _nobody() -> dict[str, Any]:
    """Every field, with what is known of anyone. Orders, taxes and sets of customers are other services' to know."""
    return {
        "id": None,
        "userId": None,
        "userName": None,
        "accountType": None,
        "emailAddress": None,
        "firstName": None,
        "lastName": None,
        "companyOrOrganization": None,
        "localeCode": None,
        "customerSet": None,
        "customerSinceDate": None,
        "commerceSummary": None,
        "externalId": None,
        "last2FaDate": None,
        "acceptsMarketing": None,
        "hasExternalPassword": None,
        "isActive": None,
        "isAnonymous": None,
        "isLocked": None,
        "migrationRequired": None,
        "taxExempt": None,
        "taxId": None,
        "attributes": [],
        "contacts": [],
        "notes": [],
        "segments": [],
        "auditInfo": None,
    }


def _audit_info(
    created_at: datetime | None, updated_at: datetime | None = None, by: str | None = None
) -> dict[str, Any]:
    return {
        "createBy": by,
        "createDate": timestamp(created_at),
        "updateBy": None,
        "updateDate": timestamp(updated_at),
    }


def _attributes(mixins: dict[str, Any]) -> list[dict[str, Any]]:
    """The properties of every mixin, each by both names. Sorted: databases keep them in an order of their own."""
    named: dict[str, Any] = {}
    for key, values in mixins.items():
        named |= (
            {f"{key}~{name}": value for name, value in values.items()} if isinstance(values, dict) else {key: values}
        )
    return [_attribute(name, value) for name, value in sorted(named.items())]


def _attribute(name: str, value: Any) -> dict[str, Any]:
    values = value if isinstance(value, list) else [value]
    return {"attributeDefinitionId": None, "fullyQualifiedName": name, "values": values, "auditInfo": None}


def _contact(address: Address, customer: Customer) -> dict[str, Any]:
    return {
        "id": address.pk,
        "accountId": int(customer.number),
        **_names(address, customer),
        "companyOrOrganization": address.company_name,
        "email": customer.contact_email,
        "faxNumber": None,
        "label": None,
        "phoneNumbers": {"home": address.contact_phone, "mobile": None, "work": None},
        "types": [
            {"name": CONTACT_TYPES[tag], "isPrimary": address.is_default}
            for tag in address.tags
            if tag in CONTACT_TYPES
        ],
        "address": _postal_address(address),
        "auditInfo": _audit_info(address.created_at),
    }


def _names(address: Address, customer: Customer) -> dict[str, str | None]:
    """We know a contact's name as a whole. It is taken apart only where it is the customer's own."""
    own = " ".join(part for part in (customer.first_name, customer.last_name) if part)
    is_own = address.contact_name == own
    return {
        "firstName": customer.first_name if is_own else None,
        "middleNameOrInitial": None,
        "lastNameOrSurname": customer.last_name if is_own else address.contact_name,
    }


def _postal_address(address: Address) -> dict[str, Any]:
    """As many lines as the contract has; what is left over shares the last one."""
    street = " ".join(part for part in (address.street, address.street_number) if part)
    extra = (address.extra_line_1, address.extra_line_2, address.extra_line_3, address.extra_line_4)
    given = [line for line in (street, address.street_appendix, *extra) if line]
    lines = [*given[: ADDRESS_LINES - 1], ", ".join(given[ADDRESS_LINES - 1 :])]
    return {
        **{f"address{number}": None for number in range(1, ADDRESS_LINES + 1)},
        **{f"address{number}": line for number, line in enumerate(lines, start=1) if line},
        "addressType": None,
        "cityOrTown": address.city,
        "countryCode": address.country,
        "isValidated": False,
        "postalOrZipCode": address.postal_code,
        "stateOrProvince": address.state,
    }


def _note(note: Note) -> dict[str, Any]:
    return {"id": note.pk, "content": note.text, "auditInfo": _audit_info(note.created_at, by=note.staff_username)}


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "id": segment.pk,
        "code": segment.code,
        "name": segment.name or None,
        "description": segment.description or None,
        "auditInfo": _audit_info(segment.created_at),
    }
