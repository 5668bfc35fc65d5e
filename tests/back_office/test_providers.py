"""Identity providers: set up, tested, switched off; the client secret is stored and never shown."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django.fixtures import Settings

from auth_providers.models import AuthProvider
from tenants.encryption import decrypt
from tenants.models import Role, Tenant
from tests import oidc_provider
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import PROVIDERS, Page

SECRET = "a client secret"


@pytest.fixture(scope="module")
def running() -> Iterator[oidc_provider.Provider]:
    with oidc_provider.running() as provider:
        yield provider


def create(clerk: Client, tenant: Tenant, **fields: str) -> Any:
    given = {
        "tenant": str(tenant.pk),
        "name": "corporate",
        "kind": "oidc",
        "is_enabled": "on",
        "issuer": "https://id.example",
        "client_id": "us",
        "client_secret": SECRET,
        "redirect_uris": " https://shop.example/callback\r\n\r\ncom.acme.app:/back ",
        "authorized_parties": "one\ntwo",
    }
    return clerk.post(f"{PROVIDERS}add/", {**given, **fields})


def page(provider: AuthProvider) -> str:
    return f"{PROVIDERS}{provider.pk}/change/"


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_a_provider_is_set_up(tenant: Tenant, clerk: Client) -> None:
    assert create(clerk, tenant).status_code == 302
    provider = AuthProvider.objects.get()
    assert (provider.tenant, provider.name, provider.issuer) == (tenant, "corporate", "https://id.example")
    assert provider.redirect_uris == ["https://shop.example/callback", "com.acme.app:/back"]
    assert provider.authorized_parties == ["one", "two"]
    assert provider.is_enabled
    assert not provider.is_provisioning
    assert decrypt(provider.client_secret_encrypted) == SECRET


def test_the_secret_is_never_shown_and_stays_when_left_empty(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    provider = AuthProvider.objects.get()
    shown = clerk.get(page(provider)).content.decode()
    assert SECRET not in shown
    assert provider.client_secret_encrypted not in shown
    body = {"kind": "oidc", "issuer": "https://other.example", "client_id": "us", "redirect_uris": "", "name": "forged"}
    assert clerk.post(page(provider), body).status_code == 302
    provider.refresh_from_db()
    assert decrypt(provider.client_secret_encrypted) == SECRET
    assert (provider.issuer, provider.redirect_uris, provider.is_enabled) == ("https://other.example", [], False)
    assert (provider.name, provider.tenant) == ("corporate", tenant)
    clerk.post(page(provider), {**body, "client_secret": "a new one"})
    provider.refresh_from_db()
    assert decrypt(provider.client_secret_encrypted) == "a new one"
    assert not [entry for entry in LogEntry.objects.all() if "a new one" in entry.change_message]


def test_a_refused_form_does_not_give_the_secret_back(tenant: Tenant, clerk: Client) -> None:
    response = create(clerk, tenant, issuer="nonsense")
    assert response.context["adminform"].form.errors["issuer"]
    assert SECRET not in response.content.decode()
    assert not AuthProvider.objects.exists()


@pytest.mark.parametrize("uri", ["/callback", "https://shop.example/#x", "https://*.shop.example/"])
def test_a_redirect_uri_must_be_exact(tenant: Tenant, clerk: Client, uri: str) -> None:
    response = create(clerk, tenant, redirect_uris=f"https://shop.example/\n{uri}")
    assert uri in str(response.context["adminform"].form.errors["redirect_uris"])
    assert not AuthProvider.objects.exists()


@pytest.mark.parametrize("name", ["password", "corporate"])
def test_a_name_is_free_and_new(tenant: Tenant, clerk: Client, name: str) -> None:
    create(clerk, tenant)
    assert create(clerk, tenant, name=name).status_code == 200
    assert AuthProvider.objects.count() == 1


def test_the_list_of_uris_reads_line_by_line(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    shown = clerk.get(page(AuthProvider.objects.get())).content.decode()
    assert "https://shop.example/callback\ncom.acme.app:/back" in shown


def test_the_button_says_that_it_works(
    tenant: Tenant, clerk: Client, running: oidc_provider.Provider, settings: Settings
) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    create(clerk, tenant, issuer=running.issuer)
    test = page(AuthProvider.objects.get()).replace("change", "test")
    assert test in Page(clerk.get(page(AuthProvider.objects.get()))).actions
    assert "It answers, with 1 keys" in said(clerk.post(test, follow=True))
    assert clerk.get(test).status_code == 405


def test_the_button_says_what_is_wrong_and_calls_nothing_of_ours(
    tenant: Tenant, clerk: Client, running: oidc_provider.Provider, settings: Settings
) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    create(clerk, tenant, issuer=running.issuer)
    settings.ALLOWED_PROVIDER_HOSTS = []
    test = page(AuthProvider.objects.get()).replace("change", "test")
    assert "It does not work" in (words := said(clerk.post(test, follow=True)))
    assert "https only" in words


def test_what_a_kind_needs_is_said_on_its_field(tenant: Tenant, clerk: Client) -> None:
    errors = create(clerk, tenant, kind="apple", issuer="", client_secret="no key").context["adminform"].form.errors
    assert set(errors) == {"settings", "client_secret"}
    assert "team_id" in str(errors["settings"])
    errors = create(clerk, tenant, issuer="http://10.0.0.1/").context["adminform"].form.errors
    assert "Only https is called" in str(errors["issuer"])
    assert not AuthProvider.objects.exists()


def test_settings_go_in_and_come_back(tenant: Tenant, clerk: Client) -> None:
    entered = {"channels": ["email", "sms"]}
    assert create(clerk, tenant, name="otp", kind="otp", issuer="", settings=json.dumps(entered)).status_code == 302
    provider = AuthProvider.objects.get()
    assert provider.settings == entered
    assert "&quot;sms&quot;" in clerk.get(page(provider)).content.decode()
    assert "nothing to ask" in said(clerk.post(page(provider).replace("change", "test"), follow=True))


def test_who_may_only_look_does_not_test(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    onlooker = log_in_as(tenant, Role.MANAGER)
    provider = AuthProvider.objects.get()
    assert "/test/" not in Page(onlooker.get(page(provider))).text
    assert onlooker.post(page(provider).replace("change", "test")).status_code == 403


def test_a_provider_is_switched_off_and_not_deleted(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    assert clerk.post(page(AuthProvider.objects.get()).replace("change", "delete"), {"post": "yes"}).status_code == 403
