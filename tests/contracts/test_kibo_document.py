"""Our document of the Kibo contract: it has all that the vendor's answer has."""

import json
from typing import Any

import jsonschema_rs
import pytest

from config import docs
from tests.contracts import vendor
from tests.contracts.calls import body_of
from tests.contracts.openapi import Document
from tests.contracts.operations import BY_NAME, KIBO
from tests.contracts.scene import Scene

TICKETS = "/api/commerce/customer/authtickets"
LABELS = {
    "kibo-oauth": "POST /api/platform/applications/authtickets/oauth",
    "kibo-tenant": "GET /api/platform/tenants/{tenantId}",
    "kibo-anonymous": f"GET {TICKETS}/anonymousshopper",
    "kibo-password": f"POST {TICKETS}",
    "kibo-otp-auth": f"POST {TICKETS}/otp/auth",
    "kibo-2fa-auth": f"POST {TICKETS}/2fa/auth",
    "kibo-refresh": f"PUT {TICKETS}/refresh",
}


@pytest.fixture(scope="module")
def ours() -> Document:
    return Document(docs.document("kibo"))


def fields_of(value: Any, path: str = "") -> set[str]:
    """Dotted paths of every field of an example."""
    if isinstance(value, list):
        return fields_of(value[0], path)
    if not isinstance(value, dict):
        return set()
    inner = [{f"{path}{name}"} | fields_of(each, f"{path}{name}.") for name, each in value.items()]
    return set().union(*inner)


@vendor.needs_vendor
@pytest.mark.parametrize("label", [LABELS["kibo-otp-auth"], LABELS["kibo-refresh"]])
def test_a_ticket_has_every_field_of_the_vendors(label: str, ours: Document) -> None:
    theirs = fields_of(json.loads((vendor.FOLDER / "kibo-otp-auth.response.json").read_text()))
    promised = {field for operation, status, field in ours.response_fields() if (operation, status) == (label, "200")}
    assert theirs == promised


def test_every_operation_is_described(ours: Document) -> None:
    described = {label for (label,) in ours.labels()}
    assert set(LABELS.values()) <= described
    assert len(described) == len(KIBO)


@pytest.mark.parametrize("name", LABELS)
def test_answers_are_what_the_document_says(name: str, scene: Scene, ours: Document) -> None:
    schema = ours.response_schema(LABELS[name], 200)
    jsonschema_rs.validate(schema, body_of(BY_NAME[name].send(scene)))


@pytest.mark.parametrize("status", [400, 401, 415])
def test_refusals_are_what_the_document_says(status: int, scene: Scene, ours: Document) -> None:
    changes: dict[int, Any] = {400: {"json": {}}, 401: {"token": ""}, 415: {"content_type": "text/plain"}}
    answer = BY_NAME["kibo-password"].send(scene, **changes[status])
    assert answer.status_code == status
    jsonschema_rs.validate(ours.response_schema(LABELS["kibo-password"], status), body_of(answer))
