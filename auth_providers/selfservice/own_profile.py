"""Customers change their own profile. A stolen token could redirect the shop's mail, so that a change of a contact
point is told at the addresses from before."""

from auth_providers.accounts import notices
from customers import profiles
from customers.models import Customer
from customers.profiles import ProfileChanges
from tenants.clients import Client
from tenants.compiled import transactions
from tenants.models import Tenant


@transactions.brief()
def update(
    *, tenant: Tenant, customer: Customer, changes: ProfileChanges, expected_version: int | None, client: Client
) -> Customer:
    """Apply the changes and return the changed profile. Raises what `profiles.update` raises."""
    changed = profiles.update(
        tenant=tenant, customer=customer, changes=changes, expected_version=expected_version, client=client
    )
    notices.tell_of_changed_contact(tenant=tenant, before=customer, after=changed)
    return changed
