"""Our document of the Kibo contract: it has all that the vendor's answer has, and its own promises are kept."""

import json
from collections.abc import MutableMapping
from typing import Any, cast

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from config import docs
from tests import factories
from tests.contracts import codes, vendor
from tests.contracts.calls import body_of
from tests.contracts.openapi import Document, with_nulls
from tests.contracts.operations import BY_NAME, KIBO, Scene, set_scene
from tests.contracts.test_schemathesis import unlimited

__all__ = ["unlimited"]  # a fixture

EXAMPLES = 15  # of each operation
CHECKS: list[Any] = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# Statuses beyond the document's, and why.
BEYOND = {404: "a path variable that is empty or has a slash makes another path", 405: "the same, of another method"}
TICKETS = "/api/commerce/customer/authtickets"
# It would need a code from a mail, or a log-in that waits.
NEVER_SUCCEED = {f"POST {TICKETS}/otp/auth", f"POST {TICKETS}/2fa/request", f"POST {TICKETS}/2fa/auth"}
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
    schema = with_nulls(ours.response_schema(LABELS[name], 200))
    jsonschema_rs.validate(schema, body_of(BY_NAME[name].send(scene)))


@pytest.mark.parametrize("status", [400, 401, 415])
def test_refusals_are_what_the_document_says(status: int, scene: Scene, ours: Document) -> None:
    changes: dict[int, Any] = {400: {"json": {}}, 401: {"token": ""}, 415: {"content_type": "text/plain"}}
    answer = BY_NAME["kibo-password"].send(scene, **changes[status])
    assert answer.status_code == status
    jsonschema_rs.validate(ours.response_schema(LABELS["kibo-password"], status), body_of(answer))


def operations() -> list[Any]:
    schema = schemathesis.openapi.from_dict(docs.document("kibo"))
    schema.config.generation.update(with_security_parameters=False)
    return [cast(Ok[Any], each).ok() for each in schema.get_all_operations()]


@pytest.mark.parametrize("operation", operations(), ids=lambda operation: operation.label)
def test_it_keeps_the_documents_promises(operation: Any, live_server: Any, unlimited: None) -> None:
    scene = set_scene(factories.make_tenant())
    scene.filled("{codes}")
    token = scene.values["application"]()
    statuses: set[int] = set()
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @settings(
        max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(case=cases, is_application=st.sampled_from([True, True, False]))
    def drive(case: Case[Any], is_application: bool) -> None:
        case.headers.pop("Authorization", None)
        if is_application:
            case.headers["Authorization"] = f"Bearer {token}"
        if case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE:
            put_real_values(case, scene)
        response = case.call(base_url=live_server.url)
        statuses.add(response.status_code)
        is_beyond = response.status_code in BEYOND
        checks = [check for check in CHECKS if not (is_beyond and check is status_code_conformance)]
        case.validate_response(response, checks=checks)

    drive()
    assert 200 in statuses or operation.label in NEVER_SUCCEED, f"only refused: {statuses}"


def put_real_values(case: Case[Any], scene: Scene) -> None:
    """A valid request names what exists."""
    number = str(scene.tenant.number)
    real = {
        "x-vol-tenant": number,
        "x-vol-site": "1",
        "tenantId": number,
        "responseFields": "userId,customerAccount(id)",
    }
    real |= {"client_id": codes.APPLICATION_ID, "client_secret": codes.SECRET, "email": factories.EMAIL}
    real |= {"applicationId": codes.APPLICATION_ID, "sharedSecret": codes.SECRET}
    real |= {"username": factories.EMAIL, "password": factories.PASSWORD}
    real |= {"refreshToken": factories.log_in(scene.customer).refresh_token}
    for part in (case.path_parameters, case.headers, case.query, case.body):
        if isinstance(part, MutableMapping):
            part.update({name: real[name] for name in part if name in real})
