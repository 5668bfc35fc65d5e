"""Who opens our own pages, and another provider, where customers log in."""

from collections.abc import Iterator

import pytest
from django.test import Client

from customers.models import Customer
from tenants.models import Tenant
from tests import factories, oidc_provider
from tests.factories import EMAIL


@pytest.fixture
def browser() -> Client:
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant)


@pytest.fixture(scope="session")
def openid_provider() -> Iterator[oidc_provider.Provider]:
    """An OpenID provider on loopback, and whom it knows."""
    with oidc_provider.running() as provider:
        provider.sign_up("ada", email=EMAIL, email_verified=True)
        provider.sign_up("mallory", email=EMAIL, email_verified=False)
        yield provider
