"""Each role, at each address of the back office, for each tenant, from the URL configuration: a page that is not in the
table fails."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, models
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from auth_providers.models import AuthProvider, Flow, MessageTemplate, Session, WebhookEndpoint
from customers.models import Customer, CustomerIdentifier, LegalEntity, MixinSchema, Segment
from tenants import api_keys, isolation
from tenants.back_office.rows import OfTenant
from tenants.compiled.prepared import PreparedCursor
from tenants.models import ApiKey, AuditEvent, MailSuppression, Message, Role, StaffInvitation, StaffMembership, Tenant
from tenants.secrets.encryption import encrypt
from tests import factories
from tests.back_office.conftest import log_in_as
from tests.neighbours import Neighbours, all_rows, make_customer_with_everything

NOBODY, OPERATOR = "nobody", "operator"
VIEWER, SUPPORT, MANAGER, OWNER = Role
ROLES = [NOBODY, *Role, OPERATOR]
RANK = {role: rank for rank, role in enumerate(ROLES)}
# The verb of each page of Django's, in the order of `PAGES`.
VERBS = ("changelist", "add", "history", "delete", "change")

# Who may use them at least, in that order; None for what nobody may. A list that is read-only has no page to add.
PAGES: dict[str, tuple[str | None, ...]] = {
    "customers_customer": (VIEWER, None, VIEWER, None, VIEWER),
    "customers_segment": (VIEWER, MANAGER, VIEWER, MANAGER, VIEWER),
    "customers_legalentity": (VIEWER, MANAGER, VIEWER, MANAGER, VIEWER),
    "customers_mixinschema": (OWNER, OWNER, OWNER, None, OWNER),
    "customers_postalcode": (OPERATOR, None, OPERATOR, None, OPERATOR),
    "auth_providers_authprovider": (MANAGER, OWNER, MANAGER, None, MANAGER),
    "auth_providers_flow": (MANAGER, OWNER, MANAGER, OWNER, MANAGER),
    "auth_providers_messagetemplate": (MANAGER, MANAGER, MANAGER, MANAGER, MANAGER),
    "auth_providers_webhookendpoint": (MANAGER, OWNER, MANAGER, OWNER, MANAGER),
    "tenants_tenant": (OWNER, OPERATOR, OWNER, None, OWNER),
    "tenants_apikey": (OWNER, OWNER, OWNER, None, OWNER),
    "tenants_message": (VIEWER, None, VIEWER, None, VIEWER),
    "tenants_mailsuppression": (VIEWER, SUPPORT, VIEWER, SUPPORT, VIEWER),
    "tenants_auditevent": (VIEWER, None, VIEWER, None, VIEWER),
    "tenants_staffevent": (OPERATOR, None, OPERATOR, None, OPERATOR),
    "tenants_staffmembership": (OWNER, OWNER, OWNER, OWNER, OWNER),
    "tenants_staffinvitation": (OWNER, OWNER, OWNER, OWNER, OWNER),
    "auth_user": (OPERATOR, OPERATOR, OPERATOR, OPERATOR, OPERATOR),
    "tenants_staffauthenticator": (OPERATOR, OPERATOR, OPERATOR, OPERATOR, OPERATOR),
}
# Pages of ours about one row: what is asked for, and who may do it at least. An erasure comes last.
BUTTONS: dict[str, tuple[str, str]] = {
    "customers_customer_timeline": ("get", VIEWER),
    "customers_customer_addresses": ("get", VIEWER),
    "customers_customer_log_ins": ("get", VIEWER),
    "customers_customer_consents": ("get", VIEWER),
    "customers_customer_data": ("get", VIEWER),
    "customers_customer_mixin": ("get", SUPPORT),
    "customers_customer_remove_mixin": ("post", SUPPORT),
    "customers_customer_properties": ("get", SUPPORT),
    "customers_customer_add_address": ("get", SUPPORT),
    "customers_customer_change_address": ("get", SUPPORT),
    "customers_customer_change_consent": ("post", SUPPORT),
    "customers_customer_permit": ("post", SUPPORT),
    "customers_customer_change_email": ("post", SUPPORT),
    "customers_customer_resend_opt_in": ("post", SUPPORT),
    "customers_customer_unlock": ("post", SUPPORT),
    "customers_customer_action": ("post", SUPPORT),
    "customers_customer_end_session": ("post", SUPPORT),
    "customers_customer_reset": ("post", SUPPORT),
    "customers_customer_remove_second_factor": ("post", SUPPORT),
    "customers_customer_assign_segment": ("post", SUPPORT),
    "customers_customer_remove_segment": ("post", SUPPORT),
    "customers_customer_add_note": ("post", SUPPORT),
    "customers_customer_assign_identifier": ("post", SUPPORT),
    "customers_customer_remove_identifier": ("post", SUPPORT),
    "customers_customer_remove_address": ("post", SUPPORT),
    "customers_customer_export": ("post", SUPPORT),
    "customers_customer_merge": ("get", MANAGER),
    "customers_customer_undo_merge": ("post", MANAGER),
    "tenants_tenant_sign_up": ("get", OWNER),
    "tenants_tenant_codes": ("get", OWNER),
    "tenants_tenant_mail": ("get", OWNER),
    "tenants_tenant_lifetimes": ("get", OWNER),
    "tenants_tenant_signing_keys": ("get", OWNER),
    "tenants_tenant_rotate_key": ("post", OWNER),
    "tenants_tenant_replace_keys": ("post", OWNER),
    "tenants_message_again": ("post", SUPPORT),
    "tenants_apikey_secret": ("post", OWNER),
    "tenants_staffmembership_reset": ("post", OWNER),
    "auth_providers_authprovider_test": ("post", OWNER),
    "auth_providers_messagetemplate_preview": ("get", MANAGER),
    "auth_providers_messagetemplate_preview_html": ("get", MANAGER),
    "auth_providers_messagetemplate_test": ("post", MANAGER),
    "auth_providers_webhookendpoint_test": ("post", OWNER),
    "auth_providers_webhookendpoint_secret": ("post", OWNER),
    "customers_customer_erase": ("post", MANAGER),
}
ON_LOG_IN = [f"customers_customer_{name}" for name in ("reset", "permit", "change_email", "resend_opt_in", "unlock")]
# Pages about no row: all staff have them. What they show of a tenant has tests of its own.
FOR_ALL = {
    *("index", "login", "logout", "switch", "password_change", "password_change_done", "autocomplete", "jsi18n"),
    *("app_list", "auth_user_password_change", "invitation", "second_factor", "second_factor_code"),
    *("single_sign_on", "single_sign_on_complete"),
}


def names(patterns: list[Any]) -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from names(each.url_patterns)
        elif isinstance(each, URLPattern) and each.name:
            yield each.name


def test_every_page_has_a_row() -> None:
    listed = {f"{page}_{verb}" for page in PAGES for verb in VERBS} | set(BUTTONS) | FOR_ALL
    assert set(names(admin.site.get_urls())) == listed


def test_every_page_about_a_tenants_rows_is_confined() -> None:
    unconfined = [
        model.__name__
        for model, page in admin.site._registry.items()
        if model in isolation.owned_models() and not (isinstance(page, OfTenant) and page.is_confined)
    ]
    assert unconfined == ["StaffMembership"]  # users belong to no tenant


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A tenant with a row of everything that has a page."""

    tenant: Tenant
    rows: dict[str, models.Model]
    customer: Customer

    def address_of(self, name: str) -> str:
        """The address of a page about one of its rows."""
        model = next(model for model in self.rows if name.startswith(model))
        key = self._keys().get(name)
        return reverse(f"admin:{name}", args=[self.rows[model].pk, *([key()] if key else [])])

    def _keys(self) -> dict[str, Callable[[], Any]]:
        """The second key in the address of a page, looked up when it is asked for: that takes as long as the page."""
        identifiers = CustomerIdentifier.objects.filter
        return {
            "customers_customer_action": lambda: "deactivate",
            "customers_customer_export": lambda: "json",
            "customers_customer_undo_merge": lambda: 1,
            "customers_customer_end_session": lambda: Session.objects.filter(customer=self.customer).earliest("pk").pk,
            **dict.fromkeys(ON_LOG_IN, lambda: factories.account_of_email(self.customer).pk),
            "customers_customer_change_address": lambda: "home",
            "customers_customer_remove_address": lambda: "home",
            "customers_customer_remove_segment": lambda: Segment.objects.get(tenant=self.tenant, code="vip").pk,
            "customers_customer_remove_identifier": lambda: identifiers(customer=self.customer).earliest("pk").pk,
        }


def furnish(tenant: Tenant, customer: Customer) -> Shop:
    own: dict[str, Any] = {"tenant": tenant}
    colleague = User.objects.create_user(f"{tenant.code}-colleague", is_staff=True)
    company = LegalEntity.objects.filter(tenant=tenant).earliest("pk")
    endpoint, _ = WebhookEndpoint.objects.get_or_create(**own, name="shop", defaults={"url": "https://127.0.0.1/"})
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(secret_encrypted=encrypt("whsec_MDEyMzQ1Njc4OWFiY2RlZg=="))
    rows: dict[str, models.Model] = {
        "customers_customer": customer,
        "customers_segment": Segment.objects.create(**own, code="empty"),
        "customers_legalentity": company,
        "customers_mixinschema": MixinSchema.objects.create(**own, url="https://s.example/x", schema={}),
        "auth_providers_authprovider": AuthProvider.objects.get_or_create(**own, name="otp", defaults={"kind": "otp"})[
            0
        ],
        "auth_providers_flow": Flow.objects.get_or_create(**own, name="activation")[0],
        "auth_providers_messagetemplate": MessageTemplate.objects.create(
            **own, template="welcome", language="en", subject="s", text="t", html="<p>t</p>"
        ),
        "auth_providers_webhookendpoint": endpoint,
        "tenants_tenant": tenant,
        "tenants_apikey": ApiKey.objects.get_or_create(
            **own, client_id="server", defaults={"secret_hash": api_keys.hash_secret("s")}
        )[0],
        "tenants_message": Message.objects.filter(tenant=tenant).earliest("pk"),
        "tenants_mailsuppression": MailSuppression.objects.create(**own, address="ada@example.com", why="bounced"),
        "tenants_auditevent": AuditEvent.objects.filter(tenant=tenant).earliest("pk"),
        "tenants_staffmembership": StaffMembership.objects.create(**own, user=colleague, role=Role.VIEWER),
        "tenants_staffinvitation": StaffInvitation.objects.create(
            **own, email="new@example.com", role=Role.VIEWER, invited_by=colleague, expires_at=timezone.now()
        ),
    }
    return Shop(tenant=tenant, rows=rows, customer=customer)


@pytest.fixture
def shops(neighbours: Neighbours, tenant: Tenant, other_tenant: Tenant) -> tuple[Shop, Shop]:
    made = make_customer_with_everything(tenant, email=factories.EMAIL, phone="+442079460003")
    return furnish(tenant, made.customer), furnish(other_tenant, neighbours.across.customer)


def staff(role: str, tenant: Tenant) -> Client:
    if role != OPERATOR:
        place, there = (None, Role.VIEWER) if role == NOBODY else (tenant, Role(role))
        return log_in_as(place, there, username=role)
    client = Client()
    client.force_login(User.objects.create_superuser("clara", "", None))
    return client


def is_shown(response: Any) -> bool:
    """Not refused, not missing, and not Django's way to say that there is no such row."""
    is_redirected = response.status_code == 302 and response["Location"] != "/admin/"
    return bool(response.status_code == 200 or is_redirected)


def may(role: str, needed: str | None) -> bool:
    return needed is not None and RANK[role] >= RANK[needed]


@pytest.mark.parametrize("role", ROLES)
def test_every_role_reaches_what_it_may_of_its_own_tenant(shops: tuple[Shop, Shop], role: str) -> None:
    own, _ = shops
    client = staff(role, own.tenant)
    wrong = []
    for page, needed in PAGES.items():
        for verb, least in zip(VERBS, needed, strict=True):
            if verb in ("changelist", "add"):
                path = reverse(f"admin:{page}_{verb}")
            elif page in own.rows:
                path = own.address_of(f"{page}_{verb}")
            else:
                continue
            if is_shown(client.get(path)) != may(role, least):
                wrong.append((page, verb))
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_every_button_is_for_its_role(shops: tuple[Shop, Shop], role: str) -> None:
    own, _ = shops
    client = staff(role, own.tenant)
    wrong = [
        name
        for name, (method, least) in BUTTONS.items()
        if is_shown(getattr(client, method)(own.address_of(name))) != may(role, least)
    ]
    assert wrong == []


@pytest.mark.parametrize("role", [*Role, OPERATOR])
def test_nobody_reaches_a_row_of_another_tenant(shops: tuple[Shop, Shop], role: str) -> None:
    own, other = shops
    client = staff(role, own.tenant)
    before = all_rows()
    reached = []
    for page in other.rows:
        for verb in VERBS[2:]:
            path = other.address_of(f"{page}_{verb}")
            if page == "tenants_tenant" and role == OPERATOR:
                continue  # operators set every tenant up
            if is_shown(client.get(path)) or is_shown(client.post(path, {"post": "yes"})):
                reached.append(path)
    for name, (method, _) in BUTTONS.items():
        if name.startswith("tenants_tenant_") and role == OPERATOR:
            continue
        if is_shown(getattr(client, method)(other.address_of(name), {"segment": "vip", "text": "x"})):
            reached.append(name)
    assert reached == []
    assert {key: row for key, row in all_rows().items() if before.get(key) != row} == {}


@pytest.mark.parametrize("role", [*Role, OPERATOR])
def test_no_list_search_or_filter_shows_a_row_of_another_tenant(shops: tuple[Shop, Shop], role: str) -> None:
    own, other = shops
    client = staff(role, own.tenant)
    for page in own.rows:
        for query in ({}, {"q": "charles"}, {"q": "ada@example.com"}, {"tenant__id__exact": other.tenant.pk}):
            response = client.get(reverse(f"admin:{page}_changelist"), query)
            listed = response.context.get("cl") if response.status_code == 200 and response.context else None
            rows = list(listed.result_list) if listed else []
            assert not [row for row in rows if getattr(row, "tenant", own.tenant) != own.tenant], (page, query)


def test_an_action_of_the_list_leaves_rows_of_another_tenant_alone(shops: tuple[Shop, Shop]) -> None:
    own, other = shops
    client = staff(OPERATOR, own.tenant)
    for action in ("deactivate", "end_sessions", "delete_selected"):
        for page in ("customers_customer", "customers_legalentity", "auth_providers_flow"):
            posted = {"action": action, "_selected_action": [other.rows[page].pk], "index": "0", "post": "yes"}
            client.post(reverse(f"admin:{page}_changelist"), posted)
    for row in other.rows.values():
        row.refresh_from_db()
    assert other.customer.is_active


def test_the_switcher_takes_staff_to_their_own_tenants_only(shops: tuple[Shop, Shop]) -> None:
    own, other = shops
    client = staff(OWNER, own.tenant)
    assert "no such shop" in client.post("/admin/switch/", {"code": other.tenant.code}, follow=True).content.decode()
    assert not is_shown(client.get(other.address_of("customers_customer_change")))
    StaffMembership.objects.create(tenant=other.tenant, user=User.objects.get(username=OWNER), role=Role.VIEWER)
    client.post("/admin/switch/", {"code": other.tenant.code})
    assert is_shown(client.get(other.address_of("customers_customer_change")))
    assert not is_shown(client.get(own.address_of("customers_customer_change")))
    assert client.post(other.address_of("customers_customer_erase")).status_code == 403  # the role is that there
    StaffMembership.objects.filter(tenant=other.tenant).delete()
    assert not is_shown(client.get(other.address_of("customers_customer_change")))


def test_a_name_that_no_database_keeps_is_no_shop(shops: tuple[Shop, Shop]) -> None:
    answer = staff(OWNER, shops[0].tenant).post("/admin/switch/", {"code": "no\0shop"}, follow=True)
    assert "no such shop" in answer.content.decode()


def test_the_switcher_is_no_link(shops: tuple[Shop, Shop]) -> None:
    assert staff(OPERATOR, shops[0].tenant).get("/admin/switch/").status_code == 405


def confined_ones(act: Callable[[], Any]) -> Iterator[tuple[str, bool]]:
    """Each statement, and whether it ran confined. What is sent in front of a prepared one stands beside its text."""
    prepared: set[str] = set()

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(sql, params, many, context)
        cursor = context["cursor"].cursor
        if isinstance(cursor, PreparedCursor) and cursor.before is not None:
            prepared.add(sql)
        return result

    with CaptureQueriesContext(connection) as captured, connection.execute_wrapper(note):
        act()
    for each in captured.captured_queries:
        yield each["sql"], each["sql"] in prepared or "set_config('role'" in each["sql"]


@pytest.mark.postgres
def test_what_staff_do_to_a_tenants_rows_runs_confined(shops: tuple[Shop, Shop]) -> None:
    own, _ = shops
    client = staff(OPERATOR, own.tenant)
    tables = [model._meta.db_table for model in isolation.owned_models() if model is not StaffMembership]
    for page in own.rows:
        if page in ("tenants_tenant", "tenants_staffmembership"):
            continue
        paths = [reverse(f"admin:{page}_changelist"), own.address_of(f"{page}_change")]
        for path in paths:
            open_ones = [
                sql
                for sql, is_confined in confined_ones(partial(client.get, path))
                if not is_confined and any(f'"{table}"' in sql for table in tables)
            ]
            assert open_ones == [], path
