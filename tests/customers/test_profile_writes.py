"""What a write of a profile leaves: its version, its moment, what the trail says, and other profiles as they were."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone

from customers import numbers, profiles
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests.factories import hours_ago


@pytest.fixture
def others(customer: Customer, neighbour: Customer, other_tenant: Tenant) -> list[Customer]:
    across = profiles.create(tenant=other_tenant, number=numbers.take(tenant=other_tenant), values={})
    return [neighbour, across]


def rows(customers: list[Customer]) -> list[Any]:
    return list(Customer.objects.filter(pk__in=[each.pk for each in customers]).order_by("pk").values())


def update(customer: Customer, **changes: Any) -> Customer:
    return profiles.update(tenant=customer.tenant, customer=customer, changes=profiles.changes_of(changes))


def touched(customer: Customer) -> datetime:
    return Customer.objects.get(pk=customer.pk).updated_at


# -- update ----------------------------------------------------------------------------------------------------------
def test_a_change_is_returned_as_it_is_stored_with_its_moment(customer: Customer, others: list[Customer]) -> None:
    Customer.objects.update(updated_at=hours_ago(2))
    before = rows(others)
    returned = update(customer, title="Dr", last_name="King")
    stored = Customer.objects.get(pk=customer.pk)
    assert {column: getattr(returned, column) for column in ("title", "last_name", "version", "updated_at")} == {
        "title": "Dr",
        "last_name": "King",
        "version": 2,
        "updated_at": stored.updated_at,
    }
    assert (stored.title, stored.last_name, stored.version) == ("Dr", "King", 2)
    assert stored.updated_at > hours_ago(1)
    assert " king " in stored.search_text
    assert rows(others) == before


def test_the_trail_names_the_fields_in_their_order(customer: Customer, other_tenant: Tenant) -> None:
    update(customer, title="Dr", first_name="Augusta")
    event = AuditEvent.objects.get(action="change_profile")
    assert (event.tenant, event.details) == (customer.tenant, {"fields": ["first_name", "title"]})


@pytest.mark.parametrize("gone", ["erased", "merged", "another tenant"])
def test_who_is_gone_is_not_changed_checked_or_locked(
    customer: Customer, neighbour: Customer, other_tenant: Tenant, gone: str
) -> None:
    tenant = other_tenant if gone == "another tenant" else customer.tenant
    there = Customer.objects.filter(pk=customer.pk)
    if gone == "erased":
        there.update(erased_at=timezone.now())
    elif gone == "merged":
        there.update(merged_into=neighbour)
    calls: list[Callable[[], object]] = [
        lambda: profiles.update(tenant=tenant, customer=customer, changes={"title": "Dr"}),
        lambda: profiles.check_update(tenant=tenant, customer=customer, changes={"title": "Dr"}),
        lambda: profiles.lock(tenant=tenant, customer=customer),
    ]
    for call in calls:
        with pytest.raises(profiles.CustomerNotFound):
            call()
    assert (there.get().title, there.get().version) == (None, 1)
    for still_there in (neighbour, profiles.create(tenant=other_tenant, number="10000009", values={})):
        profiles.lock(tenant=still_there.tenant, customer=still_there)


def test_only_the_stored_version_is_the_expected_one(customer: Customer, neighbour: Customer) -> None:
    customer, neighbour = neighbour, customer  # who came first is somebody else
    update(customer, title="Dr")
    for version in (0, 1, 3):
        with pytest.raises(profiles.StaleVersion):
            profiles.check_update(tenant=customer.tenant, customer=customer, changes={}, expected_version=version)
    for fine in (2, None):
        profiles.check_update(tenant=customer.tenant, customer=customer, changes={}, expected_version=fine)


# -- what is checked -------------------------------------------------------------------------------------------------
def test_what_is_stored_already_is_not_refused_today(customer: Customer) -> None:
    """An address and a currency that the lists of a former day took."""
    Customer.objects.filter(pk=customer.pk).update(contact_email="ada@former", preferred_currency="XYZ")
    update(customer, contact_email="ada@former", preferred_currency="XYZ", title="Dr")
    stored = Customer.objects.get(pk=customer.pk)
    assert (stored.contact_email, stored.preferred_currency, stored.title) == ("ada@former", "XYZ", "Dr")
    for wrong in ({"contact_email": "ada@later"}, {"preferred_currency": "XYY"}):
        with pytest.raises(InvalidInput) as refused:
            update(customer, **wrong)
        assert [(each.field, each.code) for each in refused.value.details] == [(*wrong, "invalid")]


def test_the_tenants_own_currency_is_fine_whatever_it_is(tenant: Tenant) -> None:
    tenant.default_currency = "XYZ"
    for values in ({}, {"preferred_currency": "XYZ"}):
        made = profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values=profiles.changes_of(values))
        assert made.preferred_currency == "XYZ"


@pytest.mark.parametrize("nothing", [None, ""])
def test_preferences_that_are_unset_are_the_tenants_again(customer: Customer, nothing: str | None) -> None:
    names = ("preferred_language", "preferred_currency", "preferred_site")
    Customer.objects.filter(pk=customer.pk).update(
        preferred_language="de_DE", preferred_currency="EUR", preferred_site="de"
    )
    changed = update(customer, **dict.fromkeys(names, nothing))
    assert [getattr(changed, name) for name in names] == ["en_US", "USD", "main"]


def test_an_empty_address_is_no_address_of_a_new_profile(tenant: Tenant) -> None:
    for nothing in ("", None):
        made = profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values={"contact_email": nothing})
        assert Customer.objects.get(pk=made.pk).contact_email == nothing
        assert update(made, contact_email=nothing).version == 2


def test_names_that_are_no_fields_are_named(customer: Customer) -> None:
    with pytest.raises(TypeError, match=r"^number, version is not a field of a profile$"):
        profiles.changes_of({"title": "Dr", "version": 7, "number": "1"})
    every = dict.fromkeys(profiles.ProfileChanges.__annotations__)
    for fine in ({}, {"title": "Dr", "mixins": {}}, every):
        assert profiles.changes_of(fine) == fine


# -- building and contact points -------------------------------------------------------------------------------------
def test_a_profile_that_is_built_is_not_stored_yet(tenant: Tenant) -> None:
    built = profiles.build(tenant=tenant, number="10000001", values={"first_name": "Ada"})
    assert (built.tenant, built.number, built.first_name, built.preferred_site) == (tenant, "10000001", "Ada", "main")
    assert not Customer.objects.exists()
    with pytest.raises(InvalidInput):
        profiles.build(tenant=tenant, number="10000001", values={"preferred_currency": "XYZ"})


def test_contact_points_are_replaced_with_the_next_version(customer: Customer, others: list[Customer]) -> None:
    Customer.objects.update(updated_at=hours_ago(2), version=4)
    customer.refresh_from_db()
    before = rows(others)
    profiles.replace_contact_points(
        tenant=customer.tenant, customer=customer, email="augusta@example.com", phone="030 901820"
    )
    stored = Customer.objects.get(pk=customer.pk)
    for each in (customer, stored):
        assert (each.contact_email, each.contact_phone, each.version) == ("augusta@example.com", "030 901820", 5)
    assert stored.search_profile == f" ada lovelace augusta@example.com {stored.number} 030901820"
    assert touched(customer) > hours_ago(1)
    assert rows(others) == before


def test_contact_points_of_another_tenants_profile_stay(customer: Customer, other_tenant: Tenant) -> None:
    before = rows([customer])
    profiles.replace_contact_points(tenant=other_tenant, customer=customer, email=None, phone=None)
    assert rows([customer]) == before
