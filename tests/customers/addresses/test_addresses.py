"""Addresses: the first is the default, countries have one spelling, and an id may be the client's own."""

import re
from typing import Any

import pytest

from customers.addresses import addresses, fields
from customers.models import Address, Customer
from tenants.errors import InvalidInput
from tenants.models import Tenant


def create_first(customer: Customer, **values: Any) -> Address:
    values = {"contact_name": "Ada Lovelace"} | values
    address = addresses.create_first(tenant=customer.tenant, customer=customer, values=fields.changes_of(values))
    return Address.objects.get(pk=address.pk)


def test_create_first_is_the_default(customer: Customer) -> None:
    address = create_first(customer, street="Ockham Park", city="London", country="gb")
    assert addresses.find_default(tenant=customer.tenant, customer=customer) == address
    assert addresses.list_for(tenant=customer.tenant, customer=customer) == [address]
    assert (address.street, address.city, address.country) == ("Ockham Park", "London", "GB")


def test_create_first_makes_an_id(customer: Customer) -> None:
    assert re.fullmatch("[0-9a-f]{10}", create_first(customer).public_id)


def test_create_first_keeps_the_clients_id(customer: Customer) -> None:
    assert create_first(customer, public_id="Home_1").public_id == "Home_1"


def test_create_first_keeps_given_but_empty_apart_from_not_given(customer: Customer) -> None:
    address = create_first(customer, street="", city=None)
    assert (address.street, address.city, address.state) == ("", None, None)


def test_create_first_stores_tags_as_they_are_compared(customer: Customer) -> None:
    assert create_first(customer, tags=["billing", " Shipping ", "BILLING", "  "]).tags == ["BILLING", "SHIPPING"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("contact_name", None),
        ("contact_name", ""),
        ("country", "GBR"),
        ("country", "G"),
        ("country", "4B"),
        ("country", "GB\n"),
        ("public_id", "a b"),
        ("public_id", "a/b"),
        ("public_id", "a\n"),
        ("public_id", "a" * 65),
        ("tags", ["tag"] * 51),
    ],
)
def test_create_first_with_something_wrong(customer: Customer, field: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        create_first(customer, **{field: value})
    assert [detail.field for detail in refused.value.details] == [field]
    assert not Address.objects.exists()


def test_list_for_shows_only_ones_own_addresses(customer: Customer, other_tenant: Tenant) -> None:
    create_first(customer)
    assert addresses.list_for(tenant=other_tenant, customer=customer) == []
    assert addresses.find_default(tenant=other_tenant, customer=customer) is None
