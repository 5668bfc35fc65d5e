"""Addresses of a customer: adding, changing, removing, and which one is the default. Their fields are in `fields`."""

import secrets
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from customers import mixins, profiles
from customers.addresses import fields
from customers.addresses.fields import AddressChanges
from customers.models import Address, Customer
from customers.profiles import StaleVersion
from customers.search import index
from tenants.clients import Client
from tenants.compiled import writes
from tenants.compiled.instances import fresh
from tenants.compiled.queries import compiled
from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import Tenant
from tenants.trail import audit

ID_BYTES = 5  # 10 hexadecimal characters
MAX_ADDRESSES = 200


class AddressNotFound(DomainError):
    """The customer has no address of this id."""

    kind = Kind.NOT_FOUND
    reason = Reason.ADDRESS_NOT_FOUND
    default_message = "Address not found."


class AddressIdTaken(DomainError):
    """The customer has an address of this id already."""

    kind = Kind.CONFLICT
    reason = Reason.ADDRESS_ID_TAKEN
    default_message = "The customer has an address with this id already."


def check_first(*, tenant: Tenant, values: AddressChanges) -> None:
    """Raises the `InvalidInput` that `create_first` would, with nothing written."""
    fields.check(values=values)
    mixins.assign(tenant=tenant, holder=Address(tenant=tenant), patch=values)


def create_first(*, tenant: Tenant, customer: Customer, values: AddressChanges) -> Address:
    """Insert the first address of a customer who was just created. Raises `InvalidInput`."""
    return _insert(tenant, customer, values, is_default=True, others=[])


@transaction.atomic
def add(
    *,
    tenant: Tenant,
    customer: Customer,
    values: AddressChanges,
    client: Client = audit.NO_CLIENT,
    staff_username: str = "",
) -> Address:
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
    address = _insert(tenant, customer, values, is_default=is_default, others=mine)
    _record("add_address", tenant, customer, address, client, staff_username)
    return address


@transaction.atomic
def update(
    *,
    tenant: Tenant,
    customer: Customer,
    public_id: str,
    changes: AddressChanges,
    expected_version: int | None = None,
    client: Client = audit.NO_CLIENT,
    staff_username: str = "",
) -> Address:
    """Apply a merge patch (RFC 7396). `is_default` true makes this one the default; the only way to change the default.

    Raises `AddressNotFound`, `StaleVersion` and `InvalidInput`.
    """
    mine = _locked(tenant, customer)
    address = _find(mine, customer, public_id)
    if expected_version is not None and expected_version != address.version:
        raise StaleVersion("The address was changed in the meantime. Read it again and repeat the change.")
    if changes.get("is_default") and not address.is_default:
        _unset_default(tenant, customer)
        address.is_default = True
    _assign(tenant, address, changes)
    address.version += 1
    writes.store(address)
    index.index_addresses(tenant=tenant, customer=customer, addresses=mine)
    _record("change_address", tenant, customer, address, client, staff_username)
    return address


@transaction.atomic
def remove(
    *,
    tenant: Tenant,
    customer: Customer,
    public_id: str,
    client: Client = audit.NO_CLIENT,
    staff_username: str = "",
) -> None:
    """Delete an address. When it was the default, the oldest remaining one becomes it. Raises `AddressNotFound`."""
    mine = _locked(tenant, customer)
    address = _find(mine, customer, public_id)
    remaining = [each for each in mine if each.pk != address.pk]
    address.delete()
    index.index_addresses(tenant=tenant, customer=customer, addresses=remaining)
    _record("remove_address", tenant, customer, address, client, staff_username)
    if address.is_default and remaining:
        remaining[0].is_default = True
        remaining[0].save(update_fields=["is_default"])


@transaction.atomic
def add_tags(
    *, tenant: Tenant, customer: Customer, public_id: str, tags: Iterable[str], client: Client = audit.NO_CLIENT
) -> Address:
    """Add tags, each once. Raises `AddressNotFound` and `InvalidInput`."""
    address = _find(_locked(tenant, customer), customer, public_id)
    return _save_tags(tenant, customer, address, [*address.tags, *tags], client)


@transaction.atomic
def remove_tags(
    *, tenant: Tenant, customer: Customer, public_id: str, tags: Iterable[str], client: Client = audit.NO_CLIENT
) -> Address:
    """Remove tags; one that the address does not have is ignored. Raises `AddressNotFound`."""
    address = _find(_locked(tenant, customer), customer, public_id)
    unwanted = set(fields.normalize_tags(tags))
    return _save_tags(tenant, customer, address, [tag for tag in address.tags if tag not in unwanted], client)


def get(*, tenant: Tenant, customer: Customer, public_id: str) -> Address:
    """The customer's address of this id. Raises `AddressNotFound`."""
    return _find(_with_id(tenant=tenant, customer=customer, public_id=public_id), customer, public_id)


def list_for(*, tenant: Tenant, customer: Customer) -> list[Address]:
    """The customer's addresses, oldest first."""
    return _of_customer(tenant=tenant, customer=customer)


def find_default(*, tenant: Tenant, customer: Customer) -> Address | None:
    """The customer's default address."""
    return default_of.first(tenant=tenant, customer=customer)


@compiled
def _of_customer(*, tenant: Tenant, customer: Customer) -> QuerySet[Address]:
    return Address.objects.for_tenant(tenant).filter(customer=customer).order_by("pk")


READS = (_of_customer,)  # what `list_for` asks, for who reads ahead


@compiled
def _with_id(*, tenant: Tenant, customer: Customer, public_id: str) -> QuerySet[Address]:
    return Address.objects.for_tenant(tenant).filter(customer=customer, public_id=public_id)


@compiled
def default_of(*, tenant: Tenant, customer: Customer) -> QuerySet[Address]:
    """The customer's default address, if there is one."""
    return Address.objects.for_tenant(tenant).filter(customer=customer, is_default=True)


def _locked(tenant: Tenant, customer: Customer) -> list[Address]:
    """The customer's addresses, oldest first, with the customer's row locked, so that nobody else changes any."""
    profiles.lock(tenant=tenant, customer=customer)
    return list_for(tenant=tenant, customer=customer)


def _find(addresses: list[Address], customer: Customer, public_id: str) -> Address:
    for address in addresses:
        if address.public_id == public_id:
            return address
    raise AddressNotFound(f"Address {public_id} of customer {customer.number} not found.")


def build(*, tenant: Tenant, customer: Customer, values: AddressChanges, is_default: bool) -> Address:
    """The address that `create_first` and `add` would insert, for callers that insert many at once. Raises
    `InvalidInput`."""
    fields.check(values=values)
    address = fresh(
        Address,
        tenant=tenant,
        customer=customer,
        public_id=values.get("public_id") or secrets.token_hex(ID_BYTES),
        is_default=is_default,
    )
    _assign(tenant, address, values)
    return address


def _insert(
    tenant: Tenant, customer: Customer, values: AddressChanges, *, is_default: bool, others: list[Address]
) -> Address:
    address = build(tenant=tenant, customer=customer, values=values, is_default=is_default)
    writes.insert(address)
    index.index_addresses(tenant=tenant, customer=customer, addresses=[*others, address])
    return address


def _assign(tenant: Tenant, address: Address, values: AddressChanges) -> None:
    """Put `values` on the address and check it as a whole. Raises `InvalidInput`."""
    for name, value in values.items():
        if name in fields.TEXT_FIELDS:
            setattr(address, name, value)
    if "tags" in values:
        address.tags = fields.normalize_tags(values["tags"] or ())
    fields.check_stored(address=address)
    mixins.assign(tenant=tenant, holder=address, patch=values)
    if address.country:
        address.country = address.country.upper()


def _save_tags(tenant: Tenant, customer: Customer, address: Address, tags: list[str], client: Client) -> Address:
    address.tags = fields.normalize_tags(tags)
    fields.check(values={"contact_name": address.contact_name, "tags": address.tags})
    address.version += 1
    address.save(update_fields=["tags", "version"])
    _record("change_address", tenant, customer, address, client)
    return address


def _record(  # noqa: PLR0917 - who did what to which address
    action: str, tenant: Tenant, customer: Customer, address: Address, client: Client, staff_username: str = ""
) -> None:
    audit.record(
        tenant=tenant,
        action=action,
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
        reason=address.public_id,
        details={"address": address.public_id},
    )


def _unset_default(tenant: Tenant, customer: Customer) -> None:
    Address.objects.for_tenant(tenant).filter(customer=customer, is_default=True).update(is_default=False)
