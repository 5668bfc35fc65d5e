"""A shop's own system that says who a customer is, and the provider that asks it."""

import pytest

from auth_providers.models import AuthProvider
from tenants.models import Tenant
from tests.auth_providers.login.webhook_log_ins import register
from tests.shop_endpoint import Shop


@pytest.fixture
def card(tenant: Tenant, shop: Shop) -> AuthProvider:
    return register(tenant, shop.url)
