"""What other systems know a customer by, the segments a customer is in, and what staff write down."""

from typing import Any

import pytest

from customers import erasure, identifiers, notes, numbers, profiles, segments
from customers.models import Customer, CustomerIdentifier, Segment, SegmentMembership
from tenants.errors import InvalidInput
from tenants.isolation import confined
from tenants.models import AuditEvent, Tenant
from tests.factories import CLIENT
from tests.races import at_once

CARD, TILL = {"loyaltyCard": "C-1"}, {"till": "7:42"}


@pytest.fixture
def neighbour(customer: Customer) -> Customer:
    return profiles.create(tenant=customer.tenant, number=numbers.take(tenant=customer.tenant), values={})


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


def test_identifiers_of_two_customers_name_nobody(customer: Customer, neighbour: Customer) -> None:
    assign(customer, CARD)
    assign(neighbour, TILL)
    with pytest.raises(identifiers.IdentifiersDisagree):
        find(customer.tenant, CARD | TILL)


def test_an_identifier_is_assigned_once(customer: Customer, neighbour: Customer) -> None:
    assign(customer, CARD)
    assign(customer, CARD)
    event = AuditEvent.objects.get(action="assign_identifier")
    assert (event.customer_number, event.reason) == (customer.number, "loyaltyCard")
    with pytest.raises(identifiers.IdentifierTaken):
        assign(neighbour, CARD | TILL)
    assert find(customer.tenant, TILL) is None
    with confined(customer.tenant):
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
    assign(customer, {f"card{number}": "x" for number in range(identifiers.MOST)})
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


def test_a_segment_is_assigned_and_removed_once(customer: Customer, other_tenant: Tenant) -> None:
    segment = Segment.objects.create(tenant=customer.tenant, code="vip")
    assert [segments.assign(tenant=customer.tenant, customer=customer, code="vip") for _ in range(2)] == [True, False]
    assert segments.list_for(tenant=customer.tenant, customer=customer) == [segment]
    assert segments.list_for(tenant=other_tenant, customer=customer) == []
    assert [segments.remove(tenant=customer.tenant, customer=customer, code="vip") for _ in range(2)] == [True, False]
    assert [event.reason for event in AuditEvent.objects.filter(action__endswith="segment")] == ["vip", "vip"]


@pytest.mark.parametrize("code", ["unknown", "foreign", "", "a\0b", "\ud800"])
def test_an_unknown_segment_is_refused_and_not_made(customer: Customer, other_tenant: Tenant, code: str) -> None:
    Segment.objects.create(tenant=other_tenant, code="foreign")
    for act in (segments.assign, segments.remove):
        with pytest.raises(InvalidInput) as refused:
            act(tenant=customer.tenant, customer=customer, code=code)
        assert refused.value.details[0].field == "segment"
    assert Segment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_assign_one_segment_at_once(customer: Customer) -> None:
    Segment.objects.create(tenant=customer.tenant, code="vip")
    results = at_once(6, lambda index: segments.assign(tenant=customer.tenant, customer=customer, code="vip"))
    assert sorted(results, key=str) == [False] * 5 + [True]
    assert SegmentMembership.objects.count() == AuditEvent.objects.filter(action="assign_segment").count() == 1


def test_notes_come_newest_first(customer: Customer, neighbour: Customer) -> None:
    for text in ("Called.", "Called again."):
        notes.add(tenant=customer.tenant, customer=customer, text=text, staff_username="clara")
    assert [note.text for note in notes.list_for(tenant=customer.tenant, customer=customer)] == [
        "Called again.",
        "Called.",
    ]
    assert notes.list_for(tenant=customer.tenant, customer=neighbour) == []


def test_who_was_erased_or_is_another_tenants_gets_nothing(customer: Customer, other_tenant: Tenant) -> None:
    for tenant in (customer.tenant, other_tenant):
        Segment.objects.create(tenant=tenant, code="vip")
    erased = Customer.objects.get(pk=customer.pk)
    for tenant in (other_tenant, customer.tenant):
        if tenant == customer.tenant:
            erasure.erase(tenant=tenant, customer=erased)
        for act in (
            lambda tenant=tenant: segments.assign(tenant=tenant, customer=customer, code="vip"),
            lambda tenant=tenant: notes.add(tenant=tenant, customer=customer, text="x", staff_username="clara"),
            lambda tenant=tenant: identifiers.assign(tenant=tenant, customer=customer, identifiers=CARD),
        ):
            with pytest.raises(profiles.CustomerNotFound):
                act()
