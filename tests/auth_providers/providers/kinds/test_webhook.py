"""The shop's own system. Logging in by it is shown in `login/test_webhook.py`."""

from typing import Any

import pytest

from auth_providers.models import AuthProvider
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import setup
from auth_providers.providers.kinds.webhook import Webhook
from tenants.models import Tenant
from tests.auth_providers.login.webhook_log_ins import register
from tests.auth_providers.providers.configuring import configure, fields_at_fault
from tests.shop_endpoint import Shop
from tests.social_providers import SECRET

URL = {"url": "https://shop.example/who"}


def test_what_it_needs(tenant: Tenant) -> None:
    assert fields_at_fault(tenant, "webhook", secret=SECRET) == {"settings"}
    assert fields_at_fault(tenant, "webhook", settings=URL) == {"client_secret"}
    assert "nothing to try" in setup.test(configure(tenant, "webhook", secret=SECRET, settings=URL))


@pytest.mark.parametrize("url", ["http://shop.example", "https://[shop", 5, "", None])
def test_an_endpoint_that_is_not_called(tenant: Tenant, url: Any) -> None:
    assert fields_at_fault(tenant, "webhook", secret=SECRET, settings={"url": url}) == {"settings"}


@pytest.mark.parametrize(
    ("url", "issuer", "is_whose"),
    [
        ("https://shop.example/who?a=b", "", "https://shop.example"),
        ("https://us:secret@shop.example:8443/who", "", "https://shop.example:8443"),
        ("https://shop.example/who", "https://cards.example", "https://cards.example"),
    ],
)
def test_whose_subjects_they_are(url: str, issuer: str, is_whose: str) -> None:
    assert Webhook(AuthProvider(kind="webhook", issuer=issuer, settings={"url": url})).issuer == is_whose


def test_the_url_may_name_nobody_and_the_secret_may_be_none(tenant: Tenant) -> None:
    assert fields_at_fault(tenant, "webhook", secret="no secret that signs", settings=URL) == {"client_secret"}
    webhook = Webhook(AuthProvider(kind="webhook", settings=URL | {"account_field": "card"}))
    assert (webhook.settings.url, webhook.settings.account_field) == ("https://shop.example/who", "card")
    assert Webhook(AuthProvider(kind="webhook", settings=URL)).settings.account_field == ""


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("no", "no"),
        ("r" * 200, "r" * 200),
        ("r" * 199 + "st", "r" * 199 + "s"),
        ("no\tnever\nagain\u200b.", "no never again ."),
        ("", ""),
        (5, ""),
        (["no"], ""),
        (None, ""),
    ],
    ids=repr,
)
def test_a_reason_is_one_line_of_200_characters_at_most(tenant: Tenant, shop: Shop, said: Any, reason: str) -> None:
    shop.answer = (200, {"allowed": False, "reason": said})
    answer = Webhook(register(tenant, shop.url)).ask(b"{}")
    assert answer.identity is None
    assert answer.reason == reason


@pytest.mark.parametrize("status", [401, 403])
def test_a_status_that_refuses_is_the_reason(tenant: Tenant, shop: Shop, status: int) -> None:
    shop.answer = (status, {"allowed": True, "claims": {"sub": "ada"}})
    answer = Webhook(register(tenant, shop.url)).ask(b"{}")
    assert (answer.identity, answer.reason) == (None, f"it answered {status}")


def test_who_is_let_in_is_of_the_issuer_that_we_know(tenant: Tenant, shop: Shop) -> None:
    shop.answer = (200, {"allowed": True, "reason": "regular", "claims": {"sub": "ada", "iss": "https://evil.example"}})
    answer = Webhook(register(tenant, shop.url, issuer="https://cards.example")).ask(b'{"card": 5}')
    assert answer.identity is not None
    assert (answer.identity.issuer, answer.identity.subject, answer.reason) == ("https://cards.example", "ada", "")
    assert shop.bodies == [b'{"card": 5}']


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, {}), "It answered 400"),
        ((402, {}), "It answered 402"),
        ((201, {"allowed": False}), "It answered 201"),
        ((200, b"no JSON"), "is not JSON"),
        ((200, b"[]"), "is not an object of plain texts"),
        ((200, {"allowed": False, "reason": "a\0"}), "is not an object of plain texts"),
        ((200, {"allowed": False, "why": [{"it": ["is", "b\0"]}]}), "is not an object of plain texts"),
        ((200, {"allowed": False, "c\0": 5}), "is not an object of plain texts"),
        ((200, {}), "neither whom it lets in nor"),
        ((200, {"allowed": True}), "neither whom it lets in nor"),
        ((200, {"claims": {"sub": "ada"}}), "neither whom it lets in nor"),
        ((200, {"allowed": True, "claims": {"sub": ""}}), "does not say whom"),
    ],
    ids=str,
)
def test_an_answer_that_makes_no_sense(tenant: Tenant, shop: Shop, answer: Any, words: str) -> None:
    shop.answer = answer
    with pytest.raises(ProviderUnavailable, match=words) as raised:
        Webhook(register(tenant, shop.url)).ask(b"{}")
    assert raised.value.retry_after
