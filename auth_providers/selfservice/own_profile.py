"""Customers change their own profile. A stolen token could redirect the shop's mail, so that a change of a contact
point is told at the addresses from before."""

from django.db import transaction

from auth_providers.accounts import notices
from customers import profiles
from customers.models import Customer
from customers.profiles import ProfileChanges
from tenants.clients import Client
from tenants.models import Tenant


@transaction.atomic
def update(
    *, tenant: Tenant, customer: Customer, changes: ProfileChanges, expected_version: int | None, client: Client
) -> Customer:
    """Apply the changes and return the changed profile. Raises what `profiles.update` raises."""
    changed = profiles.update(
        tenant=tenant, customer=customer, changes=changes, expected_version=expected_version, client=client
    )
    before = customer.contact_email, customer.contact_phone
    if (changed.contact_email, changed.contact_phone) != before:
        old_email = before[0] if before[0] and before[0] != changed.contact_email else ""
        notices.tell_of_changed_contact(tenant=tenant, customer=changed, old_email=old_email)
    return changed
