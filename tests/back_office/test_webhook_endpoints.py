"""Webhook endpoints: the secret is made by us and shown once; the button says whether an event was taken."""

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from auth_providers.models import WebhookEndpoint
from tenants.models import Role, Tenant
from tenants.secrets.encryption import decrypt
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import Page
from tests.shop_endpoint import Shop

ENDPOINTS = "/admin/auth_providers/webhookendpoint/"
OURS = {"name": "ours", "url": r"http://127.0.0.2:8877\@127.0.0.1/hook"}
SHOWN = re.compile(r"shown this once: (whsec_[\w+/=]{44})")


def create(clerk: Client, tenant: Tenant, **fields: str) -> Any:
    given = {"tenant": str(tenant.pk), "name": "erp", "url": "https://erp.example/hook", "is_enabled": "on"}
    return clerk.post(f"{ENDPOINTS}add/", given | fields, follow=True)


def page(name: str = "change") -> str:
    return f"{ENDPOINTS}{WebhookEndpoint.objects.get().pk}/{name}/"


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def secret_in(response: Any) -> str:
    found = SHOWN.search(said(response))
    assert found
    return found[1]


def test_an_endpoint_is_set_up_and_its_secret_shown_once(tenant: Tenant, clerk: Client) -> None:
    secret = secret_in(create(clerk, tenant))
    endpoint = WebhookEndpoint.objects.get()
    assert decrypt(endpoint.secret_encrypted) == secret
    shown = clerk.get(page()).content.decode()
    assert secret not in shown
    assert endpoint.secret_encrypted not in shown
    clerk.post(page(), {"url": "https://other.example/hook", "name": "forged", "secret_encrypted": "x"})
    endpoint.refresh_from_db()
    assert (endpoint.name, endpoint.url, endpoint.is_enabled) == ("erp", "https://other.example/hook", False)
    assert decrypt(endpoint.secret_encrypted) == secret


def test_the_test_event_is_taken(tenant: Tenant, clerk: Client, shop: Shop) -> None:
    secret = secret_in(create(clerk, tenant, url=shop.url))
    assert page("test") in Page(clerk.get(page())).actions
    assert "It took the event." in said(clerk.post(page("test"), follow=True))
    (event,) = shop.verified(secret)
    assert (event["type"], event["data"]) == ("test", {"endpoint": "erp"})


def test_the_test_event_is_not_taken(tenant: Tenant, clerk: Client, shop: Shop, settings: Settings) -> None:
    create(clerk, tenant, url=shop.url)
    shop.answer = (500, {})
    assert "answered 500" in said(clerk.post(page("test"), follow=True))
    settings.ALLOWED_PROVIDER_HOSTS = []
    assert "https only" in said(clerk.post(page("test"), follow=True))
    assert len(shop.bodies) == 1


def test_a_new_secret_replaces_the_old_one(tenant: Tenant, clerk: Client, shop: Shop) -> None:
    old = secret_in(create(clerk, tenant, url=shop.url))
    new = secret_in(clerk.post(page("secret"), follow=True))
    assert new != old
    clerk.post(page("test"))
    assert shop.verified(new)


@pytest.mark.parametrize("button", ["test", "secret"])
def test_who_may_only_look_presses_no_button(tenant: Tenant, clerk: Client, button: str) -> None:
    create(clerk, tenant)
    onlooker = log_in_as(tenant, Role.MANAGER)
    assert page(button) not in Page(onlooker.get(page())).actions
    assert onlooker.post(page(button)).status_code == 403
    assert clerk.get(page(button)).status_code == 405
    assert clerk.post(f"{ENDPOINTS}999/{button}/").status_code == 404


@pytest.mark.parametrize("change", [{"name": ""}, {"url": "nonsense"}, {"name": "erp"}, OURS])
def test_an_endpoint_that_is_none(tenant: Tenant, clerk: Client, change: dict[str, str]) -> None:
    create(clerk, tenant)
    answer = create(clerk, tenant, **change)
    assert answer.context["adminform"].form.errors
    assert WebhookEndpoint.objects.count() == 1
