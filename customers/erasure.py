"""Erasing a customer: the personal data goes, the number stays taken."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from customers.models import Address, ContactAssignment, Customer
from customers.profiles import CustomerNotFound
from tenants import audit
from tenants.clients import Client
from tenants.models import Tenant

# Every column of a profile that says something about a person, and what it is erased to. A test walks the model.
ERASED_TO: dict[str, Any] = {
    "title": None,
    "first_name": None,
    "middle_name": None,
    "last_name": None,
    "contact_email": None,
    "contact_phone": None,
    "company": None,
    "company_registration_id": None,
    "mixins": {},
    "mixin_schemas": {},
}


@transaction.atomic
def erase(*, tenant: Tenant, customer: Customer, client: Client = audit.NO_CLIENT, staff_username: str = "") -> None:
    """Erase the customer's personal data and addresses; the row and its number stay, inactive.

    Raises `CustomerNotFound` for one who is erased already.
    """
    now = timezone.now()
    # The profile first: from then on nobody adds an address to it.
    there = Customer.objects.for_tenant(tenant).filter(pk=customer.pk, erased_at=None)
    if not there.update(**ERASED_TO, is_active=False, erased_at=now, updated_at=now):
        raise CustomerNotFound
    Address.objects.for_tenant(tenant).filter(customer=customer).delete()
    ContactAssignment.objects.for_tenant(tenant).filter(customer=customer).delete()
    audit.record(
        tenant=tenant,
        action="erase_customer",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
    )
