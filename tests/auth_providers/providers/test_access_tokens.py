"""What Google and LINE answer about an access token: to whom it was issued, until when it is good, and whose it is."""

from typing import Any

import pytest

from auth_providers.providers.kinds.google import Google
from auth_providers.providers.kinds.line import Line
from auth_providers.providers.oidc import TokenRefused
from auth_providers.providers.sign_in import SignIn
from auth_providers.providers.token_issuer import IssuerSettings
from tenants.models import Tenant
from tests.auth_providers.providers.configuring import configure, fields_at_fault
from tests.auth_providers.providers.sign_ins import register
from tests.social_providers import OTHERS, OURS, Grant, World

INFO, USER_INFO = "oauth2.googleapis.com/tokeninfo", "www.googleapis.com/oauth2/v3/userinfo"
VERIFY, PROFILE = "api.line.me/oauth2/v2.1/verify", "api.line.me/v2/profile"


def refusal(kind: SignIn[IssuerSettings]) -> str:
    try:
        assert kind.backend().by_access_token("good").subject == "ada"
    except TokenRefused as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, ""),
        ({"aud": OTHERS}, "issued to another app"),
        ({"aud": ..., "azp": OURS}, "issued to another app"),
        ({"azp": OTHERS}, "issued to another app"),
        ({"azp": "our-app"}, ""),
        ({"azp": ...}, ""),
        ({"aud": "our-app", "azp": ...}, ""),
        ({"expires_in": "0"}, "expired"),
        ({"expires_in": "1"}, ""),
        ({"expires_in": -1}, "expired"),
        ({"expires_in": ...}, "expired"),
        ({"sub": "eve"}, "another one's profile"),
    ],
    ids=str,
)
def test_google(tenant: Tenant, world: World, said: dict[str, Any], words: str) -> None:
    world.tokens["good"] = Grant()
    google = Google(register(tenant, world, "google"))
    google.provider.settings["other_client_ids"] = ["our-app"]
    answer = {"aud": OURS, "azp": OURS, "sub": "ada", "expires_in": "60"} | said
    world.override[INFO] = (200, {name: value for name, value in answer.items() if value is not ...})
    assert refusal(google) == words


def test_google_without_a_profile(tenant: Tenant, world: World) -> None:
    google = Google(register(tenant, world, "google"))
    answer = {"aud": OURS, "azp": OURS, "expires_in": "60"}
    world.override = {INFO: (200, answer), USER_INFO: (200, {"name": "Ada"})}
    assert refusal(google) == "no subject"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, ""),
        ({"client_id": OTHERS}, "issued to another channel"),
        ({"client_id": ...}, "issued to another channel"),
        ({"client_id": int(OURS)}, ""),
        ({"client_id": "our-app"}, ""),
        ({"expires_in": 0}, "expired"),
        ({"expires_in": 1}, ""),
        ({"expires_in": -1}, "expired"),
        ({"expires_in": ...}, "expired"),
        ({"expires_in": "soon"}, "a time that is none"),
    ],
    ids=str,
)
def test_line(tenant: Tenant, world: World, said: dict[str, Any], words: str) -> None:
    world.tokens["good"] = Grant()
    line = Line(register(tenant, world, "line"))
    line.provider.settings["other_client_ids"] = ["our-app"]
    answer = {"client_id": OURS, "expires_in": 60} | said
    world.override[VERIFY] = (200, {name: value for name, value in answer.items() if value is not ...})
    assert refusal(line) == words


def test_line_without_a_profile(tenant: Tenant, world: World) -> None:
    world.tokens["good"] = Grant()
    world.override[PROFILE] = (200, {"displayName": "Ada"})
    assert refusal(Line(register(tenant, world, "line"))) == "no subject"


def test_a_channel_secret_has_32_characters_at_least(tenant: Tenant) -> None:
    assert fields_at_fault(tenant, "line", client_id="1", secret="s" * 31) == {"client_secret"}
    assert configure(tenant, "line", client_id="1", secret="s" * 32).kind == "line"
