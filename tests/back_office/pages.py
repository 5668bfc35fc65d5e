"""Reading pages as a browser does: what a form would send, and what a strict policy would refuse."""

from html.parser import HTMLParser
from typing import Any

from django.urls import reverse

from customers.models import Customer

LIST = "/admin/customers/customer/"
TRAIL = "/admin/tenants/auditevent/"
STAFF_TRAIL = "/admin/tenants/staffevent/"
COMPANIES = "/admin/customers/legalentity/"
SCHEMAS = "/admin/customers/mixinschema/"
FLOWS = "/admin/auth_providers/flow/"
PROVIDERS = "/admin/auth_providers/authprovider/"
TEMPLATES = "/admin/auth_providers/messagetemplate/"
OUTBOX = "/admin/tenants/message/"


def page_of(customer: Customer) -> str:
    return reverse("admin:customers_customer_change", args=[customer.pk])


def tab_of(customer: Customer, name: str) -> str:
    return reverse(f"admin:customers_customer_{name}", args=[customer.pk])


def action_of(customer: Customer, name: str) -> str:
    return reverse("admin:customers_customer_action", args=[customer.pk, name])


def button(customer: Customer, name: str, *args: Any) -> str:
    return reverse(f"admin:customers_customer_{name}", args=[customer.pk, *args])


class Page(HTMLParser):
    """A rendered page: the fields of its forms, where its forms lead, and everything inline."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.actions: list[str] = []
        self.inline: list[str] = []
        self._element = self._select = ""
        self.text = response.content.decode()
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._element = "script" if tag == "script" and "src" not in given else tag if tag == "style" else ""
        self.inline += [f"<{tag} {name}>" for name in given if name == "style" or name.startswith("on")]
        if tag == "form":
            self.actions.append(given.get("action", ""))
        if tag == "select" and "multiple" not in given:
            self._select = given.get("name", "")
        if tag == "option" and self._select and ("selected" in given or self._select not in self.fields):
            self.fields[self._select] = given.get("value", "")
        if tag == "input" and given.get("type") not in {"submit", "checkbox"} and given.get("name"):
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._element = ""
        self._select = "" if tag == "select" else self._select

    def handle_data(self, data: str) -> None:
        if self._element and data.strip():
            self.inline.append(data)
