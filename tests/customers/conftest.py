"""A profile without a log-in, which costs no password hash."""

import pytest

from customers import numbers, profiles
from customers.models import Customer
from tenants.models import Tenant


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return profiles.create(
        tenant=tenant,
        number=numbers.take(tenant=tenant),
        values={"first_name": "Ada", "last_name": "Lovelace", "contact_email": "ada@example.com"},
    )


@pytest.fixture
def neighbour(customer: Customer) -> Customer:
    return profiles.create(tenant=customer.tenant, number=numbers.take(tenant=customer.tenant), values={})
