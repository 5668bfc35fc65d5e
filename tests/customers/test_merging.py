"""Two profiles that are one person's, without log-ins: how they differ, what is taken, and what stays of the other."""

from datetime import date
from typing import Any

import pytest

from customers import merging, numbers, profiles
from customers.merging import Difference
from customers.models import Address, Customer
from tenants.models import Tenant
from tests.factories import hours_ago


def make(tenant: Tenant, **values: Any) -> Customer:
    return profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values=profiles.changes_of(values))


@pytest.fixture
def kept(tenant: Tenant) -> Customer:
    return make(tenant, first_name="Ada", last_name="King", contact_email="ada@example.com")


@pytest.fixture
def merged(kept: Customer) -> Customer:
    return make(kept.tenant, first_name="Ada", last_name="Byron", contact_phone="+49 30 901820")


@pytest.fixture
def beside(merged: Customer) -> Customer:
    """Somebody else of the same tenant."""
    return make(merged.tenant, first_name="Charles", last_name="Babbage")


def add_address(customer: Customer, name: str, **values: Any) -> Address:
    return Address.objects.create(
        tenant=customer.tenant, customer=customer, public_id=name, contact_name=name, **values
    )


def differences(kept: Customer, merged: Customer) -> dict[str, Difference]:
    found = merging.differences(tenant=kept.tenant, kept=kept, merged=merged)
    by_name = {each.name: each for each in found}
    assert len(by_name) == len(found)
    return by_name


# -- differences -----------------------------------------------------------------------------------------------------
def test_each_thing_that_one_of_the_two_says_is_shown_with_both(kept: Customer, merged: Customer) -> None:
    found = differences(kept, merged)
    assert found["first_name"] == Difference(
        name="first_name", label="first name", kept="Ada", merged="Ada", is_choice=False, is_taken=False
    )
    assert found["last_name"] == Difference(
        name="last_name", label="last name", kept="King", merged="Byron", is_choice=True, is_taken=False
    )
    assert found["contact_email"] == Difference(
        name="contact_email", label="contact email", kept="ada@example.com", merged="", is_choice=False, is_taken=False
    )
    assert found["contact_phone"] == Difference(
        name="contact_phone", label="contact phone", kept="", merged="+49 30 901820", is_choice=True, is_taken=True
    )


def test_what_neither_says_is_not_shown(kept: Customer, merged: Customer) -> None:
    Customer.objects.filter(pk=kept.pk).update(title="", company=None)
    kept.refresh_from_db()
    merged.title = None
    assert not {"title", "company", "birth_date", "is_prospect", "is_activated"} & set(differences(kept, merged))


def test_entries_of_objects_are_shown_one_by_one(kept: Customer, merged: Customer) -> None:
    kept.properties, merged.properties = {"shoe": 38, "empty": {}}, {"shoe": 45, "hat": 0, "empty": None}
    kept.mixins, merged.mixins = {}, {"taste": {"color": "blue"}}
    found = {name: each for name, each in differences(kept, merged).items() if "." in name}
    assert found == {
        "properties.shoe": Difference(
            name="properties.shoe", label="properties: shoe", kept="38", merged="45", is_choice=True, is_taken=False
        ),
        "properties.hat": Difference(
            name="properties.hat", label="properties: hat", kept="", merged="0", is_choice=True, is_taken=True
        ),
        "mixins.taste": Difference(
            name="mixins.taste",
            label="mixins: taste",
            kept="",
            merged="{'color': 'blue'}",
            is_choice=True,
            is_taken=True,
        ),
    }


def test_the_default_addresses_of_the_two_are_compared(kept: Customer, merged: Customer, beside: Customer) -> None:
    add_address(beside, "theirs", is_default=True)
    add_address(kept, "other")
    assert "default_address" not in differences(kept, merged)
    add_address(merged, "home", city="Ockham", is_default=True)
    assert differences(kept, merged)["default_address"] == Difference(
        name="default_address", label="default address", kept="", merged="home, Ockham", is_choice=True, is_taken=True
    )


# -- what is taken ---------------------------------------------------------------------------------------------------
def test_only_the_named_fields_are_taken(merged: Customer) -> None:
    merged.birth_date = date(1815, 12, 10)
    taken = ["last_name", "contact_email", "birth_date", "is_prospect", "unknown", "default_address"]
    assert merging.changes_of(merged=merged, taken=taken) == {
        "last_name": "Byron",
        "contact_email": None,
        "birth_date": date(1815, 12, 10),
    }
    assert merging.changes_of(merged=merged, taken=[]) == {}


def test_a_mixin_is_taken_with_the_url_of_its_schema(merged: Customer) -> None:
    merged.mixins, merged.properties = {"taste": {"a": 1}, "size": {}}, {"hat": 7, "taste": 1}
    merged.mixin_schemas = {"taste": "https://s.example/taste", "size": "https://s.example/size"}
    changes = merging.changes_of(merged=merged, taken=["mixins.taste", "properties.hat", "properties.none"])
    assert changes == {
        "mixins": {"taste": {"a": 1}},
        "mixin_schemas": {"taste": "https://s.example/taste"},
        "properties": {"hat": 7},
    }


NOBODY_KEPT_OUT = {"is_active": True, "is_on_hold": False, "is_prospect": False, "is_activated": False}


@pytest.mark.parametrize("flag", NOBODY_KEPT_OUT)
@pytest.mark.parametrize("said", [(False, False), (False, True), (True, False), (True, True)])
def test_flags_follow_their_rules(
    kept: Customer, merged: Customer, beside: Customer, flag: str, said: tuple[bool, bool]
) -> None:
    kept_says, merged_says = said
    setattr(kept, flag, kept_says)
    setattr(merged, flag, merged_says)
    before = Customer.objects.values().get(pk=beside.pk), Customer.objects.values().get(pk=merged.pk)
    merging.take_flags(tenant=kept.tenant, kept=kept, merged=merged)
    both = {"is_active", "is_prospect"}  # what only both say counts
    expected = {**NOBODY_KEPT_OUT, flag: all(said) if flag in both else any(said)}
    assert Customer.objects.values(*NOBODY_KEPT_OUT).get(pk=kept.pk) == expected
    assert {name: getattr(kept, name) for name in NOBODY_KEPT_OUT} == expected
    assert (Customer.objects.values().get(pk=beside.pk), Customer.objects.values().get(pk=merged.pk)) == before


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"), [(None, None, None), (2, None, 2), (None, 3, 3), (2, 3, 2), (3, 2, 2)]
)
def test_the_last_log_in_is_the_later_one(
    kept: Customer, merged: Customer, mine: int | None, theirs: int | None, expected: int | None
) -> None:
    moments = {hours: hours_ago(hours) for hours in (2, 3)}
    kept.last_login_at, merged.last_login_at = (moments[each] if each else None for each in (mine, theirs))
    merging.take_flags(tenant=kept.tenant, kept=kept, merged=merged)
    assert Customer.objects.get(pk=kept.pk).last_login_at == (moments[expected] if expected else None)


# -- who is gone -----------------------------------------------------------------------------------------------------
def test_of_the_other_profile_the_number_is_left_and_whose_it_is(
    kept: Customer, merged: Customer, beside: Customer
) -> None:
    Customer.objects.filter(pk=merged.pk).update(
        is_on_hold=True, version=4, updated_at=hours_ago(1), properties={"hat": 7}, search_addresses=" ockham"
    )
    before = [Customer.objects.values().get(pk=each.pk) for each in (kept, beside)]
    merging.empty(tenant=kept.tenant, merged=merged, into=kept)
    now = Customer.objects.get(pk=merged.pk)
    assert (now.merged_into, now.is_active, now.is_on_hold, now.version) == (kept, False, False, 5)
    assert (now.first_name, now.last_name, now.contact_phone, now.properties) == (None, None, None, {})
    assert (now.number, now.search_text) == (merged.number, f" {merged.number} ")
    assert now.updated_at > hours_ago(0.5)
    assert (merged.first_name, merged.properties, merged.search_addresses) == (None, {}, "")
    assert [Customer.objects.values().get(pk=each.pk) for each in (kept, beside)] == before


def test_columns_are_written_back_with_the_next_version(merged: Customer, beside: Customer) -> None:
    Customer.objects.update(updated_at=hours_ago(1))
    theirs = Customer.objects.values().get(pk=beside.pk)
    merged.refresh_from_db()
    merging.restore(customer=merged, values={"last_name": "Noel", "properties": {"hat": 7}})
    now = Customer.objects.get(pk=merged.pk)
    assert (now.first_name, now.last_name, now.properties, now.version) == ("Ada", "Noel", {"hat": 7}, 2)
    assert "noel" in now.search_text
    assert "byron" not in now.search_text
    assert now.updated_at > hours_ago(0.5)
    assert Customer.objects.values().get(pk=beside.pk) == theirs
