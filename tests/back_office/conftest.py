"""Staff to test with. Most tests are about what happens after the log-in, so the second factor is off for them."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from customers.models import Customer
from tenants.models import Role, StaffMembership, Tenant
from tests import factories


@pytest.fixture(autouse=True)
def password_is_enough(settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = False


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant, first_name="Ada", last_name="Lovelace", contact_phone="+49 171 2345678")


@pytest.fixture
def clerk(db: None) -> Client:
    """Someone with every right, logged in."""
    client = Client()
    client.force_login(User.objects.create_superuser("clara", "", None))
    return client


def log_in_as(tenant: Tenant | None, role: Role = Role.VIEWER, username: str = "mallory") -> Client:
    """Someone who works for the tenant in this role, logged in; for None, for nobody."""
    user = User.objects.create_user(username, is_staff=True)
    if tenant is not None:
        StaffMembership.objects.create(tenant=tenant, user=user, role=role)
    client = Client()
    client.force_login(user)
    return client
