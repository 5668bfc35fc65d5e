"""A customer's profile and addresses as the contract shows them."""

from typing import Any, Literal

from msgspec import field

from customers.models import Address, Customer
from tenants.api.base import Connections
from tenants.api.records import Moment, Record
from tenants.customer_numbers import ANONYMOUS_NUMBER


class StoredMetadata(Record):
    version: int
    mixins: dict[str, Any]


class StoredAddress(Record, kw_only=True, rename="camel"):
    metadata: StoredMetadata
    mixins: dict[str, Any]
    public_id: str = field(name="id")
    contact_name: str | None = None
    company_name: str | None = None
    street: str | None = None
    street_number: str | None = None
    street_appendix: str | None = None
    extra_line_1: str | None = None
    extra_line_2: str | None = None
    extra_line_3: str | None = None
    extra_line_4: str | None = None
    postal_code: str | None = field(name="zipCode", default=None)
    city: str | None = None
    country: str | None = None
    state: str | None = None
    contact_phone: str | None = None
    tags: list[str]
    is_default: bool


class AccountId(Record, rename="camel"):
    """A log-in: by e-mail, or by the id at its provider."""

    id: str
    provider_id: str | None = None


class AssignedCompany(Record, rename="camel"):
    """A company that the customer acts for."""

    id: str
    name: str
    contact_assignment_id: str


class StoredB2B(Record, kw_only=True, rename="camel"):
    company_registration_id: str | None = None
    legal_entities: list[AssignedCompany]


class StoredProfile(Record, kw_only=True, rename="camel"):
    """A visitor has a name, a site and the numbers only."""

    metadata: StoredMetadata | None = None
    mixins: dict[str, Any] | None = None
    title: str | None = None
    first_name: str | None = None
    middle_name: str | None = None
    last_name: str | None = None
    contact_email: str | None = None
    contact_phone: str | None = None
    company: str | None = None
    preferred_language: str | None = None
    preferred_currency: str | None = None
    preferred_site: str | None = None
    b2b: StoredB2B | None = None
    number: str = field(name="customerNumber")
    id: str
    last_login_at: Moment | None = field(name="lastLogin", default=None)
    business_model: Literal["B2B", "B2C"] | None = None
    accounts: list[AccountId]
    addresses: list[StoredAddress] | None = None
    default_address: StoredAddress | None = None


def stored_address(address: Address) -> StoredAddress:
    return StoredAddress.of(address, metadata=_metadata(address))


def stored_profile(
    customer: Customer, *, connections: Connections, addresses: list[Address] | None, expand: set[str]
) -> StoredProfile:
    """A customer's profile, with their addresses unless these are None, and with the mixins that `expand` names."""
    listed = None if addresses is None else [stored_address(each) for each in addresses]
    return StoredProfile.of(
        customer,
        metadata=_metadata(customer),
        mixins=_expanded(customer.mixins, expand),
        b2b=StoredB2B(
            company_registration_id=customer.company_registration_id,
            legal_entities=[AssignedCompany(*each) for each in connections.legal_entities],
        ),
        id=customer.number,
        business_model="B2B" if connections.legal_entities else "B2C",
        accounts=[AccountId(name, provider_id or None) for name, provider_id in connections.log_ins],
        addresses=listed,
        default_address=next((each for each in listed or () if each.is_default), None),
    )


def visitor(*, site: str) -> StoredProfile:
    """What stands for the profile of a visitor of this site."""
    return StoredProfile(
        first_name="Anonymous",
        last_name="Anonymous",
        preferred_site=site,
        number=ANONYMOUS_NUMBER,
        id=ANONYMOUS_NUMBER,
        accounts=[],
    )


def _metadata(holder: Customer | Address) -> StoredMetadata:
    return StoredMetadata(version=holder.version, mixins=holder.mixin_schemas)


def _expanded(mixins: dict[str, Any], expand: set[str]) -> dict[str, Any]:
    """The mixins that `expand` names: `mixin:*` for all, `mixin:{key}` for one."""
    return {key: value for key, value in mixins.items() if {"mixin:*", f"mixin:{key}"} & expand}
