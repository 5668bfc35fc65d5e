"""Facebook's own: its profile, its error codes, the app's credentials."""

import pytest
from pytest_django import Settings

from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import setup
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt
from tests.auth_providers.providers.configuring import configure, fields_at_fault
from tests.auth_providers.providers.sign_ins import log_in, register, sign_in_kind
from tests.social_providers import GRAPH, SECRET, Grant, World


def test_facebooks_profile_vouches_for_no_address(tenant: Tenant, world: World) -> None:
    world.tokens["good"] = Grant()
    identity = sign_in_kind("facebook")(register(tenant, world, "facebook")).backend().by_access_token("good")
    assert (identity.email, identity.is_email_verified) == ("ada@example.com", False)


@pytest.mark.parametrize("code", [2, 4, 613])
def test_facebooks_temporary_refusals(tenant: Tenant, world: World, code: int) -> None:
    world.tokens["good"] = Grant()
    provider = register(tenant, world, "facebook")
    for path in (f"{GRAPH}/debug_token", f"{GRAPH}/me"):
        world.override = {path: (400, {"error": {"code": code}})}
        with pytest.raises(ProviderUnavailable):
            log_in(provider, access_token="good")


def test_nothing_of_what_was_sent_is_told_when_a_call_fails(tenant: Tenant, world: World, settings: Settings) -> None:
    provider = register(tenant, world, "facebook")
    provider.settings["endpoints"] = {"https://graph.facebook.com": "http://localhost:9"}
    with pytest.raises(ProviderUnavailable) as raised:
        log_in(provider, access_token="a-precious-token")
    assert "localhost" in (words := setup.explain(raised.value))
    assert "a-precious-token" not in words
    assert SECRET not in words


def test_what_it_needs(tenant: Tenant) -> None:
    assert fields_at_fault(tenant, "facebook", client_id="1", secret="") == {"client_secret"}
    assert fields_at_fault(tenant, "facebook", secret=SECRET) == {"client_id"}
    assert configure(tenant, "facebook", client_id="1", secret=SECRET).kind == "facebook"


def test_the_button_finds_wrong_app_credentials(tenant: Tenant, world: World) -> None:
    facebook = register(tenant, world, "facebook", client_secret_encrypted=encrypt("f" * 32))
    with pytest.raises(ProviderUnavailable, match="this app id"):
        setup.test(facebook)
