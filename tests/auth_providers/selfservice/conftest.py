"""Whom tests of self-service are about."""

import pytest

from customers.models import Customer
from tenants.models import Tenant
from tests import factories


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)
