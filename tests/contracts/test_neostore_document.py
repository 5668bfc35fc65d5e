"""The Neostore contract's documents: ours promises what the vendor's does, and generated requests test both."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import Settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from auth_providers.models import AuthProvider
from config import docs
from tests import factories
from tests.contracts import vendor
from tests.contracts.calls import rolled_back
from tests.contracts.generated import is_positive, operations_of
from tests.contracts.openapi import Document

VENDORS = "neostore-customer.json"
EXAMPLES = 12  # of each operation
CHECKS: list[Any] = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
POST, GET = "POST /api/{tenantId}/customer", "GET /api/{tenantId}/customer"
AUTHENTICATE = "POST /api/{tenantId}/customer/authenticate"
# Statuses beyond the vendor's, and why.
BEYOND = {
    (GET, "400"): "a query with a NUL character",
    (GET, "404"): "a tenant that does not exist",
    (GET, "503"): "the database is away",
    (POST, "400"): "a body that is no JSON object",
    (POST, "403"): "a token that is for reading only",
    (POST, "404"): "a tenant that does not exist",
    (POST, "413"): "RFC 9110: a body beyond the limit",
    (POST, "415"): "RFC 9110: a body that is not JSON",
    (POST, "429"): "codes and new profiles are limited",
    (POST, "503"): "the database is away",
    (AUTHENTICATE, "202"): "a code was sent, or a second factor is due",
    (AUTHENTICATE, "404"): "a tenant that does not exist",
    (AUTHENTICATE, "413"): "RFC 9110: a body beyond the limit",
    (AUTHENTICATE, "415"): "RFC 9110: a body that is not JSON",
    (AUTHENTICATE, "429"): "guesses and codes are limited",
    (AUTHENTICATE, "503"): "the provider or the database is away",
}
# A path variable can make another path, or the path of another method.
BY_PATH = {404, 405}


def _theirs() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((vendor.FOLDER / VENDORS).read_text())
    return document


@vendor.needs_vendor
def test_it_promises_what_the_vendor_does_and_lists_the_rest() -> None:
    ours, theirs = Document(docs.document("neostore")), Document(_theirs())
    assert ours.labels() == theirs.labels()
    assert ours.parameters() == theirs.parameters()
    # What nobody plans: the vendor lists it.
    assert theirs.statuses() - ours.statuses() == {(label, "500") for (label,) in theirs.labels()}
    assert ours.statuses() - theirs.statuses() == set(BEYOND)
    assert theirs.bodies() <= ours.bodies()


@vendor.needs_vendor
def test_the_media_types_are_the_vendors() -> None:
    ours, theirs = Document(docs.document("neostore")), Document(_theirs())
    promised = {label: operation for label, operation, _ in ours.operations()}
    for label, operation, _ in theirs.operations():
        assert (
            operation.get("requestBody", {}).get("content", {}).keys()
            == promised[label].get("requestBody", {}).get("content", {}).keys()
        )
        for status, response in operation["responses"].items():
            if status != "500":
                assert response.get("content", {}).keys() <= promised[label]["responses"][status]["content"].keys()


def _operations() -> list[Any]:
    return operations_of(_theirs()) if vendor.FOLDER.is_dir() else []


@pytest.fixture
def newcomers() -> Iterator[str]:
    return (f"newcomer{number}@example.com" for number in range(10_000))


@pytest.mark.parametrize("operation", _operations(), ids=lambda operation: operation.label)
def test_it_keeps_the_documents_promises(
    operation: Any, db: None, kept_connection: None, settings: Settings, newcomers: Iterator[str]
) -> None:
    settings.SMS_URL = ""
    tenant = factories.make_tenant()
    AuthProvider.objects.create(tenant=tenant, name="otp", kind="otp")
    token = factories.log_in(factories.make_customer(tenant)).access_token
    drive = _driver(operation, token, newcomers)
    statuses: set[int] = set()
    drive(statuses)
    assert statuses & {200, 202}, f"only refused: {statuses}"


def _driver(operation: Any, token: str, newcomers: Iterator[str]) -> Any:
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    def drive(statuses: set[int]) -> None:
        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases, is_customer=st.booleans(), provider=st.sampled_from(["password", "otp", "totp"]))
        def once(case: Case[Any], is_customer: bool, provider: str) -> None:
            case.headers["Accept"] = "application/json"  # without it, a problem has its own type (RFC 9457)
            case.headers.pop("Authorization", None)
            if is_customer:
                case.headers["Authorization"] = f"Bearer {token}"
            if is_positive(case):
                _make_real(case, provider, newcomers)
            with rolled_back():
                response = case.call()
            statuses.add(response.status_code)
            case.validate_response(response, checks=_checks(case, response.status_code))

        once()

    return drive


def _make_real(case: Case[Any], provider: str, newcomers: Iterator[str]) -> None:
    """What exists, in place of what the document can't say."""
    case.path_parameters["tenantId"] = "acme"
    if case.operation.label == AUTHENTICATE:
        case.query["provider"] = provider
        own = {"channel": "email", "to": factories.EMAIL, "email": factories.EMAIL, "password": factories.PASSWORD}
        case.body = {**(case.body if isinstance(case.body, dict) else {}), **own}
    elif case.operation.label == POST:
        case.query.pop("flow", None)
        case.body = {**(case.body if isinstance(case.body, dict) else {}), "email": next(newcomers)}


def _checks(case: Case[Any], status: int) -> list[Any]:
    excluded: list[Any] = []
    if status in BY_PATH or (case.operation.label, str(status)) in BEYOND:
        excluded.append(status_code_conformance)
    if status >= HTTPStatus.BAD_REQUEST:
        # The vendor asks for exactly one of two schemas, and what satisfies the one satisfies the other.
        excluded.append(response_schema_conformance)
    return [check for check in CHECKS if check not in excluded]
