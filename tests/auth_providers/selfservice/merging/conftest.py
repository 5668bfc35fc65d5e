"""Two customers who are one person."""

import pytest

from customers.models import (
    Customer,
)
from tenants.models import Tenant
from tests import factories, neighbours
from tests.auth_providers.selfservice.merging.merged import OTHER, PHONE
from tests.neighbours import Neighbours


@pytest.fixture
def kept(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """One of two, beside two others who have everything."""
    return factories.make_customer(tenant, first_name="Ada", last_name="King", address={"contact_name": "Ada"})


@pytest.fixture
def gone(kept: Customer) -> Customer:
    """The same person once more, who has everything that a customer can have."""
    return neighbours.make_customer_with_everything(kept.tenant, email=OTHER, phone=PHONE).customer
