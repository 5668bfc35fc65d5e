"""The pages on which the owner of a profile logs in for one button: what a refusal looks like, which second factor is
asked for, and what is left of the log-in."""

import re
from typing import Any

import pytest
from django.test import Client

from auth_providers.models import Account, AuthProvider, Session, Token
from auth_providers.pages import owner
from customers.models import Customer
from tenants.models import SecondFactor, Tenant
from tests import authenticators, codes
from tests.auth_providers.pages.test_link_pages import ask_for_log_in
from tests.factories import EMAIL, PASSWORD

PAGE, NEW = "/pages/acme/log-in", "new@example.com"


@pytest.fixture
def form(customer: Customer) -> dict[str, str]:
    return ask_for_log_in(customer)


def log_in(browser: Client, form: dict[str, str], **more: str) -> Any:
    return browser.post(PAGE, {**form, "email": EMAIL, "password": PASSWORD, **more})


def is_added() -> bool:
    return Account.objects.filter(identifier=NEW, verified_at__isnull=False).exists()


def handle_of(answer: Any) -> str:
    [handle] = re.findall(r'name="handle" value="([^"]+)"', answer.text)
    return str(handle)


def test_of_the_log_in_nothing_is_left(browser: Client, form: dict[str, str]) -> None:
    Token.objects.all().delete()
    before = set(Session.objects.values_list("pk", flat=True))
    assert log_in(browser, form).status_code == 200
    assert is_added()
    [session] = Session.objects.exclude(pk__in=before)
    assert (session.ended_at is not None, session.end_reason) == (True, owner.END_REASON)
    assert not Token.objects.exists()


def test_a_second_factor_by_mail_is_sent_and_an_apps_code_is_not(
    browser: Client, tenant: Tenant, customer: Customer, form: dict[str, str]
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(second_factor_policy=SecondFactor.ALWAYS)
    asked = log_in(browser, form)
    assert (asked.status_code, "Enter the code" in asked.text, is_added()) == (200, True, False)
    [code] = codes.receive(EMAIL)
    wrong = browser.post(PAGE, {**form, "handle": handle_of(asked), "code": codes.wrong(code)})
    assert (wrong.status_code, handle_of(wrong), "not the right code" in wrong.text) == (422, handle_of(asked), True)
    assert "not the right code" not in asked.text
    assert browser.post(PAGE, {**form, "handle": handle_of(asked), "code": code}).status_code == 200
    assert is_added()


def test_where_an_app_shows_the_code_none_is_mailed(browser: Client, customer: Customer) -> None:
    authenticators.enrol(customer)
    form = ask_for_log_in(customer)
    codes.receive(EMAIL)
    assert "Enter the code" in log_in(browser, form).text
    assert codes.receive(EMAIL) == []


@pytest.mark.parametrize(
    "sent",
    [
        {"password": "wrong"},
        {"email": "nobody@example.com"},
        {"handle": "made up", "code": "123456"},
        {"challenge": "made up", "code": "123456"},
    ],
    ids=str,
)
def test_what_is_wrong_is_told_with_the_form(browser: Client, form: dict[str, str], sent: dict[str, str]) -> None:
    answer = log_in(browser, form, **sent)
    assert (answer.status_code, is_added()) == (422, False)
    assert 'role="alert"' in answer.text
    assert 'role="alert"' not in browser.get(PAGE, form).text


def test_too_many_are_told_when_to_come_back(browser: Client, form: dict[str, str]) -> None:
    for _ in range(60):
        answer = log_in(browser, form, password="wrong")
        if answer.status_code != 422:
            break
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert not is_added()


@pytest.mark.parametrize("is_on", [True, False])
def test_the_form_has_the_ways_that_the_shop_has(
    browser: Client, tenant: Tenant, form: dict[str, str], is_on: bool
) -> None:
    AuthProvider.objects.create(tenant=tenant, name="password", kind="password", is_enabled=is_on)
    AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp", is_enabled=is_on)
    page = browser.get(PAGE, form).text
    assert ('name="password"' in page, "Send me a code" in page) == (is_on, is_on)


def test_a_shop_that_there_is_not_is_private_too(browser: Client, tenant: Tenant) -> None:
    answer = browser.get("/pages/nobody/log-in?token=x")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert "img-src 'self' data:;" in answer.headers["Content-Security-Policy"]
