"""Erasing a customer: the personal data goes, the number stays taken.

The profile is emptied at once. The rows that belong to it, which no request can reach any more, are deleted later.
"""

from django.db import models
from django.utils import timezone

from customers.models import (
    Address,
    Consent,
    ContactAssignment,
    Customer,
    CustomerIdentifier,
    Note,
    SegmentMembership,
)
from customers.profiles import CustomerNotFound
from tenants import audit
from tenants.clients import Client
from tenants.models import Tenant

# Every column of a profile that says something about a person, and what it is erased to. A test walks the model.
ERASED_TO: dict[str, object] = {
    "title": None,
    "first_name": None,
    "middle_name": None,
    "last_name": None,
    "contact_email": None,
    "contact_phone": None,
    "company": None,
    "company_registration_id": None,
    "sex": None,
    "birth_date": None,
    "nationality": None,
    "advisor": None,
    "properties": {},
    "mixins": {},
    "mixin_schemas": {},
}
# The tables whose rows belong to one customer.
BELONGINGS: tuple[type[models.Model], ...] = (
    Address,
    ContactAssignment,
    CustomerIdentifier,
    SegmentMembership,
    Note,
    Consent,
)


def erase(*, tenant: Tenant, customer: Customer, client: Client = audit.NO_CLIENT, staff_username: str = "") -> None:
    """Empty the profile; the row and its number stay, inactive. Call it in a transaction, and `finish` later.

    Raises `CustomerNotFound` for a customer who is erased already.
    """
    now = timezone.now()
    # After this update nobody can add an address.
    there = Customer.objects.for_tenant(tenant).filter(pk=customer.pk, erased_at=None)
    if not there.update(**ERASED_TO, is_active=False, erased_at=now, updated_at=now):
        raise CustomerNotFound
    audit.record(
        tenant=tenant,
        action="erase_customer",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
    )


def finish(*, customer: Customer) -> None:
    """Delete the rows that belong to a customer who is erased."""
    for model in BELONGINGS:
        model._default_manager.filter(tenant=customer.tenant_id, customer=customer).delete()
