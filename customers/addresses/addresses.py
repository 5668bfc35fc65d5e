"""Addresses of a customer."""

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from customers import mixins
from customers.models import Address, Customer
from customers.profiles import CustomerNotFound, StaleVersion
from tenants.errors import DomainError, FieldError, InvalidInput, Kind
from tenants.models import Tenant

ID_BYTES = 5  # 10 hexadecimal characters
ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
MAX_TAGS = 50
MAX_TAG_LENGTH = 64
MAX_ADDRESSES = 200

# Everything about an address that a customer may write as plain text, by the names of the model.
TEXT_FIELDS = (
    "contact_name",
    "company_name",
    "street",
    "street_number",
    "street_appendix",
    "extra_line_1",
    "extra_line_2",
    "extra_line_3",
    "extra_line_4",
    "postal_code",
    "city",
    "country",
    "state",
    "contact_phone",
)


def normalize_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they are stored: trimmed, upper-case, each once, in the order given."""
    return list(dict.fromkeys(tag.strip().upper() for tag in tags if tag.strip()))


class AddressNotFound(DomainError):
    """The customer has no address of this id."""

    kind = Kind.NOT_FOUND
    code = "address_not_found"
    default_message = "Address not found."


class AddressIdTaken(DomainError):
    """The customer has an address of this id already."""

    kind = Kind.CONFLICT
    code = "address_id_taken"
    default_message = "The customer has an address with this id already."


def check(*, values: Mapping[str, Any]) -> None:
    """Raises `InvalidInput` with everything that is wrong with an address to be created, its mixins aside."""
    errors = [
        *_contact_name_errors(values),
        *_country_errors(values),
        *_id_errors(values),
        *_tag_errors(values),
    ]
    if errors:
        raise InvalidInput(details=tuple(errors))


def check_first(*, tenant: Tenant, values: Mapping[str, Any]) -> None:
    """Raises the `InvalidInput` that `create_first` would, with nothing written."""
    check(values=values)
    mixins.assign(tenant=tenant, holder=Address(tenant=tenant), patch=values)


def create_first(*, tenant: Tenant, customer: Customer, values: Mapping[str, Any]) -> Address:
    """Insert the first address of a customer who was just created. Raises `InvalidInput`."""
    return _insert(tenant, customer, values, is_default=True)


@transaction.atomic
def add(*, tenant: Tenant, customer: Customer, values: Mapping[str, Any]) -> Address:
    """Add an address. The first one is the default; a later one becomes it when `values` say so (`is_default`).

    Raises `InvalidInput` and `AddressIdTaken`.
    """
    mine = _locked(tenant, customer)
    if len(mine) >= MAX_ADDRESSES:
        raise InvalidInput(f"A customer has at most {MAX_ADDRESSES} addresses.")
    if values.get("public_id") in {address.public_id for address in mine}:
        raise AddressIdTaken
    is_default = not mine or bool(values.get("is_default"))
    if is_default:
        _unset_default(tenant, customer)
    return _insert(tenant, customer, values, is_default=is_default)


@transaction.atomic
def update(
    *,
    tenant: Tenant,
    customer: Customer,
    public_id: str,
    changes: Mapping[str, Any],
    expected_version: int | None = None,
) -> Address:
    """Apply a merge patch (RFC 7396). `is_default` true makes this one the default; there is no other way to unset it.

    Raises `AddressNotFound`, `StaleVersion` and `InvalidInput`.
    """
    address = _find(_locked(tenant, customer), customer, public_id)
    if expected_version is not None and expected_version != address.version:
        raise StaleVersion("The address was changed in the meantime. Read it again and repeat the change.")
    if changes.get("is_default") and not address.is_default:
        _unset_default(tenant, customer)
        address.is_default = True
    _assign(tenant, address, changes)
    address.version += 1
    address.save()
    return address


@transaction.atomic
def remove(*, tenant: Tenant, customer: Customer, public_id: str) -> None:
    """Delete an address. When it was the default, the oldest remaining one becomes it. Raises `AddressNotFound`."""
    mine = _locked(tenant, customer)
    address = _find(mine, customer, public_id)
    remaining = [each for each in mine if each.pk != address.pk]
    address.delete()
    if address.is_default and remaining:
        remaining[0].is_default = True
        remaining[0].save(update_fields=["is_default"])


@transaction.atomic
def add_tags(*, tenant: Tenant, customer: Customer, public_id: str, tags: Iterable[str]) -> Address:
    """Add tags, each once. Raises `AddressNotFound` and `InvalidInput`."""
    address = _find(_locked(tenant, customer), customer, public_id)
    return _save_tags(address, [*address.tags, *tags])


@transaction.atomic
def remove_tags(*, tenant: Tenant, customer: Customer, public_id: str, tags: Iterable[str]) -> Address:
    """Remove tags; those that are not there are no mistake. Raises `AddressNotFound`."""
    address = _find(_locked(tenant, customer), customer, public_id)
    unwanted = set(normalize_tags(tags))
    return _save_tags(address, [tag for tag in address.tags if tag not in unwanted])


def get(*, tenant: Tenant, customer: Customer, public_id: str) -> Address:
    """The customer's address of this id. Raises `AddressNotFound`."""
    mine = Address.objects.for_tenant(tenant).filter(customer=customer, public_id=public_id)
    return _find(list(mine), customer, public_id)


def list_for(*, tenant: Tenant, customer: Customer) -> list[Address]:
    """The customer's addresses, oldest first."""
    return list(Address.objects.for_tenant(tenant).filter(customer=customer).order_by("pk"))


def find_default(*, tenant: Tenant, customer: Customer) -> Address | None:
    """The customer's default address."""
    return Address.objects.for_tenant(tenant).filter(customer=customer, is_default=True).first()


def _locked(tenant: Tenant, customer: Customer) -> list[Address]:
    """The customer's addresses, oldest first, while nobody else changes any: the customer's row is locked."""
    locked = Customer.objects.for_tenant(tenant).select_for_update().filter(pk=customer.pk, erased_at=None)
    if not list(locked.values_list("pk")):
        raise CustomerNotFound
    return list_for(tenant=tenant, customer=customer)


def _find(addresses: list[Address], customer: Customer, public_id: str) -> Address:
    for address in addresses:
        if address.public_id == public_id:
            return address
    raise AddressNotFound(f"Address {public_id} of customer {customer.number} not found.")


def _insert(tenant: Tenant, customer: Customer, values: Mapping[str, Any], *, is_default: bool) -> Address:
    check(values=values)
    address = Address(
        tenant=tenant,
        customer=customer,
        public_id=values.get("public_id") or secrets.token_hex(ID_BYTES),
        is_default=is_default,
    )
    _assign(tenant, address, values)
    address.save(force_insert=True)
    return address


def _assign(tenant: Tenant, address: Address, values: Mapping[str, Any]) -> None:
    """Put `values` on the address and check it as a whole. Raises `InvalidInput`."""
    for field in TEXT_FIELDS:
        if field in values:
            setattr(address, field, values[field])
    if "tags" in values:
        address.tags = normalize_tags(values["tags"] or ())
    check(values={field: getattr(address, field) for field in (*TEXT_FIELDS, "public_id", "tags")})
    mixins.assign(tenant=tenant, holder=address, patch=values)
    if address.country:
        address.country = address.country.upper()


def _save_tags(address: Address, tags: list[str]) -> Address:
    address.tags = normalize_tags(tags)
    check(values={"contact_name": address.contact_name, "tags": address.tags})
    address.version += 1
    address.save(update_fields=["tags", "version"])
    return address


def _unset_default(tenant: Tenant, customer: Customer) -> None:
    Address.objects.for_tenant(tenant).filter(customer=customer, is_default=True).update(is_default=False)


def _contact_name_errors(values: Mapping[str, Any]) -> list[FieldError]:
    if values.get("contact_name"):
        return []
    return [FieldError(field="contact_name", code="required", message="This field is required.")]


def _country_errors(values: Mapping[str, Any]) -> list[FieldError]:
    country = values.get("country")
    if not country or re.fullmatch(r"[A-Za-z]{2}", country):
        return []
    return [FieldError(field="country", code="invalid", message="Enter a country code of two letters.")]


def _id_errors(values: Mapping[str, Any]) -> list[FieldError]:
    public_id = values.get("public_id")
    if not public_id or re.fullmatch(ID_PATTERN, public_id):
        return []
    message = "An id has 1 to 64 letters, digits, hyphens and underscores."
    return [FieldError(field="public_id", code="invalid", message=message)]


def _tag_errors(values: Mapping[str, Any]) -> list[FieldError]:
    if len(values.get("tags") or ()) <= MAX_TAGS:
        return []
    return [FieldError(field="tags", code="max_length", message=f"At most {MAX_TAGS} tags.")]
