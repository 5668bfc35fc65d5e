"""Clients from npm find a tenant by its issuer, in OpenID Connect's place and in OAuth's, and refresh a token."""

import json
import os
import subprocess
from pathlib import Path

from pytest_django.fixtures import Settings

from auth_providers.models import Session
from tests import factories, https_server, node_packages
from tests.contracts.test_kibo_client import NOT_PASSED_ON


def ask(issuer: str, refresh_token: str, certificate: Path) -> dict[str, str]:
    """What the clients found."""
    environment = {name: value for name, value in os.environ.items() if name.lower() not in NOT_PASSED_ON}
    done = subprocess.run(  # noqa: S603 - our own words
        ["node", "discovery.mjs", issuer, refresh_token],  # noqa: S607
        cwd=node_packages.FOLDER,
        env=environment | {"NODE_EXTRA_CA_CERTS": str(certificate)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_clients_take_the_discovery_documents_as_they_are(
    settings: Settings, tmp_path: Path, transactional_db: None
) -> None:
    node_packages.installed()
    logged_in = factories.log_in(factories.make_customer(factories.make_tenant()))
    Session.objects.update(api_key=factories.api_key_of(logged_in.customer.tenant))
    with https_server.running(tmp_path) as (host, certificate):
        settings.PUBLIC_URL = f"https://{host}"
        issuer = f"https://{host}/tenants/acme"
        found = ask(issuer, logged_in.refresh_token, certificate)
    assert found.pop("refreshed") == "bearer"
    assert set(found) == {f"{name} {kind}" for name in ("openid-client", "oauth4webapi") for kind in ("oidc", "oauth2")}
    assert set(found.values()) == {f"{issuer}/oauth/token"}
