"""Pages: what they show, and that their strict content security policy blocks nothing of them."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from customers.models import Customer
from tenants.models import Message, Role
from tenants.outbox import queue, worker
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import (
    COMPANIES,
    LIST,
    OUTBOX,
    PROVIDERS,
    SCHEMAS,
    STAFF_TRAIL,
    TEMPLATES,
    TRAIL,
    Page,
    page_of,
)

PASSWORD_OF_THE_DEMO = "shown-on-the-card"
PAGES = [
    "/",
    "/nowhere",
    "/admin/nowhere/",
    "/admin/",
    LIST,
    f"{LIST}?q=ada",
    TRAIL,
    STAFF_TRAIL,
    OUTBOX,
    *(COMPANIES, PROVIDERS, SCHEMAS, TEMPLATES),
    *(f"{path}add/" for path in (COMPANIES, SCHEMAS, TEMPLATES)),
    f"{TEMPLATES}add/?template=password_reset&language=de",
    *(f"{PROVIDERS}add/?kind={kind}" for kind in ("google", "otp", "webhook")),
    *("/admin/tenants/tenant/", "/admin/tenants/tenant/add/", "/admin/tenants/apikey/add/"),
    "/admin/tenants/tenant/add/",
    "/admin/tenants/apikey/add/",
    "/admin/auth/user/",
    "/admin/tenants/staffauthenticator/add/",
    "/admin/password_change/",
]


def assert_strict(client: Client, path: str) -> None:
    assert_strict_policy(client.get(path, headers={"Accept": "text/html"}))


def assert_strict_policy(response: Any) -> None:
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert response["X-Frame-Options"] == "DENY"
    page = Page(response)
    assert "<html" in page.text
    assert page.inline == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_a_strict_policy_and_nothing_inline(customer: Customer, clerk: Client, path: str) -> None:
    assert_strict(clerk, path)


def test_the_pages_of_one_thing_do_too(customer: Customer, clerk: Client) -> None:
    for path in (
        page_of(customer),
        page_of(customer).replace("change", "erase"),
        f"/admin/tenants/tenant/{customer.tenant_id}/change/",
        "/admin/auth/user/add/",
    ):
        assert_strict(clerk, path)


@pytest.mark.parametrize("is_on", [True, False])
def test_the_log_in_does_too(db: None, settings: Settings, is_on: bool) -> None:
    settings.STAFF_SECOND_FACTOR = is_on
    assert_strict(Client(), "/admin/login/")


def test_the_start_page_shows_the_card_in_the_demo_only(db: None, settings: Settings) -> None:
    settings.DEMO_STAFF_PASSWORD = PASSWORD_OF_THE_DEMO
    assert PASSWORD_OF_THE_DEMO not in Page(Client().get("/")).text
    settings.DEMO = True
    assert PASSWORD_OF_THE_DEMO in Page(Client().get("/")).text


def test_the_start_page_sets_no_cookie(db: None) -> None:
    assert not Client().get("/").cookies


@pytest.mark.parametrize("path", ["/nowhere", "/admin/nowhere/"])
def test_a_wrong_address_is_404_with_a_link_to_the_start_page(clerk: Client, path: str) -> None:
    response = clerk.get(path, headers={"Accept": "text/html"})
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()
    assert 'href="/"' in response.content.decode()


def test_the_trail_is_read_only(customer: Customer, clerk: Client) -> None:
    event = clerk.get(TRAIL).context["cl"].result_list[0]
    assert clerk.get(f"{TRAIL}{event.pk}/change/").status_code == 200
    assert clerk.post(f"{TRAIL}{event.pk}/change/", {"reason": "another"}).status_code == 403
    assert clerk.get(f"{TRAIL}add/").status_code == 403
    assert clerk.post(f"{TRAIL}{event.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_trail_is_found_by_number_and_by_staff(customer: Customer, clerk: Client) -> None:
    clerk.get(page_of(customer))
    by_number = clerk.get(TRAIL, {"q": customer.number}).context["cl"].result_list
    by_staff = clerk.get(TRAIL, {"q": "clara"}).context["cl"].result_list
    assert {event.action for event in by_number} == {"sign_up", "view_profile"}
    assert [event.action for event in by_staff] == ["view_profile"]
    assert not clerk.get(TRAIL, {"q": "99999999"}).context["cl"].result_list


def test_the_outbox_says_what_became_of_a_message_and_leads_to_its_customer(customer: Customer, clerk: Client) -> None:
    mail = queue.enqueue(tenant=customer.tenant, template="new_device", recipient="ada@example.com", context={})
    shown: dict[str, dict[str, Any]] = {
        "sent at": {"sent_at": timezone.now()},
        "given up at": {"failed_at": timezone.now(), "sent_at": None},
        "dropped at": {"dropped_at": timezone.now(), "failed_at": None},
        "waiting, tried 2 times": {"dropped_at": None, "attempts": 2},
    }
    for words, change in shown.items():
        Message.objects.filter(pk=mail.pk).update(last_error="450 full", **change)
        page = clerk.get(OUTBOX)
        text = page.content.decode()
        assert all(each in text for each in (words, "450 full", "<h1>Outbox</h1>", mail.template.replace("_", " ")))
        there = reverse("admin:customers_customer_changelist", query={"q": mail.recipient})
        assert f'<a href="{there}">{mail.recipient}</a>' in text
    assert list(clerk.get(there).context["cl"].result_list) == [customer]


@pytest.mark.parametrize(
    ("reason", "words"), [("the code had expired", ": the code had expired<"), ("", ": there was nothing to send any")]
)
def test_the_outbox_says_why_a_message_was_dropped_and_does_not_call_it_an_error(
    customer: Customer, clerk: Client, reason: str, words: str
) -> None:
    mail = queue.enqueue(tenant=customer.tenant, template="log_in_code", recipient="ada@example.com", context={})
    Message.objects.filter(pk=mail.pk).update(dropped_at=timezone.now(), last_error=reason)
    text = clerk.get(OUTBOX).content.decode()
    assert words in text
    assert text.count("the code had expired") == bool(reason)


def test_a_text_message_and_a_webhook_are_told_from_a_mail(customer: Customer, clerk: Client) -> None:
    mail = queue.enqueue(tenant=customer.tenant, template="new_device", recipient="ada@example.com", context={})
    Message.objects.filter(pk=mail.pk).update(channel="sms", template="log_in_code.sms", recipient="+49171")
    assert "log in code (text message)" in clerk.get(OUTBOX).content.decode()
    Message.objects.filter(pk=mail.pk).update(channel="webhook", recipient="crm")
    assert "?q=crm" not in clerk.get(OUTBOX).content.decode()


def test_the_outbox_is_read_only_and_tells_no_secrets(customer: Customer, clerk: Client) -> None:
    queue.enqueue(tenant=customer.tenant, template="new_device", recipient="ada@example.com", context={"at": "SECRET"})
    row = clerk.get(OUTBOX).context["cl"].result_list[0]
    shown = clerk.get(f"{OUTBOX}{row.pk}/change/").content.decode()
    assert "ada@example.com" in shown
    assert "SECRET" not in shown
    assert row.context_encrypted not in shown
    assert clerk.post(f"{OUTBOX}{row.pk}/change/", {"recipient": "x@example.com"}).status_code == 403
    assert clerk.get(f"{OUTBOX}add/").status_code == 403
    assert clerk.post(f"{OUTBOX}{row.pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize(("state", "count"), [("waiting", 1), ("sent", 0), ("failed", 0), ("dropped", 1)])
def test_the_outbox_is_filtered_by_state(customer: Customer, clerk: Client, state: str, count: int) -> None:
    queue.enqueue(tenant=customer.tenant, template="password_reset", recipient="nobody@example.com")
    worker.send_due()
    queue.enqueue(tenant=customer.tenant, template="new_device", recipient="ada@example.com", context={})
    assert len(clerk.get(OUTBOX, {"state": state}).context["cl"].result_list) == count


@pytest.mark.parametrize("typed", ["Vera@Straße.example", "vera@xn--strae-oqa.example"])
def test_a_recipient_is_found_in_any_spelling(customer: Customer, clerk: Client, typed: str) -> None:
    queue.enqueue(tenant=customer.tenant, template="new_device", recipient="vera@straße.example", context={})
    assert len(clerk.get(OUTBOX, {"q": typed}).context["cl"].result_list) == 1


def test_a_session_of_staff_is_no_customer(clerk: Client, customer: Customer) -> None:
    assert User.objects.filter(username="clara").exists()
    assert clerk.get("/customer/acme/me").status_code == 401


def test_what_one_may_not_see_is_told_on_a_page(customer: Customer) -> None:
    viewer = log_in_as(customer.tenant, Role.VIEWER)
    response = viewer.get("/admin/auth/user/", headers={"Accept": "text/html"})
    assert response.status_code == 403
    assert "You may not see this page" in response.content.decode()


def test_a_form_without_the_pages_token_is_told_to_be_out_of_date(customer: Customer) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/admin/login/", {"username": "clara"}, headers={"Accept": "text/html"})
    assert response.status_code == 403
    assert "This form is out of date" in response.content.decode()
    assert_strict_policy(response)


@pytest.mark.parametrize("path", ["/", "/docs/"])
def test_code_in_the_description_of_a_contract_is_shown_as_code(db: None, path: str) -> None:
    shown = Client().get(path).content.decode()
    assert "<code>/docs/events/schemas/{type}/1.json</code>" in shown
    assert "`" not in shown.partition("<table>")[2]
