"""The fields of an address: what each may hold."""

import pytest
from django.db.models import CharField
from hypothesis import given
from hypothesis import strategies as st

from customers.addresses import fields
from customers.addresses.fields import AddressChanges
from customers.models import Address
from tenants.errors import InvalidInput


def test_check_lists_everything_that_is_wrong() -> None:
    with pytest.raises(InvalidInput) as refused:
        fields.check(values={"country": "GBR", "public_id": "a b", "tags": ["t"] * 51})
    assert [detail.field for detail in refused.value.details] == ["contact_name", "country", "public_id", "tags"]


@given(st.lists(st.text()))
def test_normalize_tags_is_done_once_and_for_all(tags: list[str]) -> None:
    normalized = fields.normalize_tags(tags)
    assert fields.normalize_tags(normalized) == normalized
    assert len(set(normalized)) == len(normalized)


def test_every_field_is_a_column_of_the_address() -> None:
    columns = {column.name for column in Address._meta.concrete_fields}
    assert AddressChanges.__annotations__.keys() <= columns
    ours = {"id", "tenant", "customer", "version", "created_at"}  # written by us alone
    assert columns - AddressChanges.__annotations__.keys() == ours


def test_every_text_column_may_be_written_and_unset() -> None:
    texts = {column.name for column in Address._meta.concrete_fields if isinstance(column, CharField) and column.null}
    assert set(fields.TEXT_FIELDS) == texts


def test_names_that_are_no_fields_are_refused() -> None:
    every = dict.fromkeys(AddressChanges.__annotations__)
    for fine in ({}, {"city": "London", "tags": []}, every):
        assert fields.changes_of(fine) == fine
    with pytest.raises(TypeError, match=r"customer, version is not a field of an address"):
        fields.changes_of({"city": "London", "version": 7, "customer": 1})


def test_lines_of_an_address_leave_out_what_is_not_given() -> None:
    address = Address(contact_name="Ada", street="Dorset Street", street_number="1", street_appendix="", city="London")
    assert fields.lines_of(address) == ["Dorset Street 1", "London"]
    address = Address(company_name="Engines", extra_line_2="Floor 3", postal_code="W1U", city="London", country="GB")
    assert fields.lines_of(address) == ["Engines", "Floor 3", "W1U London", "GB"]
