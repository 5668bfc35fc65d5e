"""The companies that customers act for."""

import secrets
from dataclasses import dataclass

from django.db import transaction

from customers.models import ContactAssignment, Customer, LegalEntity
from tenants.clients import Client
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tenants.trail import audit

ID_BYTES = 12


@dataclass(frozen=True, kw_only=True)
class Assigned:
    """A legal entity that a customer acts for, and the id of that assignment."""

    public_id: str
    name: str
    assignment_id: str


def list_for(*, tenant: Tenant, customer: Customer) -> list[Assigned]:
    """The customer's legal entities, first assigned first."""
    rows = (
        ContactAssignment.objects.for_tenant(tenant)
        .filter(customer=customer)
        .order_by("pk")
        .values_list("legal_entity__public_id", "legal_entity__name", "public_id")
    )
    return [Assigned(public_id=entity, name=name, assignment_id=own) for entity, name, own in rows]


def get_assigned(*, tenant: Tenant, customer: Customer, public_id: str) -> LegalEntity:
    """The legal entity of this id, if the customer acts for it. Raises `InvalidInput`."""
    mine = ContactAssignment.objects.for_tenant(tenant).filter(customer=customer)
    assignment = mine.select_related("legal_entity").filter(legal_entity__public_id=public_id).first()
    if assignment is None:
        raise InvalidInput.field("legal_entity_id", "The customer is not assigned to this legal entity.")
    return assignment.legal_entity


def new_public_id() -> str:
    """An id for a legal entity or an assignment that has none of its own."""
    return secrets.token_hex(ID_BYTES)


@transaction.atomic
def assign(
    *, tenant: Tenant, customer: Customer, legal_entity: LegalEntity, staff_username: str, client: Client
) -> ContactAssignment:
    """Let the customer act for the legal entity. Raises `InvalidInput`."""
    check_assignable(tenant=tenant, customer=customer, legal_entity=legal_entity)
    assignment = ContactAssignment(
        tenant=tenant, public_id=new_public_id(), customer=customer, legal_entity=legal_entity
    )
    assignment.save(force_insert=True)
    _record(tenant, "assign_legal_entity", assignment, staff_username, client)
    return assignment


def check_assignable(*, tenant: Tenant, customer: Customer, legal_entity: LegalEntity) -> None:
    """Raises the `InvalidInput` that `assign` would: both belong to the tenant, and to each other not yet."""
    if {customer.tenant_id, legal_entity.tenant_id} != {tenant.pk} or not customer.is_there:
        raise InvalidInput.field("customer", "This tenant has no such customer.")
    if ContactAssignment.objects.for_tenant(tenant).filter(customer=customer, legal_entity=legal_entity.pk).exists():
        raise InvalidInput.field("customer", "This customer is assigned already.", code="duplicate")


@transaction.atomic
def unassign(*, tenant: Tenant, assignment: ContactAssignment, staff_username: str, client: Client) -> None:
    """From now on the customer does not act for the legal entity any more."""
    _record(tenant, "unassign_legal_entity", assignment, staff_username, client)
    ContactAssignment.objects.for_tenant(tenant).filter(pk=assignment.pk).delete()


def _record(tenant: Tenant, action: str, assignment: ContactAssignment, staff_username: str, client: Client) -> None:
    audit.record(
        tenant=tenant,
        action=action,
        client=client,
        customer_number=assignment.customer.number,
        staff_username=staff_username,
        reason=assignment.legal_entity.public_id,
    )
