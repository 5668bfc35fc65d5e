"""A form of the back office writes what was changed in it: what others write to the row meanwhile stays."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from auth_providers.models import AuthProvider, Flow, WebhookEndpoint
from auth_providers.providers import registry
from customers.models import MixinSchema
from tenants.admin.shop_forms import SECTIONS
from tenants.models import Site, Tenant
from tenants.secrets.encryption import encrypt
from tests.back_office.test_roles_and_tenants import PAGES, Shop, furnish
from tests.neighbours import Neighbours

Statements = Callable[[Callable[[], Any]], list[str]]
ENDPOINT = "auth_providers_webhookendpoint"
# Of each form, a field and what is entered there, and the columns that are written then. Others can't be changed, or
# the core writes what was changed in them.
CHANGED: dict[str, tuple[str, str, set[str]]] = {
    "customers_segment": ("name", "Other", {"name"}),
    "customers_legalentity": ("name", "Other", {"name"}),
    "auth_providers_authprovider": ("is_enabled", "", {"is_enabled"}),
    "auth_providers_flow": ("steps", '[{"step": "challenge"}]', {"steps"}),
    "auth_providers_messagetemplate": ("subject", "Other", {"subject"}),
    ENDPOINT: ("url", "https://other.example/", {"url"}),
    "tenants_tenant": ("name", "Other", {"name"}),
    "tenants_apikey": ("name", "Other", {"name"}),
    "auth_user": ("first_name", "Other", {"first_name"}),
}
WRITTEN_BY_THE_CORE = {
    *("customers_customer", "customers_mixinschema", "tenants_staffmembership"),
}
READ_ONLY = {
    *("customers_postalcode", "tenants_message", "tenants_mailsuppression", "tenants_auditevent", "tenants_staffevent"),
    *("tenants_staffinvitation", "tenants_staffauthenticator"),
}


@pytest.fixture
def shop(neighbours: Neighbours) -> Shop:
    customer = neighbours.beside.customer
    found = furnish(customer.tenant, customer)
    AuthProvider.objects.update(client_secret_encrypted=encrypt(""), settings={"channels": ["email"]})
    MixinSchema.objects.update(schema={"type": "object"})
    Flow.objects.update(steps=[{"step": "activate"}])
    found.rows["auth_user"] = User.objects.create_user("grace", "grace@example.com", "a password of hers")
    return found


def form_of(response: Any) -> dict[str, Any]:
    """What a browser sends of the page's forms as they are."""
    form = response.context["adminform"].form
    forms = [form, *(each for formset in response.context["inline_admin_formsets"] for each in formset.formset.forms)]
    managing = [formset.formset.management_form for formset in response.context["inline_admin_formsets"]]
    return dict(pair for each in [*forms, *managing] for pair in _entries(each))


def _entries(form: Any) -> Iterator[tuple[str, Any]]:
    for bound in form:
        value = bound.value()
        if value is None or value is False:
            continue
        yield bound.html_name, "on" if value is True else value
        if bound.field.show_hidden_initial:
            yield bound.html_initial_name, value


def test_every_form_is_known() -> None:
    assert {*CHANGED, *WRITTEN_BY_THE_CORE, *READ_ONLY} == set(PAGES)


def written_to(table: str, asked: list[str]) -> list[set[str]]:
    """The columns of each UPDATE of the table. On PostgreSQL a setting of row level security stands in front of it."""
    found = [each.partition(f'UPDATE "{table}" SET')[2] for each in asked]
    return [set(re.findall(r'"(\w+)" = ', each.partition(" WHERE ")[0])) for each in found if each]


@pytest.mark.parametrize("page", sorted({*CHANGED, *WRITTEN_BY_THE_CORE}))
def test_a_form_that_is_sent_as_it_is_writes_nothing(
    shop: Shop, clerk: Client, statements: Statements, page: str
) -> None:
    row, address = shop.rows[page], shop.address_of(f"{page}_change")
    sent = form_of(clerk.get(address))
    answers = list[Any]()
    asked = statements(lambda: answers.append(clerk.post(address, sent)))
    assert answers[0].status_code == 302, answers[0].context["errors"]
    if page not in WRITTEN_BY_THE_CORE:
        assert written_to(row._meta.db_table, asked) == []


@pytest.mark.parametrize("page", CHANGED)
def test_a_form_writes_the_column_that_was_changed(
    shop: Shop, clerk: Client, statements: Statements, page: str
) -> None:
    row, address = shop.rows[page], shop.address_of(f"{page}_change")
    name, entry, columns = CHANGED[page]
    sent = {**form_of(clerk.get(address)), name: entry}
    asked = statements(lambda: clerk.post(address, sent))
    assert written_to(row._meta.db_table, asked) == [columns]


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_of_the_shop_that_is_sent_as_it_is_writes_nothing(
    shop: Shop, clerk: Client, statements: Statements, section: str
) -> None:
    address = shop.address_of(f"tenants_tenant_{section}")
    sent = form_of(clerk.get(address))
    asked = statements(lambda: clerk.post(address, sent))
    assert written_to("tenants_tenant", asked) == []
    assert written_to("tenants_site", asked) == []


def test_a_site_is_written_by_the_column(shop: Shop, clerk: Client, statements: Statements) -> None:
    address = shop.address_of("tenants_tenant_change")
    form = form_of(clerk.get(address))
    name = next(name for name in form if name.endswith("-0-name"))
    asked = statements(lambda: clerk.post(address, {**form, name: "Other"}))
    assert written_to("tenants_site", asked) == [{"name"}]
    assert Site.objects.get(tenant=shop.tenant).name == "Other"


def test_what_the_worker_writes_to_an_endpoint_meanwhile_stays(shop: Shop, clerk: Client) -> None:
    """Between the reading of the row and the writing."""
    endpoint = WebhookEndpoint.objects.filter(pk=shop.rows[ENDPOINT].pk)
    worked = {"told_transaction_id": 7, "told_id": 8, "failing_since": timezone.now(), "is_enabled": False}
    waiting = [lambda: endpoint.update(**worked)]

    def work_before(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith(f'UPDATE "{ENDPOINT}"') and waiting:
            waiting.pop()()
        return execute(sql, *rest)

    address = shop.address_of(f"{ENDPOINT}_change")
    sent = {**form_of(clerk.get(address)), "url": "https://other.example/"}
    with connection.execute_wrapper(work_before):
        clerk.post(address, sent)
    assert endpoint.filter(url="https://other.example/", **worked).exists()


def test_a_new_secret_is_all_that_its_button_writes(shop: Shop, clerk: Client, statements: Statements) -> None:
    asked = statements(lambda: clerk.post(shop.address_of(f"{ENDPOINT}_secret")))
    written = {"secret_encrypted", "previous_secret_encrypted", "previous_secret_until"}
    assert written_to(ENDPOINT, asked) == [written]


def test_a_password_is_all_that_its_form_writes(shop: Shop, clerk: Client, statements: Statements) -> None:
    address = reverse("admin:auth_user_password_change", args=[shop.rows["auth_user"].pk])
    new = {"password1": "another password of hers", "password2": "another password of hers", "usable_password": "true"}
    asked = statements(lambda: clerk.post(address, new))
    assert written_to("auth_user", asked) == [{"password"}]


def test_a_provider_is_written_by_the_column(tenant: Tenant, statements: Statements) -> None:
    AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp", client_secret_encrypted=encrypt(""))
    asked = statements(
        lambda: registry.configure(tenant=tenant, name="otp", secret=None, settings={"is_enabled": False})
    )
    assert written_to("auth_providers_authprovider", asked) == [{"is_enabled"}]
