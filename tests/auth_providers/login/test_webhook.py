"""A shop's own system says who a customer is: asked with a signature, accepting, refusing, down, slow, or wrong."""

import itertools
import json
import time
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django import Settings
from standardwebhooks.webhooks import WebhookVerificationError

from auth_providers import limits
from auth_providers.login import federated
from auth_providers.models import Account, AuthProvider
from auth_providers.outbound import http_client
from auth_providers.providers import registry
from auth_providers.tokens import sessions
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tenants.secrets.encryption import encrypt
from tests import factories
from tests.auth_providers.login.webhook_log_ins import (
    CREDENTIALS,
    is_unavailable,
    log_in,
    log_in_from,
    reason_of_refusal,
    register,
)
from tests.openid_issuer import drip
from tests.races import at_once
from tests.shop_endpoint import Shop

FULL_WIDTH = "\uff41\uff424711"


def test_the_shop_is_asked_and_believed(card: AuthProvider, shop: Shop) -> None:
    shop.lets_in(sub="4711", email="Ada@Example.com", email_verified=True, given_name="Ada", family_name="Lovelace")
    started = log_in(card)
    (asked,) = shop.verified()
    assert asked.pop("timestamp")
    assert asked == {
        "type": "authentication.requested",
        "data": {
            "tenant": "acme",
            "provider": "card",
            "credentials": CREDENTIALS,
            "client": {"address": "192.0.2.10", "userAgent": "tests/1.0 (Windows NT 10.0)"},
        },
    }
    account = started.account
    assert (account.provider, account.issuer, account.identifier) == ("card", shop.server.url, "4711")
    assert (account.customer.first_name, account.customer.contact_email) == ("Ada", "ada@example.com")
    assert started.session.method == "card"


def test_who_comes_back_is_the_same_customer(card: AuthProvider, shop: Shop) -> None:
    shop.lets_in(sub="4711")
    assert log_in(card).account == log_in(card).account
    assert len(set(shop.ids())) == 2
    assert Customer.objects.count() == 1


def test_the_same_newcomer_twice_at_once_is_one_customer(
    transactional_db: None, settings: Settings, shop: Shop
) -> None:
    provider = register(factories.make_tenant(), shop.url)
    shop.lets_in(sub="4711")
    results = at_once(4, lambda _: log_in(provider))
    assert not [each for each in results if isinstance(each, Exception)]
    assert Account.objects.count() == 1


def test_a_subject_is_the_endpoints_own(card: AuthProvider, shop: Shop) -> None:
    shop.lets_in(sub="4711", iss="https://bank.example")
    assert log_in(card).account.issuer == shop.server.url
    AuthProvider.objects.update(issuer="https://cards.example")
    card.refresh_from_db()
    assert log_in(card).account.issuer == "https://cards.example"
    assert Account.objects.count() == 2


def test_a_signature_by_another_secret_is_noticed(card: AuthProvider, shop: Shop) -> None:
    shop.lets_in(sub="4711")
    log_in(card)
    with pytest.raises(WebhookVerificationError):
        shop.verified("whsec_" + "b3RoZXIgc2VjcmV0IG9mIDI0IGJ5dGVz")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((200, {"allowed": False, "reason": "PIN is\nwrong"}), "refused by the webhook: PIN is wrong"),
        ((200, {"allowed": False}), "refused by the webhook"),
        ((200, {"allowed": False, "reason": 7}), "refused by the webhook"),
        ((401, {}), "refused by the webhook: it answered 401"),
        ((403, b"<html>"), "refused by the webhook: it answered 403"),
    ],
)
def test_a_refusal_is_one(card: AuthProvider, shop: Shop, answer: Any, reason: str) -> None:
    shop.answer = answer
    assert reason_of_refusal(card) == reason
    assert not Account.objects.exists()


@pytest.mark.usefixtures("stopped_clock")
def test_guesses_at_one_account_are_slowed_from_everywhere_and_in_every_spelling(tenant: Tenant, shop: Shop) -> None:
    card = register(tenant, shop.url, settings={"url": shop.url, "account_field": "cardNumber"})
    shop.answer = (401, {})
    free = limits.LOG_IN_BY_WEBHOOK_ACCOUNT.free
    for number, spelling in enumerate(itertools.islice(itertools.cycle(["ab 47-11", "AB4711", FULL_WIDTH]), free)):
        with pytest.raises(sessions.LogInRefused):
            log_in_from(f"198.51.100.{number}", card, cardNumber=spelling, pin=f"{number:04}")
    with pytest.raises(limits.Throttled):
        log_in_from("198.51.100.99", card, cardNumber="Ab4711", pin="9999")
    assert len(shop.bodies) == free
    with pytest.raises(sessions.LogInRefused):
        log_in_from("198.51.100.99", card, cardNumber="ab4712", pin="9999")


def test_a_right_pin_ends_the_count_of_its_account(tenant: Tenant, shop: Shop) -> None:
    card = register(tenant, shop.url, settings={"url": shop.url, "account_field": "cardNumber"})
    for _ in range(2):
        shop.answer = (401, {})
        for _ in range(limits.LOG_IN_BY_WEBHOOK_ACCOUNT.free - 1):
            reason_of_refusal(card)
        shop.lets_in(sub="4711")
        log_in(card)


@pytest.mark.usefixtures("stopped_clock")
def test_guesses_from_one_address_are_slowed(card: AuthProvider, shop: Shop) -> None:
    shop.answer = (401, {})
    for _ in range(limits.LOG_IN_BY_ADDRESS.burst):
        reason_of_refusal(card)
    with pytest.raises(limits.Throttled):
        log_in(card)
    assert len(shop.bodies) == limits.LOG_IN_BY_ADDRESS.burst


@pytest.mark.parametrize(
    ("is_linking", "is_verified", "is_linked"),
    [(True, True, True), (True, "true", False), (True, False, False), (False, True, False)],
)
def test_an_email_links_where_shop_and_tenant_vouch_for_it(
    card: AuthProvider, shop: Shop, is_linking: bool, is_verified: Any, is_linked: bool
) -> None:
    customer = factories.make_customer(card.tenant)
    card.is_linking_by_email = is_linking
    shop.lets_in(sub="4711", email=factories.EMAIL, email_verified=is_verified)
    if is_linked:
        assert log_in(card).account.customer == customer
        return
    with pytest.raises(federated.LinkNeeded):
        log_in(card)
    assert Account.objects.count() == 1


NONSENSE: list[Any] = [
    (200, b""),
    (200, b"<html>"),
    (200, b"[]"),
    (200, b'"allowed"'),
    (200, b'{"allowed": true, "claims": {"sub": "\xff"}}'),
    (200, {}),
    (200, {"allowed": "true", "claims": {"sub": "4711"}}),
    (200, {"allowed": 1, "claims": {"sub": "4711"}}),
    (200, {"allowed": True}),
    (200, {"allowed": True, "claims": []}),
    (200, {"allowed": True, "claims": {}}),
    (200, {"allowed": True, "claims": {"sub": ""}}),
    (200, {"allowed": True, "claims": {"sub": 4711}}),
    (200, {"allowed": True, "claims": {"sub": "x" * 256}}),
    (200, {"allowed": True, "claims": {"sub": "4711\0"}}),
    (200, {"allowed": True, "claims": {"sub": "4711", "given_name": ["a\0"]}}),
    (200, {"allowed": True, "claims": {"sub": "\ud800"}}),
    (200, b"[" * 100_000),
    (201, {"allowed": True, "claims": {"sub": "4711"}}),
    (204, b""),
    (400, {"allowed": False}),
    (404, {}),
    (429, {}),
    (500, {}),
    (503, {}),
]


@pytest.mark.parametrize("answer", NONSENSE, ids=range(len(NONSENSE)))
def test_anything_else_is_nobodys_fault_but_the_shops(card: AuthProvider, shop: Shop, answer: Any) -> None:
    shop.answer = answer
    assert is_unavailable(card)
    assert len(shop.bodies) == 1
    assert not Customer.objects.exists()
    assert not AuditEvent.objects.exists()


ODD_CLAIMS: list[dict[str, Any]] = [
    {"email": 7, "given_name": {}, "family_name": None},
    {"email": "not an address", "email_verified": True, "given_name": "x" * 1000},
    {"email": "x" * 300 + "@example.com", "phone_number": [], "address": "x"},
    {"email": "a@b.example\n", "email_verified": True, "locale": 1e308, "zoneinfo": -(2**63)},
]


@pytest.mark.parametrize("claims", ODD_CLAIMS, ids=range(len(ODD_CLAIMS)))
def test_odd_claims_beside_a_subject_are_left_out(card: AuthProvider, shop: Shop, claims: dict[str, Any]) -> None:
    shop.lets_in(sub="4711", **claims)
    assert log_in(card).account.identifier == "4711"


def test_a_redirect_is_not_followed(card: AuthProvider, shop: Shop) -> None:
    shop.server.answers["/elsewhere"] = (200, {"allowed": True, "claims": {"sub": "4711"}})
    for status in (301, 307):
        shop.answer = lambda asked, status=status: asked.reply(status, b"", Location=f"{shop.server.url}/elsewhere")
        assert is_unavailable(card)
    assert "/elsewhere" not in shop.server.asked


def test_an_endpoint_in_our_own_network_is_not_called(tenant: Tenant, shop: Shop, settings: Settings) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = []
    shop.lets_in(sub="4711")
    provider = register(tenant, shop.url)
    for url in (shop.url, shop.url.replace("http:", "https:"), "https://169.254.169.254/", "", "https://[", "ftp://x"):
        cache.clear()
        provider.settings = {"url": url}
        assert is_unavailable(provider)
    assert not shop.bodies


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_ü", "whsec_###"])
def test_without_a_secret_nothing_is_sent(tenant: Tenant, shop: Shop, secret: str) -> None:
    for stored in ("", encrypt(secret)):
        assert is_unavailable(register(tenant, shop.url, client_secret_encrypted=stored))
        AuthProvider.objects.all().delete()
    assert not shop.bodies


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_ü", "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="])
def test_a_secret_that_can_not_sign_is_not_stored(tenant: Tenant, secret: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        registry.configure(
            tenant=tenant,
            name="card",
            secret=secret,
            settings={"kind": "webhook", "settings": {"url": "https://shop.example/log-in"}},
        )
    assert {each.field for each in refused.value.details} == {"client_secret"}


@pytest.mark.parametrize("answer", [lambda asked: time.sleep(1), drip], ids=["silent", "dripping"])
def test_a_slow_shop_is_not_waited_for(
    card: AuthProvider, shop: Shop, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    monkeypatch.setattr(http_client, "TIMEOUT", (0.3, 0.4))
    shop.answer = answer
    started = time.perf_counter()
    assert is_unavailable(card)
    assert time.perf_counter() - started < 1


def test_the_credentials_rest_nowhere(card: AuthProvider, shop: Shop, stored: Any) -> None:
    shop.lets_in(sub="4711")
    log_in(card, pin="a very secret pin")
    shop.answer = (401, {})
    reason_of_refusal(card)
    assert "a very secret pin" not in stored()
    assert "a very secret pin" in json.dumps(shop.verified())


def test_a_provider_of_another_kind_is_not_asked(tenant: Tenant, shop: Shop) -> None:
    with pytest.raises(registry.UnknownProvider):
        log_in(register(tenant, shop.url, kind="oidc", issuer=shop.url, client_id="us"))
    assert not shop.server.asked
