"""A tenant's document as text: written the same for the same, read with what is wrong in it, and its schema."""

from typing import Any

import jsonschema_rs
import pytest
import yaml

from auth_providers.models import WebhookEndpoint
from auth_providers.tenant_files import documents
from auth_providers.tenant_files.sections import SECTIONS
from customers.models import MixinSchema, Segment
from tenants.errors import InvalidInput
from tenants.models import ApiKey, Tenant
from tenants.secrets.encryption import encrypt

START = "format: 1\ncode: acme\ntenant: {}\n"


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as failed:
        documents.read(text)
    return [(each.field, each.code) for each in failed.value.details]


def test_a_document_holds_the_tenants_own_rows_by_name(tenant: Tenant, other_tenant: Tenant) -> None:
    for each, codes in ((tenant, "ba"), (other_tenant, "c")):
        for code in codes:
            Segment.objects.create(tenant=each, code=code, name=code.upper())
    document = documents.of_tenant(tenant)
    assert document.code == tenant.code
    assert [row["code"] for row in document.rows["segments"]] == ["a", "b"]
    assert [row["client_id"] for row in document.rows["api_keys"]] == ["storefront"]
    assert set(document.rows) == {section.name for section in SECTIONS}


def test_a_row_names_a_variable_where_a_secret_is_kept(tenant: Tenant) -> None:
    ApiKey.objects.for_tenant(tenant).update(secret_hash="")
    WebhookEndpoint.objects.create(tenant=tenant, name="crm-2 é", url="https://a.example/", secret_encrypted="")
    WebhookEndpoint.objects.create(tenant=tenant, name="erp", url="https://a.example/", secret_encrypted=encrypt("s"))
    rows = documents.of_tenant(tenant).rows
    assert "secret" not in rows["api_keys"][0]
    assert [row.get("secret") for row in rows["webhook_endpoints"]] == [None, {"env": "ACME_WEBHOOK_ENDPOINTS_ERP"}]


@pytest.mark.parametrize(
    ("code", "name", "variable"),
    [
        ("acme", "erp", "ACME_WEBHOOK_ENDPOINTS_ERP"),
        ("a-b", "crm--2", "A_B_WEBHOOK_ENDPOINTS_CRM_2"),
        ("acme", " é1é ", "ACME_WEBHOOK_ENDPOINTS_1"),
    ],
)
def test_the_name_of_a_variable(code: str, name: str, variable: str) -> None:
    [section] = [each for each in SECTIONS if each.name == "webhook_endpoints"]
    assert documents.variable_of(code, section, {"name": name}) == variable


def test_what_is_written_is_read_again(tenant: Tenant) -> None:
    Segment.objects.create(tenant=tenant, code="vip", name="2026-01-01", description="Zwei\nZeilen ü\n")
    Segment.objects.create(tenant=tenant, code="odd", name="no", description="spaces \nat the end\r\n\tü")
    MixinSchema.objects.create(tenant=tenant, url="https://a.example/", schema={"b": {"d": 1, "c": [{"f": 2, "e": 3}]}})
    tenant.refresh_from_db()
    document = documents.of_tenant(tenant)
    text = documents.write(document)
    assert documents.read(text) == document
    assert documents.write(documents.read(text)) == text
    assert "description: |\n" in text, "lines are lines"
    assert text.index("c:\n") < text.index("d: 1"), "keys are in one order, whatever a database keeps"


def test_the_same_value_twice_is_written_twice() -> None:
    shared = {"step": "x"}
    rows: dict[str, Any] = {"flows": [{"name": "f", "steps": [shared, shared]}]}
    text = documents.write(documents.Document(code="acme", tenant={}, rows=rows, staff=None))
    assert "&" not in text
    assert yaml.safe_load(text)["flows"][0]["steps"] == [shared, shared]
    assert "staff" not in text


def test_staff_are_written_where_the_document_says_something_of_them() -> None:
    text = documents.write(documents.Document(code="acme", tenant={}, rows={}, staff=[]))
    assert yaml.safe_load(text) == {"format": 1, "code": "acme", "tenant": {}, "staff": []}


def test_what_a_file_leaves_out() -> None:
    document = documents.read(START)
    assert (document.code, document.tenant, document.staff) == ("acme", {}, None)
    assert document.rows == {section.name: [] for section in SECTIONS}


@pytest.mark.parametrize("row", ["code: x", "code: x, number: 0", "code: x, number: 7, name: '2026-01-01'"])
def test_rows_that_are_well_formed(row: str) -> None:
    assert documents.read(f"{START}sites: [{{{row}}}]\n").rows["sites"][0]["code"] == "x"


def test_a_date_is_read_as_text() -> None:
    assert documents.read(f"{START}sites: [{{code: x, name: 2026-01-01}}]\n").rows["sites"][0]["name"] == "2026-01-01"


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ("sites: [{code: x, number: -1}]", "sites.0.number"),
        ("sites: [{code: x}, {code: 7}]", "sites.1.code"),
        ("sites: [{name: x}]", "sites.0"),
        ("sites: {}", "sites"),
        ("webhook_endpoints: [{name: a, secret: {}}]", "webhook_endpoints.0.secret"),
        ("webhook_endpoints: [{name: a, secret: {env: lower}}]", "webhook_endpoints.0.secret.env"),
        ("webhook_endpoints: [{name: a, secret: {env: A, value: b}}]", "webhook_endpoints.0.secret"),
        ("sites: [{code: x, secret: {env: A}}]", "sites.0"),
        ("unknown: []", ""),
    ],
)
def test_a_fault_is_told_by_its_place(rows: str, field: str) -> None:
    assert faults(f"{START}{rows}\n") == [(field, "invalid")]


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ("sites: [{code: a}, {code: b}, {code: a}]", "sites.2"),
        ("segments: [{code: a, name: x}, {code: a, name: y}]", "segments.1"),
        (
            "message_templates: [{template: welcome, language: de}, {template: welcome, language: de, site: ''}]",
            "message_templates.1",
        ),
    ],
)
def test_a_row_is_in_the_file_once(rows: str, field: str) -> None:
    assert faults(f"{START}{rows}\n") == [(field, "duplicate")]


def test_rows_of_several_sections_and_of_other_keys_are_others() -> None:
    rows = "sites: [{code: a}]\nsegments: [{code: a, name: a}]\n"
    rows += "message_templates: [{template: welcome, language: de}, {template: welcome, language: it}]\n"
    assert len(documents.read(START + rows).rows["message_templates"]) == 2


@pytest.mark.parametrize("part", ["properties.sites", "properties.tenant", "$"])
def test_the_schema_is_one_and_takes_what_is_written(tenant: Tenant, part: str) -> None:
    schema: Any = documents.json_schema()
    jsonschema_rs.meta.validate(schema)
    tenant.refresh_from_db()
    written = yaml.safe_load(documents.write(documents.of_tenant(tenant)))
    value, within = written, schema
    for name in part.split(".") if part != "$" else ():
        within = within[name]
        value = value if name == "properties" else value[name]
    assert jsonschema_rs.validator_for(within).is_valid(value)
    assert not jsonschema_rs.validator_for(within).is_valid({"unknown": 1})
