"""What hangs on a profile: the customer's own log-ins and legal entities, oldest first, and nobody else's."""

from auth_providers.accounts import accounts, connections
from auth_providers.accounts.connections import Connections
from auth_providers.accounts.contact_points import SMS, ContactPoint
from customers import legal_entities
from customers.models import ContactAssignment, Customer, LegalEntity
from tenants.models import Tenant
from tests import factories
from tests.neighbours import Neighbours


def add_identity(customer: Customer, subject: str, email: str) -> None:
    accounts.create_external(
        tenant=customer.tenant,
        customer=customer,
        provider="partner",
        issuer="https://issuer.example",
        subject=subject,
        email=email,
        is_email_verified=False,
    )


def assign(customer: Customer, public_id: str, name: str) -> str:
    entity = LegalEntity.objects.create(tenant=customer.tenant, public_id=public_id, name=name)
    legal_entities.assign(
        tenant=customer.tenant,
        customer=customer,
        legal_entity=entity,
        staff_username="clara",
        client=factories.CLIENT,
    )
    return ContactAssignment.objects.get(customer=customer, legal_entity=entity).public_id


def test_a_profile_has_its_own_log_ins_and_legal_entities_oldest_first(neighbours: Neighbours, tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    add_identity(customer, "z-subject", "z@example.com")
    add_identity(customer, "a-subject", "")
    point = ContactPoint(channel=SMS, destination="+442079460003")
    accounts.create_for_contact_point(tenant=tenant, customer=customer, point=point, proof=None)
    assigned = [assign(customer, "z-company", "Zebra"), assign(customer, "a-company", "Ant")]
    assert connections.list_for(tenant=tenant, customer=customer) == Connections(
        log_ins=[
            (factories.EMAIL, ""),
            ("z@example.com", "z-subject"),
            ("a-subject", "a-subject"),
            ("+442079460003", "+442079460003"),
        ],
        legal_entities=[("z-company", "Zebra", assigned[0]), ("a-company", "Ant", assigned[1])],
    )


def test_a_visitor_has_none(neighbours: Neighbours, tenant: Tenant) -> None:
    assert connections.list_for(tenant=tenant, customer=None) == Connections(log_ins=[], legal_entities=[])
