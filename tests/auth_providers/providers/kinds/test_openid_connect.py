"""Any provider that speaks OpenID Connect. Logging in at one is shown in `login/test_social.py`."""

from tenants.models import Tenant
from tests.auth_providers.providers.configuring import configure, fields_at_fault


def test_what_it_needs(tenant: Tenant) -> None:
    assert fields_at_fault(tenant, "oidc") == {"issuer", "client_id"}
    assert configure(tenant, "oidc", issuer="https://id.example", client_id="us").kind == "oidc"
