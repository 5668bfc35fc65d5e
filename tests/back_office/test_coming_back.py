"""Buttons come back to where they were pressed: to the tab, the filter and the place in a list, and nowhere else."""

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from customers.admin.records import TABS
from customers.models import Customer
from tenants.models import Message, Tenant
from tests import factories
from tests.back_office.pages import LIST, OUTBOX, Page, button, tab_of
from tests.back_office.test_roles_and_tenants import BUTTONS, Shop, furnish
from tests.kept_rows import MAKERS, KeptRows
from tests.neighbours import make_customer_with_everything

ELSEWHERE = [
    "https://evil.example/admin/",
    "//evil.example/admin/",
    "/\\evil.example",
    "/pages/acme/",
    "javascript:x",
    "",
]
# What answers with something to read or to keep, instead of leading back.
ANSWERING = {"customers_customer_export", "tenants_apikey_secret", "auth_providers_messagetemplate_preview_html"}
# Pages that have a form of their own, and what makes the form complete.
FORMS: dict[str, dict[str, str]] = {
    "customers_customer_add_address": {"contact_name": "Ada", "country": "GB"},
    "customers_customer_change_address": {"contact_name": "Ada", "country": "GB"},
    "customers_customer_properties": {"properties": "{}", "expected_version": "1"},
    "customers_customer_mixin": {"mixins.x": '{"a": 1}', "expected_version": "1"},
    "customers_customer_erase": {"reason": "by letter"},
    "customers_customer_merge": {"other": "10000099", "reason": "one person"},
}
PRESSED = [name for name, (method, _) in BUTTONS.items() if method == "post" and name not in ANSWERING]


class Forms(HTMLParser):
    """The forms of a page that change something: where each leads, and the page that it says it was pressed on."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._action: str | None = None
        self.feed(response.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._action = given.get("action", "") if given.get("method") == "post" else None
            if self._action is not None:
                self.found.append((self._action, ""))
        if tag == "input" and given.get("name") == "next" and self._action is not None:
            self.found[-1] = (self._action, given.get("value", ""))


def make_shop(tenant: Tenant) -> Shop:
    logged_in = make_customer_with_everything(tenant, email=factories.EMAIL, phone="+442079460001")
    return furnish(tenant, logged_in.customer)


MAKERS["furnished_shop"] = lambda kept: make_shop(kept["tenant"])


@pytest.fixture
def starts_from_furnished_shop() -> None: ...


@pytest.fixture
def shop(starts_from_furnished_shop: None, tenant: Tenant, kept_rows: KeptRows) -> Shop:
    kept: Shop = kept_rows.value("furnished_shop")
    return kept


def undone(clerk: Client, path: str, body: dict[str, str]) -> Any:
    """The answer to the button, whose effect the next one does not see."""
    before = transaction.savepoint()
    try:
        return clerk.post(path, body)
    finally:
        transaction.savepoint_rollback(before)


def pages(shop: Shop) -> Iterator[str]:
    """Every page that has buttons of ours on it, with a filter or a way back of its own."""
    customer = shop.customer
    yield from (f"{tab_of(customer, name)}?show=mails" for name in dict(TABS))
    for name in ("add_address", "properties", "mixin"):
        yield f"{button(customer, name)}?next=%2Fadmin%2F"
    for model in shop.rows:
        if model not in {"customers_customer", "tenants_auditevent"}:
            yield f"{shop.address_of(f'{model}_change')}?_changelist_filters=q%3Dx"
    yield reverse("admin:auth_providers_authprovider_changelist") + "?x=y"
    yield shop.address_of("auth_providers_messagetemplate_preview")
    yield shop.address_of("tenants_tenant_signing_keys")


def test_every_button_says_where_it_was_pressed(shop: Shop, clerk: Client) -> None:
    ours, seen = {shop.address_of(name).rstrip("/"): name for name in PRESSED}, set()
    for page in pages(shop):
        response = clerk.get(page)
        assert response.status_code in (200, 302), page
        for action, said in Forms(response).found if response.status_code == 200 else ():
            if action.startswith("/admin/") and not action.endswith(("/logout/", "/switch/")):
                assert said == page, f"{action} on {page}"
                seen.add(ours.get(action.rstrip("/"), ""))
    assert len(seen) > 15


@pytest.mark.parametrize("name", [*PRESSED, *FORMS])
def test_a_button_leads_back_to_that_page_and_to_no_other_site(shop: Shop, clerk: Client, name: str) -> None:
    factories.make_customer(shop.tenant, email="grace@example.com")
    Customer.objects.exclude(pk=shop.customer.pk).update(number="10000099")
    path, here = shop.address_of(name), f"{tab_of(shop.customer, 'timeline')}?show=mails"
    if name == "customers_customer_mixin":
        path += "?schema=https%3A%2F%2Fs.example%2Fx&key=x"
    for body in (FORMS.get(name, {}), {"reason": "asked by telephone"} | FORMS.get(name, {})):
        answer = undone(clerk, path, {**body, "next": here})
        assert (answer.status_code, answer.get("Location")) == (302, here)
    for page in ELSEWHERE:
        answer = undone(clerk, path, {**body, "next": page})
        assert answer["Location"].startswith("/admin/")
        assert "evil" not in answer["Location"]


@pytest.mark.parametrize("name", ["add_address", "change_address", "properties", "erase", "merge"])
def test_a_form_keeps_the_way_back_through_an_error(shop: Shop, clerk: Client, name: str) -> None:
    here = tab_of(shop.customer, "consents")
    path = f"{shop.address_of(f'customers_customer_{name}')}?next={here}"
    other = factories.make_customer(shop.tenant, email="grace@example.com").number
    assert dict(Forms(clerk.get(f"{path}&other={other}")).found)[""] == here
    response = undone(clerk, path, {"next": here, "properties": "[", "reason": "", "other": other})
    if response.status_code == 200:
        assert dict(Forms(response).found)[""] == here
    else:
        assert response["Location"] == here


def test_actions_of_lists_come_back_to_the_filtered_page(shop: Shop, clerk: Client) -> None:
    Message.objects.filter(channel="email").update(failed_at=factories.hours_ago(1))
    for page, action in (
        (f"{LIST}?q=example&before=99999999", "end_sessions"),
        (f"{LIST}?view=new", "put_on_hold"),
        (f"{OUTBOX}?state=failed&channel__exact=email", "send_again"),
    ):
        key = shop.customer.pk if page.startswith(LIST) else Message.objects.earliest("pk").pk
        for reason in ("", "asked for"):
            body = {"action": action, "_selected_action": str(key), "index": "0", "reason": reason}
            assert undone(clerk, page, body)["Location"] == page


def test_what_is_saved_from_a_filtered_list_leads_back_to_it(shop: Shop, clerk: Client) -> None:
    for model, listed in (("customers_segment", "q=em"), ("customers_legalentity", "q=en"), ("tenants_apikey", "q=s")):
        page = shop.address_of(f"{model}_change")
        filtered = f"{page}?_changelist_filters={listed.replace('=', '%3D')}"
        answer = undone(clerk, filtered, Page(clerk.get(filtered)).fields)
        assert answer.status_code == 302, answer.context["errors"]
        assert answer["Location"] == f"{reverse(f'admin:{model}_changelist')}?{listed}"
