"""Assigning and removing identifiers: how many there may be, what is told of it, and what a search finds then."""

from typing import Any

import pytest

from customers import identifiers, numbers, profiles
from customers.models import Customer, CustomerIdentifier
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests.factories import CLIENT
from tests.races import behind


def assign(customer: Customer, given: dict[str, Any], **more: Any) -> None:
    identifiers.assign(tenant=customer.tenant, customer=customer, identifiers=given, client=CLIENT, **more)


def remove(customer: Customer, name: str) -> bool:
    row = CustomerIdentifier.objects.get(name=name)
    return identifiers.remove(
        tenant=customer.tenant, customer=customer, identifier_id=row.pk, staff_username="clara", client=CLIENT
    )


def named(customer: Customer) -> list[tuple[str, str]]:
    return [(each.name, each.value) for each in identifiers.list_for(tenant=customer.tenant, customer=customer)]


def many(count: int, first: int = 0) -> dict[str, str]:
    return {f"card{number}": str(number) for number in range(first, first + count)}


def test_identifiers_come_by_name_and_value(customer: Customer) -> None:
    for given in ({"till": "7"}, {"card": "9"}, {"card": "8", "app": "1"}):
        assign(customer, given)
    assert named(customer) == [("app", "1"), ("card", "8"), ("card", "9"), ("till", "7")]


# -- how many --------------------------------------------------------------------------------------------------------
def test_a_customer_has_20_in_all_and_no_more(customer: Customer, neighbour: Customer) -> None:
    assign(neighbour, {"till": "1"})
    assign(customer, many(18))
    assign(customer, many(20))  # two of them are new
    with pytest.raises(InvalidInput) as refused:
        assign(customer, {"till": "7"})
    assert [(each.field, each.code) for each in refused.value.details] == [("identifiers", "max_length")]
    assign(customer, many(20))
    assert len(named(customer)) == 20


@pytest.mark.parametrize("given", [many(20), {"n" * 64: "x"}, {"card": "x" * 255}, {"a_.:-9": "a b"}])
def test_the_longest_names_and_values_and_the_most_at_once_are_fine(customer: Customer, given: dict[str, str]) -> None:
    identifiers.check(identifiers=given)
    assign(customer, given)
    assert dict(named(customer)) == given


def test_everything_that_is_wrong_is_said_at_once() -> None:
    wrong: dict[str, Any] = {"a b": "x", "card": "", "till": 7, **many(18)}
    with pytest.raises(InvalidInput) as refused:
        identifiers.check(identifiers=wrong)
    assert [(each.field, each.code) for each in refused.value.details] == [
        ("identifiers", "invalid"),
        ("identifiers.card", "invalid"),
        ("identifiers.till", "type"),
        ("identifiers", "max_length"),
    ]


def test_nothing_to_assign_changes_nothing(customer: Customer) -> None:
    assign(customer, {})
    assert named(customer) == []
    assert not AuditEvent.objects.filter(action="assign_identifier").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_who_comes_second_to_an_identifier_that_is_just_being_assigned_gets_nothing_of_it(
    customer: Customer, neighbour: Customer
) -> None:
    given = {"card": "1", "till": "2"}
    refused = behind(lambda: assign(customer, {"card": "1"}), lambda: assign(neighbour, given))
    assert isinstance(refused, identifiers.IdentifierTaken)
    assert (named(customer), named(neighbour)) == ([("card", "1")], [])
    assert AuditEvent.objects.filter(action="assign_identifier").count() == 1


# -- the trail -------------------------------------------------------------------------------------------------------
def test_the_trail_names_what_is_new_and_who_assigned_it(customer: Customer) -> None:
    assign(customer, {"till": "7"})
    assign(customer, {"till": "7", "card": "8", "app": "9"}, staff_username="clara")
    event = AuditEvent.objects.filter(action="assign_identifier").latest("pk")
    assert (event.tenant, event.customer_number) == (customer.tenant, customer.number)
    assert (event.reason, event.staff_username, event.address) == ("app, card", "clara", CLIENT.address)


def test_the_trail_names_what_is_removed_and_who_did_it(customer: Customer, neighbour: Customer) -> None:
    assign(customer, {"till": "7", "card": "8"})
    assert remove(neighbour, "card") is False
    assert not AuditEvent.objects.filter(action="remove_identifier").exists()
    assert remove(customer, "card") is True
    assert named(customer) == [("till", "7")]
    event = AuditEvent.objects.get(action="remove_identifier")
    assert (event.tenant, event.customer_number) == (customer.tenant, customer.number)
    assert (event.reason, event.staff_username, event.address) == ("card", "clara", CLIENT.address)


# -- what is found ---------------------------------------------------------------------------------------------------
def test_a_search_finds_the_identifiers_that_there_are_now(customer: Customer, neighbour: Customer) -> None:
    assign(neighbour, {"card": "n-1"})
    assign(customer, {"card": "c-1"})
    assign(customer, {"till": "t-2"})
    customer.refresh_from_db()
    assert customer.search_identifiers == " c 1 t 2"
    remove_card = CustomerIdentifier.objects.get(customer=customer, name="card").pk
    identifiers.remove(
        tenant=customer.tenant, customer=customer, identifier_id=remove_card, staff_username="clara", client=CLIENT
    )
    customer.refresh_from_db()
    neighbour.refresh_from_db()
    assert (customer.search_identifiers, neighbour.search_identifiers) == (" t 2", " n 1")


def test_values_that_somebody_has_under_the_name(customer: Customer, neighbour: Customer, other_tenant: Tenant) -> None:
    other = profiles.create(tenant=other_tenant, number=numbers.take(tenant=other_tenant), values={})
    assign(customer, {"card": "1"})
    assign(neighbour, {"card": "2", "till": "3"})
    assign(other, {"card": "4"})
    values = ["1", "2", "3", "4", "5"]
    assert identifiers.values_taken(tenant=customer.tenant, name="card", values=values) == {"1", "2"}
    assert identifiers.values_taken(tenant=customer.tenant, name="till", values=values) == {"3"}
    assert identifiers.values_taken(tenant=customer.tenant, name="card", values=[]) == set()


def test_what_is_known_is_the_pair_of_name_and_value(customer: Customer, neighbour: Customer) -> None:
    assign(customer, {"card": "1", "till": "2"})
    assign(neighbour, {"card": "3"})
    found = identifiers.known(tenant=customer.tenant, identifiers={"card": "2", "till": "2", "app": "1"})
    assert [(each.name, each.value) for each in found] == [("till", "2")]
