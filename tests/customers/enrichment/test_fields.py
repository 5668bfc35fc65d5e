"""What a storefront can say about a customer: names that a profile and an address have."""

import pytest

from customers import profiles
from customers.addresses.fields import TEXT_FIELDS
from customers.enrichment import fields


def test_every_field_is_one_of_the_profile_or_of_the_address() -> None:
    stored = {fields.PROFILE_NAMES.get(name, name) for name in fields.CustomerFields.__annotations__}
    assert stored <= {*profiles.FIELDS, *fields.ADDRESS_NAMES}
    assert set(fields.ADDRESS_NAMES) <= fields.CustomerFields.__annotations__.keys() & set(TEXT_FIELDS)


def test_every_text_that_is_checked_is_a_field() -> None:
    assert fields.TEXTS.keys() <= fields.CustomerFields.__annotations__.keys()


def test_names_that_are_no_fields_are_refused() -> None:
    every = dict.fromkeys(fields.CustomerFields.__annotations__)
    for fine in ({}, {"email": None}, every):
        assert fields.fields_of(fine) == fine
    with pytest.raises(TypeError, match="contact_email is not a field of a customer"):
        fields.fields_of({"email": "ada@example.com", "contact_email": "ada@example.com"})
