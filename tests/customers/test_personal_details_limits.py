"""Personal details at their limits, and what is said of what is beyond them."""

from typing import Any

import pytest

from customers import personal_details, profiles
from customers.models import Customer
from tenants.errors import InvalidInput


def update(customer: Customer, **changes: Any) -> Customer:
    profiles.update(tenant=customer.tenant, customer=customer, changes=profiles.changes_of(changes))
    return Customer.objects.get(pk=customer.pk)


def message(customer: Customer, **changes: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        update(customer, **changes)
    [error] = refused.value.details
    assert (error.field, error.code) == (next(iter(changes)), "invalid")
    return error.message


@pytest.mark.parametrize(("name", "most"), [("sex", 16), ("advisor", 255)])
def test_a_text_may_be_just_so_long(customer: Customer, name: str, most: int) -> None:
    assert getattr(update(customer, **{name: "x" * most}), name) == "x" * most
    assert getattr(update(customer, **{name: ""}), name) == ""
    assert message(customer, **{name: "x" * (most + 1)}) == f"At most {most} characters, please."
    assert message(customer, **{name: "a\0"}) == f"At most {most} characters, please."
    assert message(customer, **{name: 7}) == "This must be text."


@pytest.mark.parametrize("name", ["birth_date", "nationality"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_text_is_no_date_and_no_country(customer: Customer, name: str, nothing: str | None) -> None:
    update(customer, birth_date="1990-05-17", nationality="GB")
    assert getattr(update(customer, **{name: nothing}), name) is None


def test_a_country_that_is_gone_is_no_reason_to_refuse_yesterdays_profile(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(nationality="YU")
    assert update(customer, nationality="YU", sex="F").sex == "F"
    assert message(customer, nationality="DD") == "Enter a country code of ISO 3166-1 alpha-2."
    assert update(customer, nationality="AT").nationality == "AT"
    assert "ISO 3166-1" in message(customer, nationality="YU")


@pytest.mark.parametrize("name", ["is_prospect", "is_activated"])
def test_a_flag_is_set_and_unset(customer: Customer, name: str) -> None:
    for sent, expected in ((True, True), (False, False), (True, True), (None, False)):
        assert getattr(update(customer, **{name: sent}), name) is expected
    wrong: Any
    for wrong in (0, "true", []):
        assert message(customer, **{name: wrong}) == "This must be true or false."


# -- properties ------------------------------------------------------------------------------------------------------
def nested(depth: int, innermost: Any) -> Any:
    value = innermost
    for index in range(depth):
        value = {"a": value} if index % 2 else [value]
    return value


def test_properties_have_32_kibibytes_of_json_at_most(customer: Customer) -> None:
    rest = len('{"é": ""}'.encode())
    assert update(customer, properties={"é": "x" * (32_768 - rest)}).properties["é"] is not None
    assert message(customer, properties={"é": "x" * (32_769 - rest)}) == "At most 32768 bytes."


def test_properties_are_8_deep_at_most(customer: Customer) -> None:
    kept = {"a": nested(7, "x")}
    assert update(customer, properties=kept).properties == kept
    too_deep = "This must be an object, nested at most 8 deep."
    innermost: Any
    for innermost in ({}, []):
        assert message(customer, properties={"a": 1, "b": nested(7, innermost)}) == too_deep
    wrong: Any
    for wrong in ([], "x", 7):
        assert message(customer, properties=wrong) == too_deep


@pytest.mark.parametrize(
    "properties",
    [
        {"a\0": 1},
        {"a": "\0"},
        {"a": ["b", "\0"]},
        {"a": {"b": {"\0": 1}}},
        {"a": {"b": 7, "c": [{"d": "e\0"}]}},
    ],
)
def test_a_nul_is_refused_wherever_it_is(customer: Customer, properties: dict[str, Any]) -> None:
    assert message(customer, properties=properties) == "NUL characters can't be stored."


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}, "\ud800"])
def test_what_is_no_json_is_refused(customer: Customer, value: Any) -> None:
    assert message(customer, properties={"a": [value]}) == "This must be JSON."


def test_null_removes_properties_and_an_empty_object_changes_none(customer: Customer) -> None:
    update(customer, properties={"tea": "Assam", "shoe": {"size": 42}})
    assert update(customer, properties={}).properties == {"tea": "Assam", "shoe": {"size": 42}}
    assert update(customer, properties={"tea": None}).properties == {"shoe": {"size": 42}}
    assert update(customer, properties=None).properties == {}


def test_a_secret_among_the_properties_is_refused_by_its_path(customer: Customer) -> None:
    with pytest.raises(InvalidInput) as refused:
        update(customer, properties={"shop": [{"pin": "1"}, {"size": 7}], "password": "x", "sex": 7}, sex=7)
    assert [each.field for each in refused.value.details] == ["sex", "properties.password", "properties.shop.0.pin"]


def test_what_is_wrong_is_said_and_what_is_right_is_put_on_the_profile() -> None:
    customer = Customer()
    values = personal_details.PersonalDetails(sex="FEMALE", nationality="XX", advisor="Bea")
    errors = list(personal_details.assign(customer=customer, values=values))
    assert [each.field for each in errors] == ["nationality"]
    assert (customer.sex, customer.nationality, customer.advisor) == ("FEMALE", None, "Bea")
