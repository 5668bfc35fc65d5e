"""Identity providers: set up, tested, switched off; the client secret is stored and never shown."""

import re
from collections.abc import Iterator
from html import escape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from pytest_django.fixtures import Settings

from auth_providers.models import AuthProvider
from auth_providers.providers import kinds
from auth_providers.providers.kind import BuiltIn
from tenants.models import Role, Tenant
from tenants.secrets.encryption import decrypt
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
    assert set(errors) == {"entry_team_id", "entry_key_id", "client_secret"}
    errors = create(clerk, tenant, issuer="http://10.0.0.1/").context["adminform"].form.errors
    assert "Only https is called" in str(errors["issuer"])
    assert not AuthProvider.objects.exists()


SIGNS = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
GATEWAY = {"https://a.example": "https://b.example"}
APPLE = {"team_id": "TEAM123456", "key_id": "KEY1234567"}
ENTERED: list[tuple[str, dict[str, str], dict[str, Any]]] = [
    ("google", {"entry_other_client_ids": "app\r\nios"}, {"other_client_ids": ["app", "ios"]}),
    ("google", {"entry_endpoints": "https://a.example https://b.example"}, {"endpoints": GATEWAY}),
    ("webhook", {"entry_url": "https://a.example/who", "client_secret": SIGNS}, {"url": "https://a.example/who"}),
    ("apple", {f"entry_{name}": value for name, value in APPLE.items()} | {"client_secret": ""}, APPLE),
    ("google", {}, {}),
]


@pytest.mark.parametrize(("kind", "entered", "stored"), ENTERED)
def test_what_a_kind_asks_for_goes_in_and_comes_back(
    tenant: Tenant, clerk: Client, kind: str, entered: dict[str, str], stored: dict[str, Any]
) -> None:
    answer = create(clerk, tenant, kind=kind, **{"issuer": "", **entered})
    assert answer.status_code == 302, answer.context["errors"]
    provider = AuthProvider.objects.get()
    assert (provider.settings, provider.kind) == (stored, kind)
    shown = clerk.get(page(provider))
    fields = {name: field for name, field in shown.context["adminform"].form.fields.items() if name in entered}
    again = {**Page(shown).fields, **{name: value for name, value in entered.items() if name in fields}}
    assert clerk.post(page(provider), again).status_code == 302
    provider.refresh_from_db()
    assert provider.settings == stored


def test_codes_are_ticked_and_called_like_their_kind(tenant: Tenant, clerk: Client) -> None:
    body = {"tenant": str(tenant.pk), "kind": "otp", "is_enabled": "on", "entry_channels": ["email", "sms"]}
    assert clerk.post(f"{PROVIDERS}add/", body).status_code == 302
    provider = AuthProvider.objects.get()
    assert (provider.name, provider.settings) == ("otp", {"channels": ["email", "sms"]})
    assert "nothing to ask" in said(clerk.post(page(provider).replace("change", "test"), follow=True))
    assert clerk.post(page(provider), {"kind": "otp", "is_enabled": "on"}).status_code == 302
    provider.refresh_from_db()
    assert (provider.name, provider.settings) == ("otp", {})


def test_what_holds_unsaid_is_chosen_in_the_form(clerk: Client, tenant: Tenant) -> None:
    """Or else who adds text messages would switch mail off without knowing."""
    provider = AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp")
    shown = clerk.get(page(provider)).content.decode()
    chosen = re.findall(r'value="(\w+)"[^>]*id="id_entry_channels_\d"[^>]*checked', shown)
    assert chosen == ["email"], shown


def test_entries_that_no_field_asks_for_stay(tenant: Tenant, clerk: Client) -> None:
    provider = AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp", settings={"kept": [1]})
    assert clerk.post(page(provider), {"kind": "otp", "entry_channels": ["sms"]}).status_code == 302
    provider.refresh_from_db()
    assert provider.settings == {"kept": [1], "channels": ["sms"]}


def test_the_kind_stays(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    provider = AuthProvider.objects.get()
    answer = clerk.post(page(provider), {"kind": "google", "client_id": "us"})
    assert "kind" in answer.context["adminform"].form.errors
    assert AuthProvider.objects.get().kind == "oidc"


def test_every_kind_has_a_card_with_what_there_is_of_it(tenant: Tenant, other_tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    AuthProvider.objects.create(tenant=other_tenant, name="secret-of-others", kind="google", client_id="x")
    shown = Page(clerk.get(PROVIDERS))
    for kind in kinds.by_name().values():
        assert escape(kind.label) in shown.text
        assert f"{PROVIDERS}add/?kind={kind.name}" in shown.text
    assert "Change corporate" in shown.text
    assert "secret-of-others" not in shown.text
    test = page(AuthProvider.objects.get(tenant=tenant)).replace("change", "test")
    assert test in shown.actions
    assert clerk.post(test, {"next": PROVIDERS})["Location"] == PROVIDERS
    manager = Page(log_in_as(tenant, Role.MANAGER).get(PROVIDERS))
    assert ("Show corporate" in manager.text, "?kind=" in manager.text, test in manager.actions) == (True, False, False)


def test_a_form_asks_for_what_its_kind_needs_and_nothing_else(tenant: Tenant, clerk: Client) -> None:
    for kind in kinds.by_name().values():
        shown = clerk.get(f"{PROVIDERS}add/", {"kind": kind.name}).context["adminform"].form.fields
        assert set(kind.needs) <= set(shown), kind.name
        assert {f"entry_{entry.name}" for entry in kind.entries} <= set(shown)
        assert ("name" in shown) is not issubclass(kind, BuiltIn)
        assert "settings" not in shown


def test_who_may_only_look_does_not_test(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    onlooker = log_in_as(tenant, Role.MANAGER)
    provider = AuthProvider.objects.get()
    assert "/test/" not in Page(onlooker.get(page(provider))).text
    assert onlooker.post(page(provider).replace("change", "test")).status_code == 403


def test_a_provider_is_switched_off_and_not_deleted(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant)
    assert clerk.post(page(AuthProvider.objects.get()).replace("change", "delete"), {"post": "yes"}).status_code == 403
