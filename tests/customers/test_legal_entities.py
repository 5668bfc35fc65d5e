"""Legal entities: a customer acts for those assigned to them, and for no other."""

import pytest

from customers import legal_entities, numbers, profiles
from customers.models import ContactAssignment, Customer, LegalEntity
from tenants.errors import InvalidInput
from tenants.models import Tenant


def assign(customer: Customer, public_id: str) -> LegalEntity:
    entity, _ = LegalEntity.objects.get_or_create(
        tenant=customer.tenant, public_id=public_id, defaults={"name": f"The {public_id}"}
    )
    ContactAssignment.objects.create(
        tenant=customer.tenant, customer=customer, legal_entity=entity, public_id=f"{public_id}-{customer.number}"
    )
    return entity


def make_neighbour(tenant: Tenant) -> Customer:
    return profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values={})


def test_list_for_shows_ones_own_first_assigned_first(customer: Customer) -> None:
    neighbour = make_neighbour(customer.tenant)
    for public_id in ("works", "mill"):
        assign(customer, public_id)
    assign(neighbour, "mine")
    found = legal_entities.list_for(tenant=customer.tenant, customer=customer)
    assert [(each.public_id, each.name) for each in found] == [("works", "The works"), ("mill", "The mill")]
    assert [each.assignment_id for each in found] == [f"works-{customer.number}", f"mill-{customer.number}"]


def test_list_for_in_another_tenant_is_empty(customer: Customer, other_tenant: Tenant) -> None:
    assign(customer, "works")
    assert legal_entities.list_for(tenant=other_tenant, customer=customer) == []


def test_get_assigned(customer: Customer) -> None:
    entity = assign(customer, "works")
    assert legal_entities.get_assigned(tenant=customer.tenant, customer=customer, public_id="works") == entity


@pytest.mark.parametrize("public_id", ["mine", "unknown", ""])
def test_get_assigned_of_someone_else_or_nobody(customer: Customer, public_id: str) -> None:
    assign(make_neighbour(customer.tenant), "mine")
    with pytest.raises(InvalidInput) as refused:
        legal_entities.get_assigned(tenant=customer.tenant, customer=customer, public_id=public_id)
    assert [each.field for each in refused.value.details] == ["legal_entity_id"]


def test_get_assigned_in_another_tenant(customer: Customer, other_tenant: Tenant) -> None:
    assign(customer, "works")
    with pytest.raises(InvalidInput):
        legal_entities.get_assigned(tenant=other_tenant, customer=customer, public_id="works")
