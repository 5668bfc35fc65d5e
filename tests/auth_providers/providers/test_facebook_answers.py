"""What Facebook answers about an access token: whose it is, whose fault a refusal is, and until when it is good."""

from typing import Any

import pytest

from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers.kinds.facebook import TEMPORARY, Facebook
from auth_providers.providers.oidc import TokenRefused
from tenants.models import Tenant
from tests.auth_providers.providers.sign_ins import register
from tests.social_providers import GRAPH, OTHERS, OURS, Grant, World

NOW = 1_800_000_000
DEBUG, ME = f"{GRAPH}/debug_token", f"{GRAPH}/me"


@pytest.fixture
def facebook(tenant: Tenant, world: World) -> Facebook:
    world.tokens["good"] = Grant()
    return Facebook(register(tenant, world, "facebook"))


def debugged(**data: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"data": {"is_valid": True, "app_id": OURS, "user_id": "ada", "expires_at": 0} | data}


def refusal(kind: Facebook) -> str:
    try:
        kind.backend().by_access_token("good")
    except TokenRefused as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("expires_at", "is_good"),
    [(0, True), (1, False), (NOW - 1, False), (NOW, True), (NOW + 1, True), ("0", True), (str(NOW - 1), False)],
)
def test_a_token_is_good_until_it_expires_or_for_ever(
    facebook: Facebook, world: World, monkeypatch: pytest.MonkeyPatch, expires_at: Any, is_good: bool
) -> None:
    monkeypatch.setattr("time.time", lambda: float(NOW))
    world.override[DEBUG] = debugged(expires_at=expires_at)
    assert refusal(facebook) == ("" if is_good else "expired")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, ""),
        ({"is_valid": "true"}, "not valid"),
        ({"is_valid": False}, "not valid"),
        ({"app_id": OTHERS}, "issued to another app"),
        ({"app_id": None}, "issued to another app"),
        ({"app_id": int(OURS)}, ""),
        ({"app_id": "777"}, ""),
        ({"user_id": ""}, "nobody's"),
        ({"user_id": None}, "nobody's"),
        ({"user_id": "eve"}, "another one's profile"),
        ({"expires_at": "soon"}, "a time that is none"),
    ],
    ids=str,
)
def test_what_is_said_about_a_token(facebook: Facebook, world: World, data: dict[str, Any], words: str) -> None:
    facebook.provider.settings["other_client_ids"] = ["777"]
    world.override[DEBUG] = debugged(**data)
    assert refusal(facebook) == words


@pytest.mark.parametrize("answer", [{}, {"data": []}, {"data": "ada"}, {"data": None}], ids=str)
def test_an_answer_without_data_is_no_answer(facebook: Facebook, world: World, answer: dict[str, Any]) -> None:
    world.override[DEBUG] = (200, answer)
    with pytest.raises(ProviderUnavailable) as raised:
        facebook.backend().by_access_token("good")
    assert raised.value.retry_after


def test_a_profile_becomes_claims(facebook: Facebook, world: World) -> None:
    world.override[ME] = (200, {"id": "ada", "first_name": "A", "last_name": "L", "email": "ada@example.com"})
    identity = facebook.backend().by_access_token("good")
    assert (identity.issuer, identity.subject) == ("https://www.facebook.com", "ada")
    claims = {"sub": "ada", "email": "ada@example.com", "given_name": "A", "family_name": "L"}
    assert identity.claims == claims | {"iss": "https://www.facebook.com"}


@pytest.mark.parametrize("path", [DEBUG, ME])
@pytest.mark.parametrize("code", TEMPORARY)
def test_a_temporary_refusal_is_nobodys_fault(
    facebook: Facebook, world: World, caplog: pytest.LogCaptureFixture, path: str, code: str
) -> None:
    world.override[path] = (400, {"error": {"code": int(code)}})
    with pytest.raises(ProviderUnavailable) as raised:
        facebook.backend().by_access_token("good")
    assert raised.value.retry_after
    assert "credentials" not in caplog.text


def test_of_another_refusal_of_the_question_we_are_the_reason(
    facebook: Facebook, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.override[DEBUG] = (400, {"error": {"code": 190}})
    with pytest.raises(ProviderUnavailable, match="refuses our credentials"):
        facebook.backend().by_access_token("good")
    assert "refuses our credentials" in caplog.text


def test_another_refusal_of_the_profile_says_that_the_token_is_bad(facebook: Facebook, world: World) -> None:
    world.override[ME] = (400, {"error": {"code": 190}})
    assert refusal(facebook).startswith("Facebook says")


def test_an_address_in_an_id_token_is_not_verified(facebook: Facebook) -> None:
    claims = {"sub": "ada", "email_verified": True}
    assert facebook.backend().as_standard(claims) == {"sub": "ada", "email_verified": False}
