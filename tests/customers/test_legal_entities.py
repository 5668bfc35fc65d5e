"""Legal entities: a customer acts for those assigned to them, and for no other."""

import re

import pytest
from django.utils import timezone

from customers import legal_entities, numbers, profiles
from customers.models import ContactAssignment, Customer, LegalEntity
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests.factories import CLIENT, OTHER_CLIENT


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
    entities = {public_id: assign(customer, public_id) for public_id in ("works", "mill")}
    for public_id, entity in entities.items():
        found = legal_entities.get_assigned(tenant=customer.tenant, customer=customer, public_id=public_id)
        assert found == entity


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


# -- assigning -------------------------------------------------------------------------------------------------------
def company(tenant: Tenant, public_id: str) -> LegalEntity:
    return LegalEntity.objects.create(tenant=tenant, public_id=public_id, name=f"The {public_id}")


def let_act(customer: Customer, entity: LegalEntity) -> ContactAssignment:
    return legal_entities.assign(
        tenant=customer.tenant, customer=customer, legal_entity=entity, staff_username="clara", client=CLIENT
    )


def test_an_assignment_has_an_id_of_its_own(customer: Customer) -> None:
    entity = company(customer.tenant, "works")
    made = let_act(customer, entity)
    stored = ContactAssignment.objects.get()
    assert made == stored
    assert (stored.tenant, stored.customer, stored.legal_entity) == (customer.tenant, customer, entity)
    assert re.fullmatch("[0-9a-f]{24}", stored.public_id)
    assert let_act(make_neighbour(customer.tenant), entity).public_id != stored.public_id


def test_the_trail_says_who_let_whom_act_for_which_company_and_until_when(customer: Customer) -> None:
    other = assign(customer, "mill")
    assignment = let_act(customer, company(customer.tenant, "works"))
    legal_entities.unassign(tenant=customer.tenant, assignment=assignment, staff_username="grace", client=OTHER_CLIENT)
    assert [each.legal_entity for each in ContactAssignment.objects.all()] == [other]
    for action, staff, client in (
        ("assign_legal_entity", "clara", CLIENT),
        ("unassign_legal_entity", "grace", OTHER_CLIENT),
    ):
        event = AuditEvent.objects.get(action=action)
        assert (event.tenant, event.customer_number) == (customer.tenant, customer.number)
        assert (event.reason, event.staff_username, event.address) == ("works", staff, client.address)


def test_who_acts_for_a_company_is_not_assigned_to_it_again(customer: Customer) -> None:
    entity = assign(customer, "works")
    with pytest.raises(InvalidInput) as refused:
        let_act(customer, entity)
    assert [(each.field, each.code) for each in refused.value.details] == [("customer", "duplicate")]
    assert ContactAssignment.objects.count() == 1
    assert not AuditEvent.objects.filter(action="assign_legal_entity").exists()
    let_act(make_neighbour(customer.tenant), entity)
    let_act(customer, company(customer.tenant, "mill"))
    assert ContactAssignment.objects.count() == 3


@pytest.mark.parametrize("wrong", ["tenant", "customer", "legal entity", "erased", "merged"])
def test_only_a_customer_of_the_tenant_who_is_there_acts_for_a_company_of_the_tenant(
    customer: Customer, other_tenant: Tenant, wrong: str
) -> None:
    tenant, entity = customer.tenant, company(customer.tenant, "works")
    if wrong == "tenant":
        tenant = other_tenant
    elif wrong == "customer":
        customer = make_neighbour(other_tenant)
    elif wrong == "legal entity":
        entity = company(other_tenant, "works")
    elif wrong == "erased":
        customer.erased_at = timezone.now()
    else:
        customer.merged_into = make_neighbour(tenant)
    for act in (
        lambda: legal_entities.check_assignable(tenant=tenant, customer=customer, legal_entity=entity),
        lambda: legal_entities.assign(
            tenant=tenant, customer=customer, legal_entity=entity, staff_username="clara", client=CLIENT
        ),
    ):
        with pytest.raises(InvalidInput) as refused:
            act()
        assert [(each.field, each.message) for each in refused.value.details] == [
            ("customer", "This tenant has no such customer.")
        ]
    assert not ContactAssignment.objects.exists()


def test_another_tenants_assignment_is_not_ended(customer: Customer, other_tenant: Tenant) -> None:
    assignment = let_act(customer, company(customer.tenant, "works"))
    legal_entities.unassign(tenant=other_tenant, assignment=assignment, staff_username="clara", client=CLIENT)
    assert ContactAssignment.objects.get() == assignment
