"""Every tenant has passwords until a row switches them off."""

from auth_providers.providers import setup
from tenants.models import Tenant
from tests.auth_providers.providers.configuring import configure


def test_a_row_needs_nothing(tenant: Tenant) -> None:
    provider = configure(tenant, "password", is_enabled=False)
    assert (provider.kind, provider.is_enabled) == ("password", False)
    assert "nothing to ask" in setup.test(provider)
