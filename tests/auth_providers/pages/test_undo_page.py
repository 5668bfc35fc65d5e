"""The page that the notices of changes lead to: over HTTP, as a browser and as a scanner of mail see it."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from auth_providers.models import Account
from auth_providers.selfservice import additional_log_in
from customers.models import Customer
from tenants.models import Tenant
from tests import factories
from tests.auth_providers import mailbox
from tests.authenticators import just_logged_in

LINK = re.compile(r"^\S+/pages/acme/undo\?token=\S+$", re.M)


@pytest.fixture
def address(tenant: Tenant) -> str:
    """The address in the notice of a log-in that was added."""
    customer = factories.make_customer(tenant)
    additional_log_in.add(
        tenant=tenant,
        session=just_logged_in(customer),
        email="mallory@example.com",
        password="a password of mallory",
        client=factories.CLIENT,
    )
    [link] = [found.group() for mail in mailbox.receive() for found in LINK.finditer(str(mail.body))]
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def token_of(address: str) -> str:
    return address.partition("token=")[2]


def is_undone() -> bool:
    return not Account.objects.filter(identifier="mallory@example.com").exists()


def test_the_page_tells_what_was_changed_and_the_button_undoes_it(browser: Client, address: str) -> None:
    page = browser.get(address)
    assert page.status_code == 200
    assert "A second log-in for your acme account" in page.text
    assert not is_undone()
    answer = browser.post("/pages/acme/undo", {"token": token_of(address)})
    assert (answer.status_code, is_undone()) == (200, True)
    assert "a***@example.com" in answer.text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("headers", [{}, {"Sec-Purpose": "prefetch"}], ids=["opened", "prefetched"])
def test_opening_the_page_changes_nothing(browser: Client, address: str, method: str, headers: dict[str, str]) -> None:
    before = {model: list(model.objects.order_by("pk").values()) for model in (Account, Customer)}
    assert browser.generic(method, address, headers=headers).status_code == 200
    assert {model: list(model.objects.order_by("pk").values()) for model in (Account, Customer)} == before


def test_a_second_click_says_that_it_is_done(browser: Client, address: str) -> None:
    browser.post("/pages/acme/undo", {"token": token_of(address)})
    for answer in (browser.post("/pages/acme/undo", {"token": token_of(address)}), browser.get(address)):
        assert answer.status_code == 410
        assert "It is undone already" in answer.text


def test_a_link_that_is_too_old(browser: Client, address: str, pass_time: Callable[[timedelta], None]) -> None:
    pass_time(timedelta(hours=72))
    answer = browser.get(address)
    assert (answer.status_code, "This link is not valid" in answer.text) == (410, True)


@pytest.mark.parametrize("token", ["", "unknown", "é" * 43, "\0"])
def test_a_token_that_never_was(browser: Client, address: str, token: str) -> None:
    for answer in (
        browser.get("/pages/acme/undo", {"token": token}),
        browser.post("/pages/acme/undo", {"token": token}),
    ):
        assert (answer.status_code, "This link is not valid" in answer.text) == (404, True)


def test_a_token_of_another_tenant(browser: Client, address: str, other_tenant: Tenant) -> None:
    answer = browser.post(f"/pages/{other_tenant.code}/undo", {"token": token_of(address)})
    assert (answer.status_code, is_undone()) == (404, False)


def test_a_shop_that_there_is_not(browser: Client, db: None) -> None:
    assert browser.get("/pages/nobody/undo?token=x").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_no_other_method(browser: Client, address: str, method: str) -> None:
    assert browser.generic(method, address).status_code == 405


def test_the_page_runs_no_script_and_gives_its_address_to_nobody(browser: Client, address: str) -> None:
    Tenant.objects.update(logo_url="https://cdn.example/logo.png")
    page = browser.get(address)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self' data: https://cdn.example; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    assert not re.search(r"<script|<style|style=|\son\w+=", page.text)
    assert "Access-Control-Allow-Origin" not in browser.get(address, headers={"Origin": "https://evil.example"}).headers
    assert not page.cookies


@pytest.mark.parametrize(
    ("preferred", "accepted", "language"),
    [("de_AT", "fr", "de"), ("", "fr-CH, de", "fr"), ("", "de,en-US;q=0.7", "de"), ("zh", "fr", "en")],
)
def test_the_page_speaks_the_customers_language(
    browser: Client, address: str, preferred: str, accepted: str, language: str
) -> None:
    Customer.objects.update(preferred_language=preferred)
    assert f'<html lang="{language}">' in browser.get(address, headers={"Accept-Language": accepted}).text


@pytest.mark.parametrize(("color", "text"), [("#ffee00", "#000000"), ("#0b6e4f", "#ffffff"), ("#777777", "#000000")])
def test_the_shops_colour_has_readable_text_on_it(browser: Client, tenant: Tenant, color: str, text: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(brand_color=color)
    sheet = browser.get("/pages/acme/brand.css")
    assert sheet.headers["Content-Type"].startswith("text/css")
    assert f"--brand: {color}; --on-brand: {text};" in sheet.text
