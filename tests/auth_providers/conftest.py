"""A provider of tokens on loopback with its registration, and a mail server."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from auth_providers.models import AuthProvider
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt
from tests import smtp_server
from tests.openid_issuer import CLIENT_ID, Issuer
from tests.smtp_server import SmtpServer


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


@pytest.fixture
def smtp(settings: Settings) -> Iterator[SmtpServer]:
    """The mail server that the product sends to."""
    with smtp_server.running() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server
