"""A provider of tokens on loopback, and its registration."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from auth_providers.models import AuthProvider
from tenants.encryption import encrypt
from tenants.models import Tenant
from tests import openid_issuer
from tests.openid_issuer import CLIENT_ID, Issuer


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    with openid_issuer.running() as server:
        yield server


@pytest.fixture
def provider(tenant: Tenant, issuer: Issuer) -> AuthProvider:
    return AuthProvider.objects.create(
        tenant=tenant,
        name="corporate",
        kind="oidc",
        issuer=issuer.url,
        client_id=CLIENT_ID,
        client_secret_encrypted=encrypt("our secret there"),
        redirect_uris=["https://shop.example/callback"],
    )
