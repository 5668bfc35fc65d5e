"""Erasing a customer: the personal data goes, the number stays taken.

The profile is emptied at once. The rows that belong to it, which no request can reach any more, are deleted later.
"""

from collections.abc import Collection

from django.utils import timezone

from customers.models import Customer
from customers.profiles import CustomerNotFound
from tenants import audit, trail_maintenance
from tenants.classification import AtErasure, classified, emptied
from tenants.clients import Client
from tenants.models import Tenant


def erase(*, tenant: Tenant, customer: Customer, client: Client = audit.NO_CLIENT, staff_username: str = "") -> None:
    """Empty the profile; the row and its number stay, inactive. Call it in a transaction, and `finish` later.

    Raises `CustomerNotFound` for a customer who is erased already.
    """
    now = timezone.now()
    # After this update nobody can add an address.
    there = Customer.objects.for_tenant(tenant).filter(pk=customer.pk, erased_at=None)
    if not there.update(**emptied(Customer), is_active=False, erased_at=now, updated_at=now):
        raise CustomerNotFound
    audit.record(
        tenant=tenant,
        action="erase_customer",
        client=client,
        customer_number=customer.number,
        staff_username=staff_username,
    )
    trail_maintenance.blank_erased(tenant=tenant, customer_number=customer.number)


def finish(*, customer: Customer, destinations: Collection[str] = ()) -> None:
    """Delete every row that belongs to a customer who is erased, in the tables of all apps.

    `destinations` are the addresses and numbers at which nobody else is reached: what went there is deleted, too.
    """
    for model, privacy in classified():
        if privacy.at_erasure == AtErasure.ROW_GOES:
            rows = model._default_manager.filter(tenant=customer.tenant_id)
            rows.filter(privacy.about(customer.pk, customer.number, destinations)).delete()
    trail_maintenance.blank_erased(tenant=customer.tenant, customer_number=customer.number)
