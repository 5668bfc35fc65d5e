"""A shop is set up in the browser: section by section, in a shop's words, with secrets that are shown once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.utils import timezone

from config.staff import back_office
from tenants import api_keys, signing_keys
from tenants.admin.shop_forms import SECTIONS
from tenants.back_office import durations
from tenants.models import ApiKey, AuditEvent, Role, Scope, SigningKey, Tenant
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import Page

SHOPS, KEYS = "/admin/tenants/tenant/", "/admin/tenants/apikey/"
IN_EVERY_SECTION = [name for name in SECTIONS if name != "change"]
# What a shop says nothing of: the number and the moments are ours, the passwords' kinds come with an import.
NOT_SHOWN = {"id", "code", "number", "created_at", "has_imported_hashes"}


def section(tenant: Tenant, name: str) -> str:
    return f"{SHOPS}{tenant.pk}/{name.replace('_', '-')}/"


def shown(client: Client, path: str) -> dict[str, str]:
    """What the form would send as it is."""
    form = client.get(path).context["adminform"].form
    fields: dict[str, str] = {}
    for name, field in form.fields.items():
        value = field.prepare_value(form[name].initial)
        fields |= {name: "on"} if value is True else {} if value is None or value is False else {name: str(value)}
    return fields


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (90, "1 minute 30 seconds"),
        (3600, "1 hour"),
        (30 * 86_400, "30 days"),
        (90_061, "1 day 1 hour 1 minute 1 second"),
    ],
)
def test_periods_are_said_in_words_and_understood(seconds: int, words: str) -> None:
    assert durations.in_words(seconds) == words
    assert durations.seconds_of(words) == seconds


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("2h", 7200), ("1 day, 6 hours", 108_000), ("1 HOUR and 5 min", 3900), (" 30  d ", 2_592_000)],
)
def test_periods_are_understood_as_people_write_them(words: str, seconds: int) -> None:
    assert durations.seconds_of(words) == seconds


@pytest.mark.parametrize("words", ["", "30", "days", "30 moons", "1 day 5", "-1 day", "1.5 hours", "day 1"])
def test_what_is_no_period_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(words)}$"):
        durations.seconds_of(words)


def test_every_field_of_a_tenant_is_in_one_section() -> None:
    listed = [name for _, words in SECTIONS.values() for name in words]
    assert sorted(listed) == sorted({field.name for field in Tenant._meta.concrete_fields} - NOT_SHOWN)


@pytest.mark.parametrize("name", IN_EVERY_SECTION)
def test_a_section_is_saved_as_it_is_and_changes_nothing(tenant: Tenant, clerk: Client, name: str) -> None:
    before = Tenant.objects.values().get(pk=tenant.pk)
    page = clerk.get(section(tenant, name))
    assert (page.status_code, Page(page).inline) == (200, [])
    answer = clerk.post(section(tenant, name), shown(clerk, section(tenant, name)))
    assert answer.status_code == 302, answer.context["errors"]
    assert answer["Location"] == section(tenant, name)
    assert Tenant.objects.values().get(pk=tenant.pk) == before


def test_a_lifetime_is_changed_in_words_and_is_on_the_trail(tenant: Tenant, clerk: Client) -> None:
    path = section(tenant, "lifetimes")
    fields = shown(clerk, path)
    assert (fields["session_lifetime"], fields["session_idle_limit"]) == ("180 days", "never")
    clerk.post(path, {**fields, "session_lifetime": "2 days 12 hours", "session_idle_limit": "30 min"})
    tenant.refresh_from_db()
    assert (tenant.session_lifetime, tenant.session_idle_limit) == (60 * 3600, 1800)
    event = AuditEvent.objects.get(tenant=tenant, action="change_tenant")
    assert (event.staff_username, event.reason) == (
        "clara",
        "acme: Log in again after, Log in again when nothing was done for",
    )
    answer = clerk.post(path, {**fields, "session_lifetime": "soon", "session_idle_limit": "1 minute"})
    errors = answer.context["adminform"].form.errors
    assert "such as 30 days" in str(errors["session_lifetime"])


def test_a_section_changes_nothing_of_another(tenant: Tenant, clerk: Client) -> None:
    clerk.post(section(tenant, "codes"), {**shown(clerk, section(tenant, "codes")), "name": "Forged", "code": "forged"})
    tenant.refresh_from_db()
    assert (tenant.name == "Forged", tenant.code) == (False, "acme")


def test_missing_pages_of_the_storefront_are_told(tenant: Tenant, clerk: Client) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(opt_in_link="https://shop.example/confirm?t={token}", deletion_link="")
    text = Page(clerk.get(section(tenant, "mail"))).text
    assert "Page that confirms a deletion: none yet" in text
    assert "Page that confirms a sign-up: none yet" not in text


def test_no_label_is_the_name_of_a_column(tenant: Tenant, clerk: Client) -> None:
    """Such as "Is signup enumeration safe"."""
    found = []
    for model, page in admin.site._registry.items():
        request: Any = clerk.get(SHOPS).wsgi_request
        if page.has_add_permission(request):
            for name, field in page.get_form(request)().fields.items():
                label = str(field.label or "")
                found += [f"{model.__name__}.{name}"] if re.match(r"(Is|Has) \w", label) else []
    for name in SECTIONS:
        form = clerk.get(section(tenant, name)).context["adminform"].form
        found += [key for key, field in form.fields.items() if "_" in str(field.label) or str(field.label)[:3] == "Is "]
    assert found == []


NEW = {
    "code": "beta",
    "name": "Beta",
    "time_zone": "Europe/Warsaw",
    "default_language": "pl_PL",
    "default_currency": "PLN",
    "default_country": "PL",
}


def test_an_operator_adds_a_shop_and_works_for_it(tenant: Tenant, clerk: Client) -> None:
    assert "Add a shop" in Page(clerk.get(f"{SHOPS}add/")).text
    answer = clerk.post(f"{SHOPS}add/", NEW)
    assert answer.status_code == 302, answer.context["errors"]
    made = Tenant.objects.get(code="beta")
    assert (made.name, made.time_zone, made.default_currency) == ("Beta", "Europe/Warsaw", "PLN")
    assert SigningKey.objects.for_tenant(made).count() == 1
    assert answer["Location"] == section(made, "change")
    assert 'value="beta"' in Page(clerk.get("/admin/")).text
    assert AuditEvent.objects.get(tenant=made, action="add_tenant").staff_username == "clara"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "acme"}, "code"),
        ({"code": "No Code"}, "code"),
        ({"code": "platform"}, "code"),
        ({"default_currency": "ABC"}, "default_currency"),
        ({"default_country": "ZZ"}, "default_country"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"name": ""}, "name"),
    ],
)
def test_a_shop_that_cant_be_is_refused(tenant: Tenant, clerk: Client, changes: dict[str, str], field: str) -> None:
    answer = clerk.post(f"{SHOPS}add/", {**NEW, **changes})
    assert list(answer.context["adminform"].form.errors) == [field]
    assert Tenant.objects.count() == 1


# -- keys -------------------------------------------------------------------------------------------------------------


def make_key(client: Client, tenant: Tenant, **fields: Any) -> Any:
    return client.post(
        f"{KEYS}add/", {"tenant": tenant.pk, "client_id": "web", "name": "Web", "is_active": "on", **fields}
    )


def secret_in(page: Any) -> str:
    found = re.search(r'<code id="secret">([^<]+)</code>', Page(page).text)
    return found[1] if found else ""


def test_a_secret_is_shown_once_and_opens_what_was_ticked(tenant: Tenant, clerk: Client) -> None:
    page = make_key(clerk, tenant, has_secret="on", scopes=["events"])
    secret = secret_in(page)
    assert "no-store" in page["Cache-Control"]
    key = api_keys.authenticate(tenant=tenant, secret=secret, scope=Scope.EVENTS)
    assert (key.client_id, secret in Page(clerk.get(f"{KEYS}{key.pk}/change/")).text) == ("web", False)
    again = secret_in(clerk.post(f"{KEYS}{key.pk}/secret/"))
    assert again
    assert again != secret
    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.authenticate(tenant=tenant, secret=secret, scope=Scope.EVENTS)
    actions = AuditEvent.objects.filter(tenant=tenant, action__contains="api_key").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["add_api_key", "replace_api_key_secret"]
    assert not [event for event in AuditEvent.objects.all() if secret in event.reason or again in event.reason]


def test_a_storefronts_key_has_no_secret_and_opens_nothing_more(tenant: Tenant, clerk: Client) -> None:
    assert secret_in(make_key(clerk, tenant)) == ""
    key = ApiKey.objects.get(tenant=tenant, client_id="web")
    assert key.secret_hash == ""
    assert clerk.post(f"{KEYS}{key.pk}/secret/").status_code == 403
    refused = make_key(clerk, tenant, client_id="other", scopes=["events"], is_forwarding_trusted="on")
    assert set(refused.context["adminform"].form.errors) == {"scopes", "is_forwarding_trusted"}
    assert not ApiKey.objects.filter(client_id="other").exists()


def test_a_key_is_switched_off_and_keeps_its_id_and_secret(tenant: Tenant, clerk: Client) -> None:
    secret = secret_in(make_key(clerk, tenant, has_secret="on", scopes=["events"]))
    key = ApiKey.objects.get(tenant=tenant, client_id="web")
    body = {"client_id": "forged", "name": "Server", "scopes": ["events"], "is_active": "on"}
    assert clerk.post(f"{KEYS}{key.pk}/change/", body).status_code == 302
    assert api_keys.authenticate(tenant=tenant, secret=secret, scope=Scope.EVENTS).name == "Server"
    clerk.post(f"{KEYS}{key.pk}/change/", {**body, "is_active": ""})
    with pytest.raises(api_keys.InvalidApiKey):
        api_keys.authenticate(tenant=tenant, secret=secret, scope=Scope.EVENTS)
    assert ApiKey.objects.get(pk=key.pk).client_id == "web"


def test_signing_keys_show_their_age_and_rotate_once(tenant: Tenant, clerk: Client) -> None:
    signing_keys.create(tenant=tenant)
    SigningKey.objects.for_tenant(tenant).update(created_at=timezone.now() - timedelta(days=400))
    path = section(tenant, "signing_keys")
    assert "400 days" in Page(clerk.get(path)).text
    for words in ("A new key takes over at", "A key waits already"):
        answer = clerk.post(section(tenant, "rotate_key"), follow=True)
        assert words in Page(answer).text
    assert "signs soon, from" in Page(clerk.get(path)).text
    assert AuditEvent.objects.filter(tenant=tenant, action="rotate_signing_key").count() == 1


def test_compromised_keys_are_replaced_by_who_types_the_shops_code(tenant: Tenant, clerk: Client) -> None:
    old = signing_keys.create(tenant=tenant)
    path = section(tenant, "replace_keys")
    clerk.post(path, {"code": "beta"})
    assert not SigningKey.objects.get(pk=old.pk).is_revoked
    clerk.post(path, {"code": " ACME "})
    assert SigningKey.objects.get(pk=old.pk).is_revoked
    assert signing_keys.current(tenant=tenant).pk != old.pk
    assert AuditEvent.objects.filter(tenant=tenant, action="replace_signing_keys").count() == 1


def test_the_sections_stand_on_every_page_of_the_set_up(tenant: Tenant, clerk: Client) -> None:
    names = ["authprovider", "webhookendpoint"]
    for path in [section(tenant, "mail"), KEYS, *(f"/admin/auth_providers/{name}/" for name in names)]:
        text = Page(clerk.get(path)).text
        assert 'aria-label="Shop set-up"' in text
        marked = text.partition('aria-label="Shop set-up"')[2].partition("</nav>")[0].count('aria-current="page"')
        assert marked == 1, path
    assert (
        'aria-label="Shop set-up"'
        not in Page(log_in_as(tenant, Role.MANAGER).get("/admin/auth_providers/authprovider/")).text
    )


def test_every_page_is_in_the_menu_once(tenant: Tenant, clerk: Client) -> None:
    listed = [name for names in back_office.MENU.values() for name in names]
    assert sorted(listed) == sorted(model.__name__ for model in admin.site._registry)
    shown = [part["name"] for part in clerk.get("/admin/").context["app_list"]]
    assert shown == ["Customers", "Mail", "Shop set-up", "Staff", "Trail"]
