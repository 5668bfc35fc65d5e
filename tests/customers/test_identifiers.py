"""What other systems know a customer by: each identifier is one customer's."""

from typing import Any

import pytest

from customers import erasure, identifiers, profiles
from customers.models import Customer, CustomerIdentifier
from tenants.errors import InvalidInput
from tenants.isolation import Confinement
from tenants.models import AuditEvent, Tenant
from tests.factories import CLIENT
from tests.races import at_once

CARD, TILL = {"loyaltyCard": "C-1"}, {"till": "7:42"}


def assign(customer: Customer, given: dict[str, Any]) -> None:
    identifiers.assign(tenant=customer.tenant, customer=customer, identifiers=given, client=CLIENT)


def find(tenant: Tenant, given: dict[str, Any]) -> Customer | None:
    return identifiers.find_customer(tenant=tenant, identifiers=given)


def test_a_customer_is_found_by_any_of_their_identifiers(customer: Customer, other_tenant: Tenant) -> None:
    assign(customer, CARD | TILL)
    assert find(customer.tenant, CARD) == find(customer.tenant, TILL | {"loyaltyCard": "new"}) == customer
    for given in ({}, {"loyaltyCard": "C-2"}, {"till": "C-1"}):
        assert find(customer.tenant, given) is None
    assert find(other_tenant, CARD) is None


def test_names_in_use_are_the_tenants_own_in_their_order(
    customer: Customer, neighbour: Customer, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert identifiers.names_in_use(tenant=customer.tenant) == []
    assign(customer, TILL | CARD)
    assign(neighbour, {"till": "8", "app": "1"})
    assign(profiles.create(tenant=other_tenant, number="10000001", values={}), {"bonus": "1"})
    assert identifiers.names_in_use(tenant=customer.tenant) == ["app", "loyaltyCard", "till"]
    monkeypatch.setattr(identifiers, "MAX_NAMES", 2)
    assert identifiers.names_in_use(tenant=customer.tenant) == ["app", "loyaltyCard"]


def test_identifiers_of_two_customers_are_refused(customer: Customer, neighbour: Customer) -> None:
    assign(customer, CARD)
    assign(neighbour, TILL)
    for given in (CARD | TILL, TILL | CARD, {"app": "unknown"} | TILL | CARD):
        with pytest.raises(InvalidInput) as refused:
            find(customer.tenant, given)
        assert [(each.field, each.code) for each in refused.value.details] == [("identifiers", "mismatch")]
    assert find(customer.tenant, {"app": "unknown"} | CARD) == customer
    assert find(customer.tenant, {"app": "unknown"} | TILL) == neighbour


def test_the_same_identifiers_of_another_tenants_customer_do_not_disagree(
    customer: Customer, other_tenant: Tenant
) -> None:
    assign(customer, CARD)
    assign(profiles.create(tenant=other_tenant, number="10000001", values={}), CARD | TILL)
    assert find(customer.tenant, CARD | TILL) == customer


def test_an_erased_customer_is_not_found(customer: Customer, neighbour: Customer) -> None:
    assign(customer, CARD)
    assign(neighbour, TILL)
    erasure.erase(tenant=customer.tenant, customer=customer)
    assert find(customer.tenant, CARD) is None
    assert find(customer.tenant, CARD | TILL) == neighbour


def test_an_identifier_is_assigned_once(customer: Customer, neighbour: Customer) -> None:
    assign(customer, CARD)
    assign(customer, CARD)
    event = AuditEvent.objects.get(action="assign_identifier")
    assert (event.customer_number, event.reason) == (customer.number, "loyaltyCard")
    with pytest.raises(identifiers.IdentifierTaken):
        assign(neighbour, CARD | TILL)
    assert find(customer.tenant, TILL) is None
    with Confinement(customer.tenant):
        assign(customer, TILL | {"app": "x"})
    assert CustomerIdentifier.objects.count() == 3


@pytest.mark.parametrize(
    "given",
    [
        *(
            {"": "x"},
            {"a b": "x"},
            {"n" * 65: "x"},
            {"card": ""},
            {"card": " x"},
            {"card": "x" * 256},
            {"card": "a\0b"},
        ),
        *({"card": 7}, {"card": None}, {"card": ["x"]}, {f"card{number}": "x" for number in range(21)}),
    ],
    ids=lambda given: str(given)[:30].replace("\0", "0"),
)
def test_what_is_no_identifier_is_refused(customer: Customer, given: dict[str, Any]) -> None:
    for act in (assign, lambda customer, given: find(customer.tenant, given)):
        with pytest.raises(InvalidInput) as refused:
            act(customer, given)
        assert refused.value.details[0].field.startswith("identifiers")


def test_nobody_collects_identifiers(customer: Customer) -> None:
    assign(customer, {f"card{number}": "x" for number in range(identifiers.MAX_IDENTIFIERS)})
    with pytest.raises(InvalidInput):
        assign(customer, CARD)


def test_a_removed_identifier_is_free(customer: Customer, neighbour: Customer) -> None:
    assign(customer, CARD)
    stored = CustomerIdentifier.objects.get()
    for whose, was_there in ((neighbour, False), (customer, True), (customer, False)):
        assert was_there == identifiers.remove(
            tenant=whose.tenant, customer=whose, identifier_id=stored.pk, staff_username="clara"
        )
    assign(neighbour, CARD)
    assert find(customer.tenant, CARD) == neighbour


@pytest.mark.django_db(transaction=True)
def test_two_who_want_one_identifier_at_once(customer: Customer, neighbour: Customer) -> None:
    results = at_once(6, lambda index: assign((customer, neighbour)[index % 2], CARD))
    assert {type(result) for result in results} == {type(None), identifiers.IdentifierTaken}
    assert results.count(None) == 3  # the winner asked three times
    assert CustomerIdentifier.objects.count() == 1
