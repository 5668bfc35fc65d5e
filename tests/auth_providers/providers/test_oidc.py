"""Tokens of another provider: accepted only if its published key signed them, for us, and they are valid now."""

import base64
import hashlib
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.cache import cache

from auth_providers.models import AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import discovery, oidc
from auth_providers.providers.kinds.openid_connect import OpenIdConnect
from auth_providers.providers.oidc import TokenRefused
from tests.auth_providers import forge
from tests.openid_issuer import DISCOVERY, JWKS, Issuer, Key

NOW = int(time.time())


def is_refused(token: str, provider: OpenIdConnect, **more: str) -> bool:
    try:
        oidc.verify(token, provider, **more)
    except TokenRefused:
        return True
    return False


@pytest.fixture
def provider(provider: AuthProvider) -> OpenIdConnect:
    return OpenIdConnect(provider)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds by which the clock of the key cache runs ahead."""
    real, ahead = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0])
    return ahead


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "PS256"])
def test_a_good_token(issuer: Issuer, provider: OpenIdConnect, algorithm: str) -> None:
    issuer.publish(Key("k", algorithm))
    assert oidc.verify(issuer.token(email="ada@example.com"), provider)["email"] == "ada@example.com"
    assert not is_refused(issuer.token(aud=["other", "shop"], azp="shop"), provider)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": ...},
        {"aud": "another-shop"},
        {"aud": ["another-shop"]},
        {"aud": []},
        {"aud": ...},
        {"azp": "another-shop"},
        {"azp": ["shop"]},
        {"exp": NOW - 60},
        {"exp": "tomorrow"},
        {"exp": ...},
        {"iat": NOW + 24 * 3600},
        {"iat": ...},
        {"nbf": NOW + 24 * 3600},
        {"sub": ...},
        {"sub": 5},
    ],
)
def test_claims_that_are_refused(issuer: Issuer, provider: OpenIdConnect, claims: dict[str, Any]) -> None:
    assert is_refused(issuer.token(**claims), provider)


def test_two_clocks_may_differ_a_little(issuer: Issuer, provider: OpenIdConnect) -> None:
    assert not is_refused(issuer.token(exp=int(time.time()) - 10), provider)
    assert not is_refused(issuer.token(iat=int(time.time()) + 10), provider)


@pytest.mark.parametrize(
    ("claim", "seconds", "is_good"),
    [
        # a busy machine takes up to three seconds from signing to reading
        ("exp", -27, True),
        ("exp", -30, False),
        ("iat", 30, True),
        ("iat", 34, False),
        ("nbf", 30, True),
        ("nbf", 34, False),
    ],
)
def test_two_clocks_may_differ_by_thirty_seconds(
    issuer: Issuer, provider: OpenIdConnect, claim: str, seconds: int, is_good: bool
) -> None:
    claims: dict[str, Any] = {claim: int(time.time()) + seconds}
    assert is_refused(issuer.token(**claims), provider) is not is_good


@pytest.mark.parametrize(
    ("ago", "is_good"), [(-1, True), (0, True), (29, True), (30, True), (30.5, False), (31, False), (3600, False)]
)
def test_what_an_issuer_says_when_it_is_asked_is_good_for_thirty_seconds_more(
    provider: OpenIdConnect, ago: float, is_good: bool
) -> None:
    said: dict[str, object] = {"active": True, "client_id": "shop", "exp": NOW - ago}
    if is_good:
        oidc.check_introspected(said, provider, now=NOW)
        return
    with pytest.raises(TokenRefused):
        oidc.check_introspected(said, provider, now=NOW)


@pytest.mark.parametrize(("length", "is_good"), [(0, False), (1, True), (255, True), (256, False)])
def test_a_subject_has_one_to_255_characters(length: int, is_good: bool) -> None:
    claims: dict[str, object] = {"iss": "https://id.example", "sub": "x" * length}
    if is_good:
        assert oidc.identity_of(claims).subject == "x" * length
        return
    with pytest.raises(TokenRefused):
        oidc.identity_of(claims)


def test_a_nonce_is_compared_where_there_is_one(issuer: Issuer, provider: OpenIdConnect) -> None:
    assert not is_refused(issuer.token(nonce="n"), provider, nonce="n")
    assert is_refused(issuer.token(nonce="n"), provider, nonce="m")
    assert is_refused(issuer.token(), provider, nonce="m")


def is_no_id_token(token: str, provider: OpenIdConnect, **more: str) -> bool:
    try:
        oidc.verify_id_token(token, provider, **more)
    except TokenRefused:
        return True
    return False


def test_what_makes_it_an_id_token(issuer: Issuer, provider: OpenIdConnect) -> None:
    assert not is_no_id_token(issuer.token(), provider)
    assert not is_no_id_token(issuer.token(header={"typ": "jwt"}), provider)
    assert is_no_id_token(issuer.token(header={"typ": "at+jwt"}), provider)
    assert is_no_id_token(issuer.token(header={"typ": "logout+jwt"}), provider)
    assert is_no_id_token(issuer.token(events={"http://schemas.openid.net/event/backchannel-logout": {}}), provider)
    assert is_no_id_token(issuer.token(aud=["shop", "other"]), provider)
    assert not is_no_id_token(issuer.token(aud=["shop", "other"], azp="shop"), provider)


@pytest.mark.parametrize(("algorithm", "digest"), [("ES256", "sha256"), ("RS256", "sha256")])
def test_the_access_token_that_came_along(issuer: Issuer, provider: OpenIdConnect, algorithm: str, digest: str) -> None:
    issuer.publish(Key("k", algorithm))
    half = hashlib.new(digest, b"access").digest()[:16]
    at_hash = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert not is_no_id_token(issuer.token(at_hash=at_hash), provider, access_token="access")
    assert not is_no_id_token(issuer.token(), provider, access_token="access")
    assert is_no_id_token(issuer.token(at_hash=at_hash), provider, access_token="another")
    for nonsense in ("", "é", 5, None, [at_hash]):
        assert is_no_id_token(issuer.token(at_hash=nonsense), provider, access_token="access")


@pytest.mark.parametrize(("value", "number"), [(5, 5), ("5", 5), ("5.5", 5.5), (0, 0), ("1e3", 1000)])
def test_seconds_that_come_as_text(value: Any, number: float) -> None:
    assert oidc.seconds(value) == number


@pytest.mark.parametrize("value", ["soon", "", "nan", "inf", True, None, [], {}, float("nan")])
def test_seconds_that_are_none(value: Any) -> None:
    with pytest.raises(TokenRefused):
        oidc.seconds(value)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "ES384", "RS256", "nonsense", 5, None])
def test_an_algorithm_that_the_key_does_not_have(issuer: Issuer, provider: OpenIdConnect, algorithm: Any) -> None:
    assert is_refused(forge.unsigned(issuer.token(), alg=algorithm), provider)


@pytest.mark.parametrize("algorithm", ["HS256", "ES256"])
def test_the_public_key_as_a_shared_secret(issuer: Issuer, provider: OpenIdConnect, algorithm: str) -> None:
    public = issuer.keys[0].private.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert is_refused(forge.signed_with_hmac(issuer.token(), pem, algorithm), provider)


def test_a_shared_secret_in_the_key_set_is_no_key(issuer: Issuer, provider: OpenIdConnect) -> None:
    entry = {"kty": "oct", "k": "c2VjcmV0", "kid": "first"}
    for extra in ({}, {"alg": "HS256"}, {"alg": "ES256"}):
        issuer.answers[JWKS] = (200, {"keys": [entry | extra]})
        assert is_refused(forge.signed_with_hmac(issuer.token(), b"secret"), provider)
        assert is_refused(issuer.token(), provider)


@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_a_key_that_the_token_names_is_not_fetched(issuer: Issuer, provider: OpenIdConnect, name: str) -> None:
    mallory = Key("first")
    issuer.answers["/mallory"] = (200, {"keys": [mallory.entry]})
    assert is_refused(issuer.token(by=mallory, header={name: f"{issuer.url}/mallory"}), provider)
    assert issuer.asked["/mallory"] == 0


def test_a_key_that_the_token_brings_is_ignored(issuer: Issuer, provider: OpenIdConnect) -> None:
    mallory = Key("first")
    assert is_refused(issuer.token(by=mallory, header={"jwk": mallory.entry}), provider)


def test_a_key_for_encryption_signs_nothing(issuer: Issuer, provider: OpenIdConnect) -> None:
    issuer.publish(Key("k", use="enc"))
    assert is_refused(issuer.token(), provider)


def test_no_kid_with_one_key_and_with_two(issuer: Issuer, provider: OpenIdConnect) -> None:
    one, other = Key(), Key()
    issuer.publish(one)
    assert not is_refused(issuer.token(), provider)
    cache.clear()
    issuer.publish(one, other)
    assert is_refused(issuer.token(), provider)


@pytest.mark.parametrize("damaged", [None, 5, "key", {}, {"kty": "EC"}, {"kty": "RSA", "n": "!", "e": "AQAB"}])
def test_damaged_entries_of_a_key_set(issuer: Issuer, provider: OpenIdConnect, damaged: Any) -> None:
    entry = damaged | {"kid": "damaged"} if isinstance(damaged, dict) else damaged
    issuer.answers[JWKS] = (200, {"keys": [entry, issuer.keys[0].entry]})
    assert not is_refused(issuer.token(), provider)
    assert is_refused(issuer.token(header={"kid": "damaged"}), provider)


@pytest.mark.parametrize("token", ["", ".", "..", "a.b.c", "é", "eyJhbGciOiJFUzI1NiJ9.e30.", "x" * 100_000])
def test_what_is_no_token(provider: OpenIdConnect, token: str) -> None:
    assert is_refused(token, provider)


def test_a_token_that_was_changed(issuer: Issuer, provider: OpenIdConnect) -> None:
    header, payload, signature = issuer.token().split(".")
    assert is_refused(f"{header}.{forge.part({'sub': 'mallory'})}.{signature}", provider)
    assert is_refused(f"{header}.{payload}.", provider)


def test_keys_are_fetched_once(issuer: Issuer, provider: OpenIdConnect, clock: list[float]) -> None:
    token = issuer.token(exp=NOW + 2 * discovery.FRESH_SECONDS)
    for _ in range(3):
        oidc.verify(token, provider)
    assert issuer.asked == {DISCOVERY: 1, JWKS: 1}
    clock[0] += discovery.FRESH_SECONDS + 1
    oidc.verify(token, provider)
    assert issuer.asked == {DISCOVERY: 2, JWKS: 2}


def test_a_rotated_key_is_found_at_once(issuer: Issuer, provider: OpenIdConnect, clock: list[float]) -> None:
    oidc.verify(issuer.token(), provider)
    clock[0] += discovery.REFRESH_SECONDS + 1
    old, new = issuer.keys[0], Key("second")
    issuer.publish(new)
    assert not is_refused(issuer.token(), provider)
    assert issuer.asked[JWKS] == 2
    assert is_refused(issuer.token(by=old), provider)


def test_a_rotated_key_is_found_after_the_clock_was_set_back(
    issuer: Issuer, provider: OpenIdConnect, clock: list[float]
) -> None:
    oidc.verify(issuer.token(), provider)
    clock[0] -= 3600
    issuer.publish(Key("second"))
    assert not is_refused(issuer.token(exp=NOW + 2 * discovery.FRESH_SECONDS), provider)


def test_unknown_keys_do_not_make_us_ask_again_and_again(
    issuer: Issuer, provider: OpenIdConnect, clock: list[float]
) -> None:
    stranger = Key("unknown")
    assert [is_refused(issuer.token(by=stranger), provider) for _ in range(5)] == [True] * 5
    assert issuer.asked[JWKS] == 1
    clock[0] += discovery.REFRESH_SECONDS + 1
    assert [is_refused(issuer.token(by=stranger), provider) for _ in range(5)] == [True] * 5
    assert issuer.asked[JWKS] == 2


def test_a_provider_that_is_down_keeps_its_keys_for_a_while(
    issuer: Issuer, provider: OpenIdConnect, clock: list[float]
) -> None:
    token = issuer.token(exp=NOW + 2 * discovery.STALE_SECONDS)
    oidc.verify(token, provider)
    issuer.answers = {DISCOVERY: (503, {}), JWKS: (500, {})}
    for seconds in (discovery.FRESH_SECONDS + 1, discovery.STALE_SECONDS - 5):
        clock[0] = seconds
        assert not is_refused(token, provider)
    clock[0] = discovery.STALE_SECONDS + 5
    with pytest.raises(ProviderUnavailable):
        oidc.verify(token, provider)


def test_a_provider_that_is_down_is_not_asked_for_every_token(
    issuer: Issuer, provider: OpenIdConnect, clock: list[float]
) -> None:
    oidc.verify(issuer.token(), provider)
    issuer.answers = {DISCOVERY: (503, {}), JWKS: (500, {})}
    clock[0] = discovery.REFRESH_SECONDS + 1
    stranger = Key("unknown")
    assert [is_refused(issuer.token(by=stranger), provider) for _ in range(5)] == [True] * 5
    assert not is_refused(issuer.token(), provider)
    assert issuer.asked[JWKS] == 2
    clock[0] += discovery.PAUSE_SECONDS + 1
    assert is_refused(issuer.token(by=stranger), provider)
    assert issuer.asked[JWKS] == 3


def test_a_provider_that_was_never_reached_is_left_alone_for_a_while(
    issuer: Issuer, provider: OpenIdConnect, clock: list[float]
) -> None:
    issuer.answers[DISCOVERY] = (503, {})
    for _ in range(3):
        with pytest.raises(ProviderUnavailable) as raised:
            oidc.verify(issuer.token(), provider)
        assert raised.value.retry_after
    assert issuer.asked[DISCOVERY] == 1
    clock[0] += discovery.PAUSE_SECONDS + 1
    issuer.publish()
    assert not is_refused(issuer.token(), provider)


@pytest.mark.parametrize("said", ["https://evil.example", "", None, 5])
def test_a_discovery_document_that_names_another_issuer(issuer: Issuer, provider: OpenIdConnect, said: Any) -> None:
    issuer.publish(issuer=said)
    with pytest.raises(ProviderUnavailable):
        oidc.verify(issuer.token(), provider)


@pytest.mark.parametrize("keys", [None, 5, "keys", {}, []])
def test_a_key_set_without_keys(issuer: Issuer, provider: OpenIdConnect, keys: Any) -> None:
    issuer.answers[JWKS] = (200, {"keys": keys})
    assert is_refused(issuer.token(), provider)


def test_test_counts_usable_keys(issuer: Issuer, provider: OpenIdConnect) -> None:
    assert oidc.test(provider) == "It answers, with 1 keys that we can use."
    issuer.publish(Key("k", alg="RSA-OAEP"))
    cache.clear()
    with pytest.raises(ProviderUnavailable):
        oidc.test(provider)


def test_identity_of_who_has_no_usable_subject() -> None:
    unusable: tuple[dict[str, object], ...] = ({}, {"sub": ""}, {"sub": "x" * 256}, {"sub": 5}, {"sub": "a\0b"})
    for claims in unusable:
        with pytest.raises(TokenRefused):
            oidc.identity_of({"iss": "https://id.example"} | claims)


def test_the_forger_makes_good_tokens_otherwise(issuer: Issuer) -> None:
    """A test that refuses everything would prove nothing: the claims are good until a test spoils one."""
    key = issuer.keys[0]
    assert jwt.decode(issuer.token(), key.private.public_key(), algorithms=["ES256"], audience="shop")["sub"] == "ada"
