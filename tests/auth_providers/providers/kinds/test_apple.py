"""Apple's own: access tokens, and its private key."""

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from auth_providers.models import AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import setup
from auth_providers.providers.kinds.apple import Apple
from auth_providers.tokens import sessions
from customers.models import Customer
from tenants.models import Tenant
from tenants.secrets.encryption import encrypt
from tests.auth_providers.providers.configuring import configure, fields_at_fault
from tests.auth_providers.providers.sign_ins import is_refused, issuer_of, log_in, register
from tests.social_providers import KEY_ID, OURS, TEAM, Grant, World

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def test_apples_access_tokens_prove_nothing(tenant: Tenant, world: World) -> None:
    world.tokens["good"] = Grant()
    assert is_refused(register(tenant, world, "apple"), access_token="good")


def test_what_it_needs(tenant: Tenant) -> None:
    team = {"team_id": "T", "key_id": "K"}
    assert fields_at_fault(tenant, "apple") == {"client_id", "settings"}
    for missing in team:
        assert fields_at_fault(tenant, "apple", client_id="us", settings=team | {missing: ""}) == {"settings"}
    given: dict[str, Any] = {"client_id": "us", "settings": team}
    assert fields_at_fault(tenant, "apple", secret="-----BEGIN PRIVATE KEY-----", **given) == {"client_secret"}
    assert configure(tenant, "apple", **given).kind == "apple"


def test_the_button_finds_a_key_that_does_not_sign(tenant: Tenant, world: World) -> None:
    apple = register(tenant, world, "apple", client_secret_encrypted=encrypt("no key"))
    with pytest.raises(ProviderUnavailable, match="private key"):
        setup.test(apple)


@pytest.mark.parametrize(
    ("key", "is_accepted"),
    [
        (ec.generate_private_key(ec.SECP256R1()), True),
        (ec.generate_private_key(ec.SECP384R1()), False),
        (ed25519.Ed25519PrivateKey.generate(), False),
    ],
    ids=["P-256", "P-384", "Ed25519"],
)
def test_only_a_key_on_apples_curve_is_stored(tenant: Tenant, key: PrivateKey, is_accepted: bool) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    given: dict[str, Any] = {"client_id": "us", "settings": {"team_id": "T", "key_id": "K"}}
    if is_accepted:
        assert Apple(configure(tenant, "apple", secret=pem, **given)).client_secret == pem
    else:
        assert fields_at_fault(tenant, "apple", secret=pem, **given) == {"client_secret"}


def test_the_secret_that_a_key_signs_is_good_for_five_minutes(tenant: Tenant, world: World) -> None:
    client_id, secret = Apple(register(tenant, world, "apple")).backend().get_key_and_secret()
    said = jwt.decode(secret, world.team_key.public_key(), algorithms=["ES256"], audience="https://appleid.apple.com")
    assert (client_id, said["sub"], said["iss"]) == (OURS, OURS, TEAM)
    assert said["exp"] - said["iat"] == 300
    assert jwt.get_unverified_header(secret)["kid"] == KEY_ID


def test_without_a_key_it_takes_id_tokens_and_the_button_says_nothing_else(tenant: Tenant, world: World) -> None:
    apple = register(tenant, world, "apple", client_secret_encrypted="")
    assert setup.test(apple) == "It answers, with 2 keys that we can use."
    assert not is_refused(apple, id_token=world.id_token(iss=issuer_of("apple")))


def test_a_key_that_does_not_sign_is_noted(tenant: Tenant, world: World, caplog: pytest.LogCaptureFixture) -> None:
    apple = Apple(register(tenant, world, "apple", client_secret_encrypted=encrypt("no key")))
    with pytest.raises(ProviderUnavailable, match="not one of Apple's") as raised:
        apple.backend().get_key_and_secret()
    assert raised.value.retry_after
    assert "no usable private key" in caplog.text


@pytest.mark.parametrize(
    ("user", "names"),
    [
        ({"name": {"firstName": "Ada", "lastName": "Lovelace"}}, {"given_name": "Ada", "family_name": "Lovelace"}),
        ({"name": {"lastName": "Lovelace"}}, {"given_name": None, "family_name": "Lovelace"}),
        ({"name": "Ada"}, {}),
        ({}, {}),
    ],
    ids=str,
)
def test_the_names_beside_a_token(user: dict[str, Any], names: dict[str, Any]) -> None:
    provider = AuthProvider(kind="apple", settings={"team_id": "T", "key_id": "K"})
    assert Apple(provider).backend().named_beside(user) == names


USER = json.dumps({"name": {"firstName": "Ada", "lastName": "Lovelace"}, "email": "evil@example.com"})
PRIVATE: dict[str, Any] = {"email": "x1@privaterelay.appleid.com", "email_verified": "true"}


def named() -> tuple[str | None, str | None, str | None, str]:
    customer = Customer.objects.get()
    return (customer.first_name, customer.last_name, customer.contact_email, customer.preferred_language)


def test_the_name_that_comes_once_beside_the_token_is_taken(tenant: Tenant, world: World) -> None:
    apple = register(tenant, world, "apple")
    token = world.id_token(iss=issuer_of("apple"), locale="de-AT", **PRIVATE)
    log_in(apple, id_token=token, user=USER)
    assert named() == ("Ada", "Lovelace", PRIVATE["email"], "de_AT")


def test_a_later_name_fills_an_empty_one_and_replaces_none(tenant: Tenant, world: World) -> None:
    apple = register(tenant, world, "apple")
    log_in(apple, id_token=world.id_token(iss=issuer_of("apple"), **PRIVATE))
    assert named()[:2] == (None, None)
    log_in(apple, id_token=world.id_token(iss=issuer_of("apple"), **PRIVATE), user=USER)
    assert named() == ("Ada", "Lovelace", PRIVATE["email"], "en_US")
    other = json.dumps({"name": {"firstName": "Eve", "lastName": "Moriarty"}})
    log_in(apple, id_token=world.id_token(iss=issuer_of("apple"), locale="fr", **PRIVATE), user=other)
    assert named() == ("Ada", "Lovelace", PRIVATE["email"], "en_US")


@pytest.mark.parametrize("user", [USER, json.dumps({"name": {"firstName": "Eve"}}), "{}", ""])
@pytest.mark.parametrize("first", [USER, ""])
def test_what_comes_beside_a_used_token_makes_it_no_other(tenant: Tenant, world: World, first: str, user: str) -> None:
    """Apple's tokens have no `jti`, and whoever has found one may say any name beside it."""
    apple = register(tenant, world, "apple")
    token = world.id_token(iss=issuer_of("apple"), jti=..., **PRIVATE)
    log_in(apple, id_token=token, user=first)
    with pytest.raises(sessions.LogInRefused):
        log_in(apple, id_token=token, user=user)


def test_others_send_no_names_beside_their_tokens(tenant: Tenant, world: World) -> None:
    google = register(tenant, world, "google")
    log_in(google, id_token=world.id_token(iss=issuer_of("google"), **PRIVATE), user=USER)
    assert named()[:2] == (None, None)


@pytest.mark.parametrize(
    "user", ["{", "[]", "null", "[" * 100_000, '{"name": 1}', '{"name": {"firstName": 1, "lastName": "\\u0000"}}']
)
def test_nonsense_beside_the_token_is_no_name(tenant: Tenant, world: World, user: str) -> None:
    log_in(register(tenant, world, "apple"), id_token=world.id_token(iss=issuer_of("apple"), **PRIVATE), user=user)
    assert named()[:2] == (None, None)
