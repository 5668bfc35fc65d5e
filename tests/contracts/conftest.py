"""What every test of the contracts starts from."""

from collections.abc import Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from pytest_django.fixtures import Settings

from customers.models import PostalCode
from tenants.models import Tenant
from tests import oidc_provider
from tests.contracts.scene import Callers, Scene, insert_callers, set_scene
from tests.kept_rows import MAKERS, KeptRows

MAKERS["callers"] = lambda kept: insert_callers(kept["tenant"])


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """For requests that reach the application as a server's do, in this process: what a server does between two of
    them would end the test's transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture(scope="session")
def openid_provider() -> Iterator[oidc_provider.Provider]:
    """An OpenID provider on loopback, and whom it knows."""
    with oidc_provider.running() as provider:
        provider.sign_up("ada", email="ada@example.com", email_verified=True, given_name="Ada", family_name="Lovelace")
        provider.sign_up("grace", email="hopper@example.com", email_verified=True, given_name="Grace")
        provider.sign_up("mallory", email="ada@example.com", email_verified=False)
        yield provider


@pytest.fixture
def starts_from_callers() -> None: ...


@pytest.fixture
def callers(starts_from_callers: None, tenant: Tenant, kept_rows: KeptRows) -> Callers:
    kept: Callers = kept_rows.value("callers")
    return kept


@pytest.fixture
def scene(tenant: Tenant, callers: Callers, openid_provider: oidc_provider.Provider, settings: Settings) -> Scene:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    return set_scene(tenant, openid_provider, callers)


@pytest.fixture
def german(tenant: Tenant, settings: Settings) -> Tenant:
    """A tenant that sends text messages and knows a German postal code."""
    settings.SMS_URL = "console:"
    PostalCode.objects.create(country="DE", code="10117", locality="Berlin", region="Berlin", region_code="BE")
    return tenant
