"""What issuers say about access tokens when they are asked, and what claims say about whom."""

import base64
import hashlib
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from auth_providers.models import AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import oidc
from auth_providers.providers.kinds.line import Line
from auth_providers.providers.kinds.openid_connect import OpenIdConnect
from auth_providers.providers.oidc import TokenRefused
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt
from tests.auth_providers import forge
from tests.openid_issuer import CLIENT_ID, INTROSPECTION, JWKS, Issuer, Key
from tests.social_providers import OURS, World

NOW = 1_800_000_000
GOOD: dict[str, object] = {"active": True, "aud": CLIENT_ID, "sub": "ada"}


@pytest.fixture
def asked(provider: AuthProvider, issuer: Issuer) -> OpenIdConnect:
    """A provider that is asked about access tokens."""
    provider.introspection_url = f"{issuer.url}{INTROSPECTION}"
    return OpenIdConnect(provider)


def refusal(said: dict[str, object], kind: OpenIdConnect) -> str:
    try:
        oidc.check_introspected(said, kind, now=NOW)
    except TokenRefused as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({}, ""),
        ({"active": False}, "not active"),
        ({"active": "true"}, "not active"),
        ({"active": 1}, "not active"),
        ({"active": None}, "not active"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"exp": None}, ""),
        ({"exp": NOW}, ""),
        ({"exp": str(NOW + 5)}, ""),
        ({"exp": str(NOW - 31)}, "expired"),
        ({"exp": "soon"}, "a time that is none"),
        ({"exp": True}, "a time that is none"),
        ({"exp": "nan"}, "a time that is none"),
        ({"exp": float("inf")}, "a time that is none"),
        ({"exp": [NOW]}, "a time that is none"),
        ({"aud": "another"}, "another audience"),
        ({"aud": ["another", CLIENT_ID]}, ""),
        ({"aud": ["another"]}, "another audience"),
        ({"aud": []}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"client_id": CLIENT_ID}, ""),
        ({"client_id": "another"}, "issued to another party"),
        ({"azp": "another", "client_id": CLIENT_ID}, "issued to another party"),
        ({"azp": CLIENT_ID, "client_id": "another"}, ""),
        ({"azp": "app"}, ""),
    ],
    ids=str,
)
def test_an_answer_about_a_token(asked: OpenIdConnect, claims: dict[str, object], words: str) -> None:
    asked.provider.settings = {"other_client_ids": ["app"]}
    assert refusal(GOOD | claims, asked) == words


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_answer_may_name_the_issuer_with_a_slash_or_without(asked: OpenIdConnect, slash: str) -> None:
    url = asked.provider.issuer
    for named in (url, f"{url}/"):
        asked.provider.issuer = f"{url}{slash}"
        assert refusal(GOOD | {"iss": named}, asked) == ""


@pytest.mark.parametrize(
    ("claims", "is_good"),
    [
        ({}, False),
        ({"client_id": CLIENT_ID}, True),
        ({"azp": CLIENT_ID}, True),
        ({"client_id": "app"}, True),
        ({"client_id": "another"}, False),
        ({"azp": CLIENT_ID, "client_id": "another"}, False),
        ({"azp": "another", "client_id": CLIENT_ID}, False),
        ({"azp": None}, False),
    ],
    ids=str,
)
def test_an_answer_without_an_audience_names_our_client(
    asked: OpenIdConnect, claims: dict[str, object], is_good: bool
) -> None:
    asked.provider.settings = {"other_client_ids": ["app"]}
    said: dict[str, object] = {"active": True} | claims
    assert refusal(said, asked) == ("" if is_good else "for no audience and not issued to us")


def test_the_issuer_is_asked_with_our_credentials(asked: OpenIdConnect, issuer: Issuer) -> None:
    heard: list[str] = []

    def answer(conversation: Any) -> None:
        heard.append(conversation.headers["Authorization"])
        conversation.answer(200, GOOD | {"exp": NOW + 5})

    issuer.answers[INTROSPECTION] = answer
    assert oidc.introspect("opaque", asked, now=NOW)["sub"] == "ada"
    assert issuer.forms == [b"token=opaque"]
    assert base64.b64decode(heard[0].removeprefix("Basic ")) == b"shop:our+secret+there"
    with pytest.raises(TokenRefused, match="expired"):
        oidc.introspect("opaque", asked, now=NOW + 36)


def test_an_issuer_that_refuses_us_has_said_nothing_about_the_customer(
    asked: OpenIdConnect, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.answers[INTROSPECTION] = (401, {"error": "invalid_client"})
    with pytest.raises(ProviderUnavailable, match="refuses our credentials") as raised:
        oidc.introspect("opaque", asked, now=NOW)
    assert raised.value.retry_after
    assert "refuses our credentials" in caplog.text


# -- trying it -------------------------------------------------------------------------------------------------------
def test_trying_an_issuer_asks_it_about_a_token_that_it_cannot_know(asked: OpenIdConnect, issuer: Issuer) -> None:
    issuer.answers[INTROSPECTION] = (200, {"active": False})
    assert oidc.test(asked) == "It answers, with 1 keys that we can use."
    assert issuer.forms == [b"token=no-token-of-yours"]
    issuer.answers[INTROSPECTION] = (200, GOOD)
    with pytest.raises(ProviderUnavailable, match="can't know that it is good"):
        oidc.test(asked)
    issuer.answers[INTROSPECTION] = (401, {})
    with pytest.raises(ProviderUnavailable, match="refuses our credentials"):
        oidc.test(asked)


def test_keys_of_accepted_algorithms_are_counted(provider: AuthProvider, issuer: Issuer) -> None:
    entries = [{"kid": "a"}, {"alg": "EdDSA"}, {"alg": "ES512"}, {"alg": "HS256"}, {"alg": "RSA-OAEP"}, "key", None]
    issuer.answers[JWKS] = (200, {"keys": entries})
    assert oidc.test(OpenIdConnect(provider)) == "It answers, with 3 keys that we can use."
    assert INTROSPECTION not in issuer.asked
    issuer.answers[JWKS] = (200, {"keys": entries[3:]})
    with pytest.raises(ProviderUnavailable, match="no key of an algorithm that is accepted"):
        oidc.test(OpenIdConnect(provider))


# -- whom claims describe --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("claims", "email", "is_verified"),
    [
        ({}, "", False),
        ({"email": "Ada@Example.com", "email_verified": True}, "ada@example.com", True),
        ({"email": "ada@example.com", "email_verified": "true"}, "ada@example.com", False),
        ({"email": "ada@example.com", "email_verified": 1}, "ada@example.com", False),
        ({"email": "ada@example.com"}, "ada@example.com", False),
        ({"email": "a\0da@example.com"}, "", False),
        ({"email": ["ada@example.com"]}, "", False),
    ],
    ids=str,
)
def test_an_address_counts_by_the_issuers_word(claims: dict[str, object], email: str, is_verified: bool) -> None:
    named = {"iss": "https://id.example", "sub": "ada"}
    identity = oidc.identity_of(named | claims)
    assert (identity.issuer, identity.subject) == ("https://id.example", "ada")
    assert (identity.email, identity.is_email_verified) == (email, is_verified)
    assert identity.claims == named | claims


@pytest.mark.parametrize("claims", [{"sub": "ada"}, {"sub": "ada", "iss": 5}, {"iss": "https://id.example"}])
def test_claims_that_name_nobody(claims: dict[str, object]) -> None:
    with pytest.raises(TokenRefused, match="no subject"):
        oidc.identity_of(claims)


# -- which key signed ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_the_one_that_came", [True, False])
def test_the_hash_of_an_access_token_by_ed25519_is_half_of_sha512(
    provider: AuthProvider, issuer: Issuer, is_the_one_that_came: bool
) -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    entry = jwt.algorithms.OKPAlgorithm.to_jwk(private.public_key(), as_dict=True)
    issuer.answers[JWKS] = (200, {"keys": [entry | {"kid": "ed"}]})
    at_hash = base64.urlsafe_b64encode(hashlib.sha512(b"access").digest()[:32]).rstrip(b"=").decode()
    now = int(time.time())
    claims = {"iss": issuer.url, "aud": CLIENT_ID, "sub": "ada", "iat": now, "exp": now + 60, "at_hash": at_hash}
    token = jwt.encode(claims, private, algorithm="EdDSA", headers={"kid": "ed"})
    kind = OpenIdConnect(provider)
    if is_the_one_that_came:
        assert oidc.verify_id_token(token, kind, access_token="access")["sub"] == "ada"
        return
    with pytest.raises(TokenRefused, match="came with another access token"):
        oidc.verify_id_token(token, kind, access_token="another")


@pytest.mark.parametrize(
    ("published", "is_good"),
    [
        ({}, True),
        ({"use": "sig"}, True),
        ({"use": "enc"}, False),
        ({"alg": "ES256"}, True),
        ({"alg": "ES384"}, False),
        ({"kid": "other"}, False),
    ],
    ids=str,
)
def test_a_key_signs_what_its_entry_says(
    provider: AuthProvider, issuer: Issuer, published: dict[str, Any], is_good: bool
) -> None:
    key = Key("first")
    issuer.publish(key)
    # Another key is never the one that fits.
    issuer.answers[JWKS] = (200, {"keys": [Key("beside").entry, key.entry | published]})
    kind = OpenIdConnect(provider)
    if is_good:
        assert oidc.verify(issuer.token(), kind)["sub"] == "ada"
        return
    with pytest.raises(TokenRefused, match="signed by an unknown key"):
        oidc.verify(issuer.token(), kind)


@pytest.mark.parametrize(("length", "is_good"), [(31, False), (32, True), (33, True)])
def test_a_shared_secret_has_32_characters_at_least(tenant: Tenant, world: World, length: int, is_good: bool) -> None:
    secret = "s" * length
    row = AuthProvider(tenant=tenant, kind="line", client_id=OURS, client_secret_encrypted=encrypt(secret))
    good = world.id_token(world.ec, iss="https://access.line.me")
    token = forge.signed_with_hmac(good, secret.encode())
    if is_good:
        assert oidc.verify(token, Line(row))["sub"] == "ada"
        return
    with pytest.raises(TokenRefused, match="anybody could guess"):
        oidc.verify(token, Line(row))
