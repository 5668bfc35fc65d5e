"""What staff set up is checked by kind before it is stored."""

from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.models import AuthProvider
from auth_providers.providers import kinds, registry
from auth_providers.providers.kind import BuiltIn
from tenants.errors import InvalidInput
from tenants.models import Tenant

SECRET = "0123456789abcdef" * 2
GOOD: dict[str, dict[str, Any]] = {
    "password": {},
    "otp": {},
    "totp": {},
    "oidc": {"issuer": "https://id.example", "client_id": "us"},
    "google": {"client_id": "us"},
    "apple": {"client_id": "us", "settings": {"team_id": "T", "key_id": "K"}},
    "facebook": {"client_id": "1"},
    "line": {"client_id": "1"},
    "jwt": {"issuer": "https://id.example", "client_id": "us"},
    "webhook": {"settings": {"url": "https://shop.example/who"}},
}


def configure(tenant: Tenant, kind: str, *, name: str = "", secret: str | None = None, **fields: Any) -> AuthProvider:
    own = kind in kinds.names_of(BuiltIn)
    secret = SECRET if secret is None and kind in ("facebook", "line", "webhook") else secret
    provider, _ = registry.configure(
        tenant=tenant, name=name or (kind if own else "elsewhere"), secret=secret, settings={"kind": kind} | fields
    )
    return provider


def fields_at_fault(tenant: Tenant, kind: str, **given: Any) -> set[str]:
    with pytest.raises(InvalidInput) as raised:
        configure(tenant, kind, **given)
    assert not AuthProvider.objects.exists()
    return {each.field for each in raised.value.details}


@pytest.mark.parametrize("kind", GOOD)
def test_what_a_kind_needs_is_enough(tenant: Tenant, kind: str) -> None:
    assert configure(tenant, kind, **GOOD[kind]).kind == kind


def test_every_kind_is_tried_here() -> None:
    assert set(GOOD) == set(kinds.by_name())


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("oidc", {"issuer", "client_id"}),
        ("jwt", {"issuer", "client_id"}),
        ("google", {"client_id"}),
        ("apple", {"client_id", "settings"}),
        ("webhook", {"settings"}),
    ],
)
def test_what_is_missing_is_named(tenant: Tenant, kind: str, fields: set[str]) -> None:
    assert fields_at_fault(tenant, kind) == fields


@pytest.mark.parametrize("kind", ["facebook", "line"])
def test_kinds_that_check_with_our_secret_need_it(tenant: Tenant, kind: str) -> None:
    assert fields_at_fault(tenant, kind, client_id="1", secret="") == {"client_secret"}


@pytest.mark.parametrize(
    ("kind", "given", "field"),
    [
        ("otp", {"name": "codes"}, "name"),
        ("oidc", {**GOOD["oidc"], "name": "otp"}, "name"),
        ("otp", {"settings": {"channels": []}}, "settings"),
        ("otp", {"settings": {"channels": "email"}}, "settings"),
        ("otp", {"settings": {"channels": ["pigeon"]}}, "settings"),
        ("otp", {"settings": {"channels": [{}]}}, "settings"),
        ("otp", {"settings": []}, "settings"),
        ("oidc", {**GOOD["oidc"], "issuer": "http://id.example"}, "issuer"),
        ("oidc", {**GOOD["oidc"], "introspection_url": "http://10.0.0.1/"}, "introspection_url"),
        ("oidc", {**GOOD["oidc"], "settings": {"other_client_ids": "us"}}, "settings"),
        ("oidc", {**GOOD["oidc"], "settings": {"other_client_ids": [5]}}, "settings"),
        ("google", {**GOOD["google"], "settings": {"endpoints": ["https://gateway.example"]}}, "settings"),
        (
            "google",
            {**GOOD["google"], "settings": {"endpoints": {"https://a.example": "http://127.0.0.1"}}},
            "settings",
        ),
        ("webhook", {"settings": {"url": "http://shop.example"}}, "settings"),
        ("webhook", {"settings": {"url": "https://[shop"}}, "settings"),
        ("webhook", {"settings": {"url": 5}}, "settings"),
        ("apple", {**GOOD["apple"], "secret": "-----BEGIN PRIVATE KEY-----"}, "client_secret"),
        ("line", {"client_id": "1", "secret": "short"}, "client_secret"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(tenant: Tenant, kind: str, given: dict[str, Any], field: str) -> None:
    assert field in fields_at_fault(tenant, kind, **given)


def test_a_host_that_the_deployment_allows(tenant: Tenant, settings: Settings) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = ["id.internal"]
    assert configure(tenant, "oidc", issuer="http://id.internal", client_id="us").issuer == "http://id.internal"
