"""An entry, checked as a whole before anything is written."""

from typing import Any

import pytest

from auth_providers.intake import entries
from auth_providers.intake.entries import Entry
from customers.addresses import addresses
from customers.enrichment.fields import fields_of
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tests import factories


@pytest.mark.parametrize("value", [["ada@example.com"], {"a": 1}, 5, True])
def test_a_value_that_is_no_text_is_refused_and_not_looked_at_again(tenant: Tenant, value: Any) -> None:
    values = fields_of({"email": value, "first_name": value, "city": value, "country": "Nowhere"})
    with pytest.raises(InvalidInput) as refused:
        entries.complete(tenant=tenant, entry=Entry(values=values, identifiers={"a card": "7"}))
    assert {each.field: each.code for each in refused.value.details} == {
        "email": "type",
        "first_name": "type",
        "city": "type",
        "country": "invalid",
        "identifiers": "invalid",
    }


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace", "company": "Engines"}, "Ada Lovelace"),
        ({"last_name": "Lovelace", "company": "Engines"}, "Lovelace"),
        ({"company": "Engines", "email": "ada@example.com"}, "Engines"),
        ({"email": "ada@example.com"}, "ada@example.com"),
        ({}, "10000001"),
        ({"first_name": "x" * 200, "last_name": "y" * 54}, "x" * 200 + " " + "y" * 54),
        ({"first_name": "x" * 200, "last_name": "y" * 100}, "x" * 200 + " " + "y" * 54),
    ],
)
def test_an_address_names_somebody_in_255_characters(tenant: Tenant, values: dict[str, str], name: str) -> None:
    entry = Entry(values=fields_of({"city": "London", **values}))
    customer = entries.create(tenant=tenant, number="10000001", entry=entry, client=factories.CLIENT)
    assert [each.contact_name for each in addresses.list_for(tenant=tenant, customer=customer)] == [name]


def test_an_entry_that_says_nothing_of_a_place_makes_no_address(tenant: Tenant) -> None:
    entry = Entry(values=fields_of({"first_name": "Ada", "city": "", "street": None}))
    customer = entries.create(tenant=tenant, number="10000001", entry=entry, client=factories.CLIENT)
    assert addresses.list_for(tenant=tenant, customer=customer) == []


@pytest.mark.parametrize(("count", "is_good"), [(0, True), (50, True), (51, False)])
def test_fifty_consents_at_once(tenant: Tenant, count: int, is_good: bool) -> None:
    entry = Entry(values=fields_of({}), consents={f"purpose{number}": True for number in range(count)})
    if is_good:
        assert entries.complete(tenant=tenant, entry=entry).consents == entry.consents
        return
    with pytest.raises(InvalidInput) as refused:
        entries.complete(tenant=tenant, entry=entry)
    assert [(each.field, each.code) for each in refused.value.details] == [("consents", "max_length")]


def test_what_only_a_profile_minds_is_told_with_the_rest(tenant: Tenant) -> None:
    values = fields_of({"is_prospect": "x", "nationality": "XQ", "first_name": "Ada"})
    with pytest.raises(InvalidInput) as refused:
        entries.complete(tenant=tenant, entry=Entry(values=values, consents={"a purpose": True}))
    assert [each.field for each in refused.value.details] == ["nationality", "consents.a purpose", "is_prospect"]
