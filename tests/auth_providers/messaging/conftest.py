import pytest

from auth_providers.models import WebhookEndpoint
from tenants.models import Tenant
from tests.auth_providers.messaging.webhook_listeners import LOGGED_IN, UPDATED, listening
from tests.shop_endpoint import Shop


@pytest.fixture
def endpoint(tenant: Tenant, shop: Shop) -> WebhookEndpoint:
    return listening(tenant, shop, UPDATED, LOGGED_IN)
