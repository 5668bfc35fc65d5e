"""What a profile says of itself: whether it is there, may log in, and what it is found by."""

from typing import Any

import pytest
from django.utils import timezone

from customers import numbers, profiles
from customers.models import Customer
from tenants.models import Tenant


def make(tenant: Tenant, **values: Any) -> Customer:
    return profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values=profiles.changes_of(values))


def test_a_profile_is_there_unless_it_was_erased_or_merged(tenant: Tenant) -> None:
    customer, other = make(tenant), make(tenant)
    assert customer.is_there is True
    for gone in (Customer(erased_at=timezone.now()), Customer(merged_into=other)):
        assert gone.is_there is False
    assert Customer(erased_at=timezone.now(), merged_into=other).is_there is False


@pytest.mark.parametrize(
    ("is_active", "is_on_hold", "expected"),
    [(True, False, True), (True, True, False), (False, False, False), (False, True, False)],
)
def test_only_who_is_active_and_not_on_hold_may_log_in(is_active: bool, is_on_hold: bool, expected: bool) -> None:
    assert Customer(is_active=is_active, is_on_hold=is_on_hold).can_log_in is expected


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ({"first_name": "Ada", "last_name": "King"}, "10000001 Ada King"),
        ({"first_name": None, "last_name": "King"}, "10000001 King"),
        ({"first_name": "Ada", "last_name": ""}, "10000001 Ada"),
        ({}, "10000001"),
    ],
)
def test_a_customer_is_called_by_number_and_name(names: dict[str, Any], text: str) -> None:
    assert str(Customer(number="10000001", **names)) == text


def test_what_the_profile_says_is_folded_whenever_it_is_saved(tenant: Tenant) -> None:
    customer = make(
        tenant,
        first_name="Ada",
        middle_name="Maria",
        last_name="King",
        company="Engines",
        title="Countess",
        contact_email="ada@example.com",
        contact_phone="030 1",
    )
    stored = Customer.objects.get(pk=customer.pk)
    expected = f" ada maria king engines ada@example.com {stored.number} 0301"
    assert (stored.search_profile, stored.search_text) == (expected, f"{expected} ")
    assert stored.profile_text() == expected
    stored.last_name, stored.search_addresses, stored.search_identifiers = "Byron", " ockham", " 7"
    stored.save()
    assert stored.search_profile == expected.replace("king", "byron")
    stored.refresh_from_db()
    assert stored.search_text == f"{expected.replace('king', 'byron')} ockham 7 "


def test_migrations_know_that_text_as_an_ordinary_column() -> None:
    """So that they need nothing of this code."""
    column = Customer._meta.get_field("search_profile")
    name, kind, positional, _ = column.deconstruct()
    assert (name, kind, list(positional)) == ("search_profile", "django.db.models.TextField", [])
