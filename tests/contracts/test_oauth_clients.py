"""Clients of others, unmodified, over HTTPS: they find a tenant by its issuer, in OpenID Connect's place and in
OAuth's, and use every endpoint that is named there."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from authlib.integrations.requests_client import OAuth2Session
from pytest_django.fixtures import Settings

from auth_providers.models import Session, Token
from tenants.models import ApiKey
from tests import factories, https_server, node_packages
from tests.contracts.test_kibo_client import NOT_PASSED_ON
from tests.contracts.token_services.services import gateway


def ask(issuer: str, refresh_token: str, server: dict[str, str], certificate: Path) -> dict[str, Any]:
    """What the clients found."""
    environment = {name: value for name, value in os.environ.items() if name.lower() not in NOT_PASSED_ON}
    done = subprocess.run(  # noqa: S603 - our own words
        ["node", "discovery.mjs", issuer, refresh_token, *server.values()],  # noqa: S607
        cwd=node_packages.FOLDER,
        env=environment | {"NODE_EXTRA_CA_CERTS": str(certificate)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def served(settings: Settings, tmp_path: Path, transactional_db: None) -> Iterator[tuple[str, Path]]:
    """A tenant's issuer, and the certificate that its clients have to trust."""
    factories.make_tenant()
    with https_server.running(tmp_path) as (host, certificate):
        settings.PUBLIC_URL = f"https://{host}"
        yield f"https://{host}/tenants/acme", certificate


def logged_in() -> factories.LoggedIn:
    """A customer's tokens, issued to the client `storefront`."""
    tenant = ApiKey.objects.get(client_id="storefront").tenant
    found = factories.log_in(factories.make_customer(tenant))
    Session.objects.update(api_key=factories.api_key_of(tenant))
    Token.objects.update(api_key=factories.api_key_of(tenant))
    return found


def test_clients_from_npm(served: tuple[str, Path]) -> None:
    node_packages.installed()
    issuer, certificate = served
    customer = logged_in()
    found = ask(issuer, customer.refresh_token, gateway(customer.customer.tenant), certificate)
    assert found.pop("refreshed") == "bearer"
    told = {"sub": customer.customer.number, "email": factories.EMAIL}
    assert found.pop("openid-client") == told | {"activeAfterRevocation": False, "refusal": "invalid_token"}
    assert found.pop("oauth4webapi") == told | {"type": "application/token-introspection+jwt"}
    assert set(found) == {f"{name} {kind}" for name in ("openid-client", "oauth4webapi") for kind in ("oidc", "oauth2")}
    assert set(found.values()) == {f"{issuer}/oauth/token"}


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib(served: tuple[str, Path], method: str) -> None:
    issuer, certificate = served
    customer = logged_in()
    key = gateway(customer.customer.tenant)
    with OAuth2Session(**key, token_endpoint_auth_method=method, revocation_endpoint_auth_method=method) as client:
        client.verify, client.trust_env = str(certificate), False
        metadata = client.get(f"{issuer}/.well-known/openid-configuration", withhold_token=True).json()

        def introspect(token: str) -> dict[str, Any]:
            told: dict[str, Any] = client.introspect_token(metadata["introspection_endpoint"], token=token).json()
            return told

        assert introspect(customer.access_token)["sub"] == customer.customer.number
        Token.objects.update(api_key=ApiKey.objects.get(client_id="gateway"))
        given_up = client.revoke_token(metadata["revocation_endpoint"], token=customer.refresh_token)
        assert given_up.status_code == 200
        assert introspect(customer.access_token) == {"active": False}
        asked = client.get(
            metadata["userinfo_endpoint"],
            headers={"Authorization": f"Bearer {customer.access_token}"},
            withhold_token=True,
        )
        assert asked.status_code == 401
