"""A shop's own system that says who a customer is, and the provider that asks it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from auth_providers.models import AuthProvider
from tenants.models import Tenant
from tests import shop_endpoint
from tests.auth_providers.login.webhook_log_ins import register
from tests.shop_endpoint import Shop


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    with shop_endpoint.running() as running:
        yield running


@pytest.fixture
def card(tenant: Tenant, shop: Shop) -> AuthProvider:
    return register(tenant, shop.url)
