"""Companies with those who act for them, and the schemas of mixins: written through the core, within one tenant."""

import json
from typing import Any

import pytest
from django.test import Client

from customers import legal_entities
from customers.models import ContactAssignment, Customer, LegalEntity, MixinSchema
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Role, Tenant
from tests import factories
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import COMPANIES, FLOWS, SCHEMAS, Page

URL = "https://s.example/taste"


def rows(*numbers: str) -> dict[str, str]:
    given = {f"assignments-{index}-customer_number": number for index, number in enumerate(numbers)}
    return {"assignments-TOTAL_FORMS": str(len(numbers)), "assignments-INITIAL_FORMS": "0", **given}


def create(clerk: Client, tenant: Tenant, *numbers: str, **fields: str) -> Any:
    return clerk.post(f"{COMPANIES}add/", {"tenant": tenant.pk, "name": "Difference Ltd", **fields, **rows(*numbers)})


def errors_of(response: Any) -> str:
    assert response.status_code == 200
    formsets = [form.errors for each in response.context["inline_admin_formsets"] for form in each.formset.forms]
    return str([response.context["adminform"].form.errors, *formsets])


def test_a_company_gets_an_id_and_its_customers(customer: Customer, clerk: Client) -> None:
    assert create(clerk, customer.tenant, customer.number).status_code == 302
    assignment = ContactAssignment.objects.get()
    assert (assignment.customer, assignment.tenant) == (customer, customer.tenant)
    assert assignment.legal_entity.name == "Difference Ltd"
    assert len(assignment.legal_entity.public_id) == len(assignment.public_id) == 24
    event = AuditEvent.objects.get(action="assign_legal_entity")
    assert (event.staff_username, event.customer_number, event.address) == ("clara", customer.number, "127.0.0.1")


def test_an_id_of_the_shops_own_is_kept_and_must_be_new(tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant, public_id="engines")
    assert LegalEntity.objects.get().public_id == "engines"
    assert "already exists" in errors_of(create(clerk, tenant, public_id="engines"))


def test_a_customer_of_another_tenant_is_not_found(tenant: Tenant, other_tenant: Tenant, clerk: Client) -> None:
    other = factories.make_customer(other_tenant)
    assert "no such customer" in errors_of(create(clerk, tenant, other.number))
    assert not ContactAssignment.objects.exists()
    assert not LegalEntity.objects.exists()


def test_a_twin_with_the_same_number_is_the_tenants_own(
    customer: Customer, other_tenant: Tenant, clerk: Client
) -> None:
    twin = factories.make_customer(other_tenant)
    assert twin.number == customer.number
    clerk.post("/admin/switch/", {"code": other_tenant.code})
    create(clerk, other_tenant, twin.number)
    assert ContactAssignment.objects.get().customer == twin


def test_the_core_refuses_to_join_tenants(customer: Customer, other_tenant: Tenant) -> None:
    foreign = LegalEntity.objects.create(tenant=other_tenant, public_id="x", name="X")
    for tenant in (customer.tenant, other_tenant):
        with pytest.raises(InvalidInput):
            legal_entities.assign(
                tenant=tenant,
                customer=customer,
                legal_entity=foreign,
                staff_username="clara",
                client=factories.CLIENT,
            )
    assert not ContactAssignment.objects.exists()


def test_one_is_assigned_once_and_can_be_removed(customer: Customer, clerk: Client) -> None:
    create(clerk, customer.tenant, customer.number)
    assignment = ContactAssignment.objects.get()
    page = f"{COMPANIES}{assignment.legal_entity_id}/change/"
    shown = Page(clerk.get(page))
    assert "Lovelace" in shown.text
    fields = shown.fields
    again = {**fields, "name": "Renamed", "assignments-1-customer_number": customer.number}
    assert "assigned already" in errors_of(clerk.post(page, again))
    assert clerk.post(page, {**fields, "name": "Renamed", "assignments-0-DELETE": "on"}).status_code == 302
    assert not ContactAssignment.objects.exists()
    assert LegalEntity.objects.get().name == "Renamed"
    assert AuditEvent.objects.filter(action="unassign_legal_entity", customer_number=customer.number).exists()


def test_tenant_and_id_of_a_company_stay(tenant: Tenant, other_tenant: Tenant, clerk: Client) -> None:
    create(clerk, tenant, public_id="engines")
    page = f"{COMPANIES}{LegalEntity.objects.get().pk}/change/"
    clerk.post(page, {**Page(clerk.get(page)).fields, "name": "New", "tenant": other_tenant.pk, "public_id": "forged"})
    entity = LegalEntity.objects.get()
    assert (entity.tenant, entity.public_id, entity.name) == (tenant, "engines", "New")


def register(clerk: Client, tenant: Tenant, schema: Any, path: str = f"{SCHEMAS}add/") -> Any:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    return clerk.post(path, {"tenant": tenant.pk, "url": URL, "schema": text})


def test_a_schema_is_registered_and_replaced(tenant: Tenant, other_tenant: Tenant, clerk: Client) -> None:
    assert register(clerk, tenant, {"type": "object"}).status_code == 302
    page = f"{SCHEMAS}{MixinSchema.objects.get().pk}/change/"
    assert register(clerk, other_tenant, {"type": "string"}, page).status_code == 302
    stored = MixinSchema.objects.get()
    assert (stored.schema, stored.tenant, stored.url) == ({"type": "string"}, tenant, URL)
    assert "already exists" in str(register(clerk, tenant, {"type": "object"}).context["adminform"].form.errors)


@pytest.mark.parametrize(
    "schema", ["{", {"type": "nonsense"}, {"$ref": "https://elsewhere.example/schema.json"}, {"pattern": "("}]
)
def test_what_is_no_schema_is_refused_on_the_field(tenant: Tenant, clerk: Client, schema: Any) -> None:
    response = register(clerk, tenant, schema)
    assert response.context["adminform"].form.errors["schema"]
    assert not MixinSchema.objects.exists()


def test_a_schema_is_shown_in_lines(tenant: Tenant, clerk: Client) -> None:
    register(clerk, tenant, {"type": "object", "title": "Größe"})
    page = clerk.get(f"{SCHEMAS}{MixinSchema.objects.get().pk}/change/")
    assert (
        "{\n  &quot;type&quot;: &quot;object&quot;,\n  &quot;title&quot;: &quot;Größe&quot;\n}" in page.content.decode()
    )


def test_a_schema_is_not_deleted(tenant: Tenant, clerk: Client) -> None:
    register(clerk, tenant, {"type": "object"})
    assert clerk.post(f"{SCHEMAS}{MixinSchema.objects.get().pk}/delete/", {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("path", [COMPANIES, SCHEMAS, f"{COMPANIES}add/", f"{SCHEMAS}add/"])
def test_support_changes_neither(tenant: Tenant, path: str) -> None:
    clerk = log_in_as(tenant, Role.SUPPORT)
    assert clerk.get(path).status_code == (200 if path == COMPANIES else 403)
    assert path == COMPANIES or clerk.post(path, {"name": "x"}).status_code == 403


# Neither database stores it as JSON, or nobody could read it.
NO_JSON = {
    "a NUL character": '{"title": "\\u0000"}',
    "a lone surrogate": '{"title": "\\ud800"}',
    "no number": '{"default": NaN}',
    "an infinite number": '{"default": 1e999}',
    "too many digits": f'{{"maximum": {"9" * 5000}}}',
    "too many levels": "[" * 100_000,
    "too many items": f"[{','.join('0' * 1001)}]",
}


@pytest.mark.parametrize("text", NO_JSON.values(), ids=NO_JSON.keys())
@pytest.mark.parametrize(("page", "field"), [(f"{SCHEMAS}add/", "schema"), (f"{FLOWS}add/", "steps")])
def test_what_is_no_json_is_refused_and_stays_in_the_field(
    tenant: Tenant, clerk: Client, page: str, field: str, text: str
) -> None:
    answer = clerk.post(page, {"tenant": tenant.pk, "url": URL, "name": "vip", field: text})
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert answer.context["adminform"].form[field].value() == text
