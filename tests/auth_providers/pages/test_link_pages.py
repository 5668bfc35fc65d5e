"""The pages that links in mails lead to where a shop has none, from the mail to the button."""

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.test import Client

from auth_providers.accounts import hashing
from auth_providers.models import Account, Authenticator, Session
from auth_providers.selfservice import additional_log_in, deletion, password_reset
from customers.models import Customer
from tenants.models import Tenant
from tests import authenticators, factories
from tests.auth_providers import email_changes, mailbox
from tests.authenticators import just_logged_in
from tests.factories import CLIENT, EMAIL, PASSWORD
from tests.server_process import until

NEW, NEW_PASSWORD = "new@example.com", "another battery staple"
LINK = re.compile(r"^http://localhost:8000(/pages/acme/([a-z-]+))\?token=([\w-]{43})$", re.M)


def follow(page: str, address: str = EMAIL) -> dict[str, str]:
    """The token of the link to this page in what is sent to the address now, as the form sends it."""
    sent = [found for mail in mailbox.receive() if mail.to == [address] for found in LINK.finditer(str(mail.body))]
    [token] = [found[3] for found in sent if found[2] == page]
    return {"token": token}


def ask_for_password(customer: Customer) -> dict[str, str]:
    password_reset.request(tenant=customer.tenant, email=EMAIL, client=CLIENT)
    return follow("password")


def ask_for_email(customer: Customer) -> dict[str, str]:
    email_changes.ask(customer, NEW)
    return follow("email", NEW)


def ask_for_deletion(customer: Customer) -> dict[str, str]:
    session = factories.log_in(customer).session
    deletion.request(tenant=customer.tenant, customer=customer, session=session, client=CLIENT)
    return follow("deletion")


def ask_for_log_in(customer: Customer) -> dict[str, str]:
    session = just_logged_in(customer)
    additional_log_in.add(tenant=customer.tenant, session=session, email=NEW, password=NEW_PASSWORD, client=CLIENT)
    return follow("log-in", NEW)


def sign_up(tenant: Tenant) -> dict[str, str]:
    Tenant.objects.update(is_opt_in_required=True)
    tenant.refresh_from_db()
    factories.make_customer(tenant)
    return follow("confirm")


def rows() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (Account, Customer, Session)]


def test_a_new_password(browser: Client, customer: Customer) -> None:
    form = ask_for_password(customer)
    assert EMAIL in browser.get("/pages/acme/password", form).text
    short = browser.post("/pages/acme/password", {**form, "password": "short"})
    assert (short.status_code, "too short" in short.text) == (422, True)
    assert browser.post("/pages/acme/password", {**form, "password": NEW_PASSWORD}).status_code == 200
    assert is_right(browser, customer, NEW_PASSWORD)
    again = browser.post("/pages/acme/password", {**form, "password": NEW_PASSWORD})
    assert (again.status_code, "This link is not valid" in again.text) == (410, True)


def is_right(browser: Client, customer: Customer, password: str) -> bool:
    visit = factories.open_anonymous(customer.tenant).pair.access_token
    answer = browser.post(
        "/customer/acme/login",
        {"email": EMAIL, "password": password},
        content_type="application/json",
        headers={"Authorization": f"Bearer {visit}"},
    )
    return answer.status_code == 200


def test_an_address_of_a_sign_up(browser: Client, tenant: Tenant) -> None:
    form = sign_up(tenant)
    assert EMAIL in browser.get("/pages/acme/confirm", form).text
    assert not Account.objects.get().is_verified
    for _ in range(2):  # people click twice
        assert "is confirmed" in browser.post("/pages/acme/confirm", form).text
    assert Account.objects.get().is_verified
    assert "is confirmed" in browser.get("/pages/acme/confirm", form).text
    assert not Session.objects.exists()


def test_another_email(browser: Client, customer: Customer) -> None:
    form = ask_for_email(customer)
    shown = browser.get("/pages/acme/email", form).text
    assert (NEW in shown, "a***@example.com" in shown, EMAIL in shown) == (True, True, False)
    changed = log_in(browser, form, page="email")
    assert (changed.status_code, "the new address" in changed.text) == (200, True)
    account = Account.objects.get()
    assert (account.identifier, account.is_verified) == (NEW, True)
    assert not Session.objects.filter(ended_at=None).exists()


def test_another_email_needs_the_owner(browser: Client, customer: Customer) -> None:
    form = ask_for_email(customer)
    factories.make_customer(customer.tenant, email="grace@example.com")
    refused = [browser.post("/pages/acme/email", form), log_in(browser, form, page="email", password="wrong")]
    refused.append(log_in(browser, form, page="email", email="grace@example.com"))
    assert [each.status_code for each in refused] == [422, 422, 403]
    assert factories.account_of(customer).identifier == EMAIL


def test_another_email_needs_the_second_factor(browser: Client, customer: Customer) -> None:
    authenticators.enrol(customer)
    form = ask_for_email(customer)
    asked = log_in(browser, form, page="email")
    [handle] = re.findall(r'name="handle" value="([^"]+)"', asked.text)
    assert factories.account_of(customer).identifier == EMAIL
    code = authenticators.current_code(customer)
    assert browser.post("/pages/acme/email", {**form, "handle": handle, "code": code}).status_code == 200
    assert factories.account_of(customer).is_verified


def test_another_email_that_is_taken_meanwhile(browser: Client, customer: Customer) -> None:
    form = ask_for_email(customer)
    factories.make_customer(customer.tenant, email=NEW)
    taken = log_in(browser, form, page="email")
    assert (taken.status_code, "in use" in taken.text) == (409, True)


def test_a_deletion(browser: Client, customer: Customer) -> None:
    form = ask_for_deletion(customer)
    assert "Delete your account" in browser.get("/pages/acme/deletion", form).text
    assert browser.post("/pages/acme/deletion", form).status_code == 200
    customer.refresh_from_db()
    assert customer.erased_at
    assert browser.post("/pages/acme/deletion", form).status_code in {404, 410}


def log_in(
    browser: Client, form: dict[str, str], email: str = EMAIL, password: str = PASSWORD, page: str = "log-in"
) -> Any:
    return browser.post(f"/pages/acme/{page}", {**form, "email": email, "password": password})


def test_an_additional_log_in_needs_the_owner(browser: Client, customer: Customer) -> None:
    form = ask_for_log_in(customer)
    assert NEW in browser.get("/pages/acme/log-in", form).text
    assert log_in(browser, form, password="wrong").status_code == 422
    factories.make_customer(customer.tenant, email="grace@example.com")
    other = log_in(browser, form, email="grace@example.com")
    assert (other.status_code, "another account" in other.text) == (403, True)
    assert not Account.objects.get(identifier=NEW).is_verified
    assert log_in(browser, form).status_code == 200
    added = Account.objects.get(identifier=NEW)
    assert (added.customer, added.is_verified) == (customer, True)
    assert not Session.objects.filter(ended_at=None).exists()


def test_an_additional_log_in_needs_the_second_factor(browser: Client, customer: Customer) -> None:
    authenticators.enrol(customer)
    form = ask_for_log_in(customer)
    asked = log_in(browser, form)
    assert "Enter the code" in asked.text
    [handle] = re.findall(r'name="handle" value="([^"]+)"', asked.text)
    wrong = browser.post("/pages/acme/log-in", {**form, "handle": handle, "code": "000000"})
    assert (wrong.status_code, Account.objects.get(identifier=NEW).is_verified) == (422, False)
    Authenticator.objects.update(throttling_failure_count=0)
    code = authenticators.current_code(customer)
    assert browser.post("/pages/acme/log-in", {**form, "handle": handle, "code": code}).status_code == 200
    assert Account.objects.get(identifier=NEW).is_verified


def test_the_page_of_sign_ups_confirms_no_log_in_of_a_profile(browser: Client, customer: Customer) -> None:
    form = ask_for_log_in(customer)
    for answer in (browser.get("/pages/acme/confirm", form), browser.post("/pages/acme/confirm", form)):
        assert answer.status_code == 410
    assert Account.objects.get(identifier=NEW).is_additional


@pytest.mark.parametrize("ask", [ask_for_password, ask_for_email, ask_for_deletion, ask_for_log_in])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_opening_a_page_changes_nothing(
    browser: Client, customer: Customer, ask: Callable[[Customer], dict[str, str]], method: str
) -> None:
    form = ask(customer)
    before = rows()
    for page in ("password", "email", "deletion", "log-in", "confirm"):
        browser.generic(method, f"/pages/acme/{page}?token={form['token']}", headers={"Sec-Purpose": "prefetch"})
    assert rows() == before


@pytest.mark.parametrize("page", ["password", "email", "deletion", "log-in", "confirm"])
def test_a_token_that_never_was_or_is_of_another_tenant(
    browser: Client, customer: Customer, other_tenant: Tenant, page: str
) -> None:
    form = ask_for_password(customer)
    for tenant, token in (("acme", "unknown"), (other_tenant.code, form["token"])):
        for answer in (
            browser.get(f"/pages/{tenant}/{page}?token={token}"),
            browser.post(f"/pages/{tenant}/{page}", {"token": token}),
        ):
            assert (answer.status_code, "This link is not valid" in answer.text) == (404, True)


def test_a_shops_own_page_is_named_where_there_is_one(tenant: Tenant) -> None:
    Tenant.objects.update(password_reset_link="https://shop.example/new?t={token}")
    factories.make_customer(tenant)
    password_reset.request(tenant=tenant, email=EMAIL, client=CLIENT)
    [body] = [str(mail.body) for mail in mailbox.receive() if mail.to == [EMAIL]]
    assert re.search(r"^https://shop\.example/new\?t=[\w-]{43}$", body, re.M)


def test_too_many_passwords_at_once_leave_the_link_good(
    browser: Client, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = {**ask_for_password(customer), "password": NEW_PASSWORD}
    queue, is_busy, is_done = hashing.HashQueue(threads=1, longest=1), threading.Event(), threading.Event()

    def work() -> None:
        is_busy.set()
        is_done.wait(10)

    with ThreadPoolExecutor(2) as pool, monkeypatch.context() as full:
        pool.submit(queue.run, work, hashing.NOBODY)
        assert is_busy.wait(10)
        pool.submit(queue.run, work, hashing.NOBODY)
        until(lambda: len(queue) == 1)
        full.setattr(hashing, "queue", queue)
        answer = browser.post("/pages/acme/password", form)
        is_done.set()
    assert (answer.status_code, int(answer.headers["Retry-After"]) >= 1) == (503, True)
    assert browser.post("/pages/acme/password", form).status_code == 200
