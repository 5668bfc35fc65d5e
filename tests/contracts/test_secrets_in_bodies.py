"""Secrets that come where a body is free are refused and kept nowhere: in every contract that has such a body, at every
depth, in the languages that we ship and in any spelling. The words are not read from the product."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse

from auth_providers.models import Flow
from customers import mixins
from customers.models import Address, Customer
from tenants.models import CheckIn, Tenant
from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import NEWCOMER, hand_in, with_server_key
from tests.contracts.scene import ADDRESS, NEW_EMAIL, Scene

WORDS = {
    "en": ("password", "passphrase", "pin", "otp", "one time password", "token", "access token", "secret", "api key"),
    "de": ("passwort", "kennwort", "passwörter", "geheimzahl", "geheimnis", "einmalpasswort", "zugangsdaten"),
    "fr": ("mot de passe", "mots de passe", "code secret", "jeton", "phrase secrète", "code à usage unique"),
    "es": ("contraseña", "contraseñas", "clave", "clave secreta", "código secreto", "secreto"),
    "pl": ("hasło", "hasła", "tajne słowo", "kod pin", "kod jednorazowy", "sekret", "token dostępu"),
}
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "capitals": str.upper,
    "title": str.title,
    "camel": lambda word: word.title().replace(" ", "")[:1].lower() + word.title().replace(" ", "")[1:],
    "snake": lambda word: word.replace(" ", "_"),
    "kebab": lambda word: word.replace(" ", "-").capitalize(),
    "dots": lambda word: word.replace(" ", "."),
    "joined": lambda word: word.replace(" ", ""),
    "surrounded": lambda word: f" {word}_",
    "soft hyphens": lambda word: f"{word[:2]}\u00ad{word[2:]}",
    "wide": lambda word: "".join(chr(ord(each) + 0xFEE0) if "a" <= each <= "z" else each for each in word),
}
EVERY_WORD = [word for words in WORDS.values() for word in words]
VALUE = "kept by nobody"
PLACES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "object": lambda secrets: secrets,
    "deep": lambda secrets: {"a": {"b": {"c": secrets}}},
    "list": lambda secrets: {"a": [1, secrets]},
    "deep list": lambda secrets: {"a": [[{"b": [secrets]}]]},
    "identifiers": lambda secrets: {"identifiers": secrets},
}
URL = "https://schemas.example/anything"


def test_every_language_of_ours_has_its_words() -> None:
    assert set(WORDS) == {code for code, _ in django_settings.LANGUAGES}


# -- where a body is free ---------------------------------------------------------------------------------------------
Send = Callable[[Scene, Any], HttpResponse]


def named(value: Any) -> dict[str, Any]:
    return {"mixins": {"own": value}, "metadata": {"mixins": {"own": URL}}}


def of_a_customer(method: str, path: str, **body: Any) -> Send:
    def send(scene: Scene, value: Any) -> HttpResponse:
        return call(method, f"/customer/acme/{path}", json=body | named(value), token=scene.logged_in.access_token)

    return send


def sign_up(scene: Scene, **body: Any) -> HttpResponse:
    credentials = {"email": NEW_EMAIL, "password": factories.PASSWORD}
    return call("POST", "/customer/acme/signup", json=credentials | body, token=scene.visitor_token)


NEW_ADDRESS = {"contactName": "Ada Lovelace", "country": "GB"}
EMPORIX: dict[str, Send] = {
    "PATCH me": of_a_customer("PATCH", "me"),
    "PUT me": of_a_customer("PUT", "me", firstName="Ada"),
    "POST addresses": of_a_customer("POST", "me/addresses", **NEW_ADDRESS),
    "PATCH address": of_a_customer("PATCH", f"me/addresses/{ADDRESS['public_id']}"),
    "PUT address": of_a_customer("PUT", f"me/addresses/{ADDRESS['public_id']}", city="Ockham"),
    "signup, profile": lambda scene, value: sign_up(scene, customerDetails=named(value)),
    "signup, address": lambda scene, value: sign_up(scene, customerAddress=NEW_ADDRESS | named(value)),
}
NEOSTORE: dict[str, Send] = {
    "a visitor": lambda scene, value: hand_in(NEWCOMER | {"own": value}),
    "a customer": lambda scene, value: hand_in({"own": value}, token=scene.logged_in.access_token),
    "a server": lambda scene, value: hand_in(NEWCOMER | {"own": value}, **with_server_key()),
    "preregistration": lambda scene, value: hand_in(NEWCOMER | {"own": value}, flow="preregistration"),
    "activation": lambda scene, value: hand_in(NEWCOMER | {"own": value}, flow="activation"),
    "a flow of the shop's": lambda scene, value: hand_in(NEWCOMER | {"own": value}, flow="vip"),
}


@pytest.fixture
def shop(scene: Scene) -> Scene:
    mixins.register(tenant=scene.tenant, url=URL, schema={})
    Flow.objects.create(tenant=scene.tenant, name="vip", steps=[{"step": "challenge", "channel": "email"}])
    return scene


def secrets_in(spelling: str) -> dict[str, Any]:
    return {SPELLINGS[spelling](word): VALUE for word in EVERY_WORD}


def check_refused(answer: HttpResponse, status: int, names: set[str], stored: Callable[[], str]) -> None:
    assert answer.status_code == status, answer.content
    said = answer.content.decode()
    assert VALUE not in said
    body = body_of(answer)
    fields = [each["field"] for each in body["details"]] if "details" in body else list(body["errors"])
    assert {name for name in names if not any(field.endswith(f".{name}") for field in fields)} == set()
    assert VALUE not in stored()


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("send", [EMPORIX["PATCH me"], NEOSTORE["a visitor"]], ids=["emporix", "neostore"])
def test_a_secret_is_refused_in_each_spelling(
    shop: Scene, send: Send, spelling: str, stored: Callable[[], str]
) -> None:
    sent = secrets_in(spelling)
    status = 400 if send is EMPORIX["PATCH me"] else 412
    check_refused(send(shop, sent), status, set(sent), stored)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", EMPORIX)
def test_emporix_refuses_it_in_each_place(shop: Scene, name: str, place: str, stored: Callable[[], str]) -> None:
    check_refused(EMPORIX[name](shop, PLACES[place]({"user_password": VALUE})), 400, {"user_password"}, stored)
    assert not Address.objects.filter(city="Ockham").exists()
    assert not Customer.objects.filter(contact_email=NEW_EMAIL).exists()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("policy", CheckIn.values)
@pytest.mark.parametrize("name", NEOSTORE)
def test_neostore_refuses_it_in_each_place(
    shop: Scene, name: str, policy: str, place: str, stored: Callable[[], str]
) -> None:
    Tenant.objects.update(check_in_policy=policy)
    before = Customer.objects.count()
    check_refused(NEOSTORE[name](shop, PLACES[place]({"user_password": VALUE})), 412, {"user_password"}, stored)
    assert Customer.objects.count() == before


@pytest.mark.parametrize("value", [VALUE, [VALUE], {"a": VALUE}, 4711, 4.5, False])
def test_a_value_of_any_type_is_a_secrets(shop: Scene, value: Any, stored: Callable[[], str]) -> None:
    for send, status in ((EMPORIX["PATCH me"], 400), (NEOSTORE["a visitor"], 412)):
        check_refused(send(shop, {"Password": value}), status, {"Password"}, stored)
