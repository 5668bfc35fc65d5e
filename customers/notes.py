"""Notes of the staff about a customer. A customer who asks for a copy of their data gets them, too."""

from django.db import transaction
from django.db.models import QuerySet

from customers import profiles
from customers.models import Customer, Note
from tenants.clients import Client
from tenants.compiled.queries import compiled
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tenants.trail import audit

MAX_LENGTH = 5000  # characters


@transaction.atomic
def add(
    *, tenant: Tenant, customer: Customer, text: str, staff_username: str, client: Client = audit.NO_CLIENT
) -> Note:
    """Add a note. The audit trail says that a note was added, not what it says.

    Raises `InvalidInput` and `profiles.CustomerNotFound`.
    """
    text = text.strip()
    if not text or len(text) > MAX_LENGTH or "\0" in text:
        raise InvalidInput.field("text", f"Write something, in at most {MAX_LENGTH} characters.")
    profiles.lock(tenant=tenant, customer=customer)
    note = Note(tenant=tenant, customer=customer, text=text, staff_username=staff_username)
    note.save(force_insert=True)
    audit.record(
        tenant=tenant,
        action="add_note",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
    )
    return note


def list_for(*, tenant: Tenant, customer: Customer) -> list[Note]:
    """The customer's notes, newest first."""
    return _of_customer(tenant=tenant, customer=customer)


@compiled
def _of_customer(*, tenant: Tenant, customer: Customer) -> QuerySet[Note]:
    return Note.objects.for_tenant(tenant).filter(customer=customer).order_by("-pk")


READS = (_of_customer,)  # what `list_for` asks, for who reads ahead
