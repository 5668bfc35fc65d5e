"""What tests of the token services start from."""

import pytest

from auth_providers.models import Token
from tenants.models import Tenant
from tests import factories
from tests.contracts.scene import Callers, Scene, set_scene


@pytest.fixture
def scene(tenant: Tenant, callers: Callers) -> Scene:
    """The customer's tokens were issued to the client `storefront`."""
    scene = set_scene(tenant, callers=callers)
    Token.objects.update(api_key=factories.api_key_of(tenant))
    return scene
