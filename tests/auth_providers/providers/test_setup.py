"""What staff set up is checked before it is stored: what is the same for every kind."""

from typing import Any

import pytest
from pytest_django import Settings

from tenants.models import Tenant
from tests.auth_providers.providers.configuring import configure, fields_at_fault

OIDC: dict[str, Any] = {"issuer": "https://id.example", "client_id": "us"}


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("carrier-pigeon", {}, "kind"),
        ("", {}, "kind"),
        ("otp", {"name": "codes"}, "name"),
        ("oidc", {**OIDC, "name": "otp"}, "name"),
        ("otp", {"settings": []}, "settings"),
        ("oidc", {**OIDC, "issuer": "http://id.example"}, "issuer"),
        ("oidc", {**OIDC, "introspection_url": "http://10.0.0.1/"}, "introspection_url"),
        ("oidc", {**OIDC, "settings": {"other_client_ids": "us"}}, "settings"),
        ("oidc", {**OIDC, "settings": {"other_client_ids": [5]}}, "settings"),
        ("oidc", {**OIDC, "settings": {"other_client_ids": ["us", ""]}}, "settings"),
        ("google", {"client_id": "us", "settings": {"endpoints": ["https://gateway.example"]}}, "settings"),
        ("google", {"client_id": "us", "settings": {"endpoints": {"https://a.example": 5}}}, "settings"),
        (
            "google",
            {"client_id": "us", "settings": {"endpoints": {"https://a.example": "http://127.0.0.1"}}},
            "settings",
        ),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(tenant: Tenant, kind: str, given: dict[str, Any], field: str) -> None:
    assert fields_at_fault(tenant, kind, **given) == {field}


def test_a_host_that_the_deployment_allows(tenant: Tenant, settings: Settings) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = ["id.internal"]
    assert configure(tenant, "oidc", issuer="http://id.internal", client_id="us").issuer == "http://id.internal"
