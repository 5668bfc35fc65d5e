"""Requests generated from our own documents: what one allows is accepted, what it doesn't is refused, and every
answer is one that it describes.

`FUZZ_COUNT` is the number of requests, `FUZZ_SEED` says which ones (`make documents`).
"""

import os
from collections.abc import Mapping, MutableMapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from auth_providers.api.oauth.records import ID_TOKEN
from auth_providers.tokens import jwts
from config import docs
from tenants.api.contracts import served
from tenants.models import Tenant
from tests import factories
from tests.contracts.calls import rolled_back
from tests.contracts.generated import is_positive, operations_of, parts_of, put_in
from tests.contracts.operations import CREDENTIALS
from tests.contracts.scene import Scene
from tests.contracts.test_hostile_bodies import bounded
from tests.oidc_provider import REDIRECT_URI

SEED = int(os.environ.get("FUZZ_SEED", "1"))
CHECKS: list[Any] = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    positive_data_acceptance,
    negative_data_rejection,
]
# What a schema can't say: that a token exists, that a version is the present one, that nobody asked too often.
NOT_OF_THE_SCHEMA = ("2xx", "401", "403", "404", "409", "412", "413", "415", "422", "429")
REFUSALS = ("400", "401", "403", "404", "405", "409", "412", "413", "415", "422", "429")

OPERATIONS = [each for contract in served() for each in operations_of(docs.document(contract.contract.name))]
COUNT = max(1, int(os.environ.get("FUZZ_COUNT", "400")) // len(OPERATIONS))


def token_for(operation: Any, scene: Scene) -> str:
    """The least token that opens the operation."""
    schemes = {name for alternative in operation.definition.raw.get("security", []) for name in alternative}
    if "application" in schemes:
        return scene.values["application"]()
    if "AnonymousAccessToken" in schemes:
        return scene.visitor_token
    customers = {"CustomerAccessToken", "neo-customer", "customer"}
    return scene.logged_in.access_token if schemes & customers else ""


# What a schema can't say of a text: that it exists, that it is another field's, that staff registered it.
MAILED = {
    "DELETE /customer/{tenant}/me": "deletion",
    "GET /customer/{tenant}/signup/optin/{token}": "opt_in",
    "POST /customer/{tenant}/me/accounts/internal/email/change/confirm": "email_change",
    "POST /customer/{tenant}/password/reset/update": "reset",
}
PROVIDERS = {"password": "password", "channel": "otp", "challengeId": "otp", "accessToken": "jwt"}  # by a field


def values_of(operation: Any, scene: Scene) -> dict[str, Any]:
    """By the names of fields and parameters."""
    tenant, handle = scene.tenant, scene.values["handle"]
    values: dict[str, Any] = {
        **dict.fromkeys(("tenant", "tenantId", "audience", "Emporix-Tenant", "hybris-tenant"), tenant.code),
        "client_id": "storefront",
        "resource": jwts.issuer(tenant.code),
        "config": "jwt",
        "state": "random",
        "addressId": "home",
        "companyRegistrationId": None,
        "legalEntityId": "",
        "mixins": {},
        "currentPassword": factories.PASSWORD,
        "responseFields": "userId",
        "redirect_uri": REDIRECT_URI,
        "redirectUri": REDIRECT_URI,
        "refreshToken": scene.logged_in.refresh_token,
        "refresh_token": scene.visitor_refresh_token,
        "anonymous_token": scene.visitor_token,
        "accessToken": scene.logged_in.access_token,
        "to": factories.EMAIL,
        "x-vol-tenant": str(tenant.number),
        "x-vol-site": "1",
        "provider": "oidc",
    }
    if operation.label in MAILED:
        values["token"] = scene.values[MAILED[operation.label]]()
    if operation.path.startswith("/api/platform"):
        values["tenantId"] = str(tenant.number)
    if operation.path.endswith(("/introspect", "/revoke")):
        values["token"] = scene.logged_in.access_token
    if operation.path.endswith("/oauth/token"):
        values |= {"refresh_token": scene.logged_in.refresh_token, "provider": "jwt"}
        values |= {"subject_token": scene.values["subject_token"](), "subject_token_type": ID_TOKEN}
    if "/2fa/" in operation.path:
        values |= {"userId": handle(), "x-vol-user-claims": handle()}
    if operation.path.endswith("/history"):
        values |= {"before": ""}
    if operation.path.endswith("/{addressId}"):
        values["id"] = "home"
    return values


def prepare(case: Case[Any], scene: Scene) -> None:
    """Let the least token open the call, and let an allowed one name what exists."""
    case.headers.pop("Authorization", None)
    if token := token_for(case.operation, scene):
        case.headers["Authorization"] = f"Bearer {token}"
    if is_positive(case):
        values = values_of(case.operation, scene)
        case.headers.pop("Prefer", None)  # an answer without a body has no media type either
        for part in parts_of(case):
            put_in(part, values)
        _agree(case, values)


def _agree(case: Case[Any], values: Mapping[str, Any]) -> None:
    """What one part of a request asks of another."""
    body = case.body if isinstance(case.body, MutableMapping) else {}
    if case.path.endswith("/anonymous/refresh") and case.method == "GET":
        case.query.setdefault("refresh_token", values["refresh_token"])
    if "/2fa/" in case.path:
        case.headers["x-vol-user-claims"] = values["userId"]
    if case.path.endswith(("/socialLogin", "/exchangeauthtoken")) and "challengeId" in body:
        body.setdefault("challengeCode", "123456")
    if case.path.endswith("/email/change"):
        case.body = {**body, **CREDENTIALS}
    if "/oauth/" in case.path and body:  # each parameter of a form is there once
        case.body = {name: value for name, value in body.items() if not isinstance(value, list)}
    if case.path.endswith("/signup") and body.get("customerDetails"):
        put_in(body, {"contactEmail": body["email"]})
    if case.path.endswith("/customer/authenticate"):
        case.query["provider"] = next((PROVIDERS[name] for name in PROVIDERS if name in body), "oidc")


@pytest.fixture
def lenient(scene: Scene) -> Scene:
    """The scene with a tenant that takes the documents' passwords and sends codes."""
    Tenant.objects.filter(pk=scene.tenant.pk).update(is_common_password_refused=False)
    scene.values["codes"]()
    return scene


@pytest.mark.usefixtures("kept_connection")
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_it_accepts_what_the_document_allows_and_nothing_else(
    operation: Any, mode: GenerationMode, lenient: Scene
) -> None:
    checks = operation.schema.config.checks
    checks.positive_data_acceptance.expected_statuses = list(NOT_OF_THE_SCHEMA)
    checks.negative_data_rejection.expected_statuses = list(REFUSALS)

    @seed(SEED)
    @settings(bounded, max_examples=COUNT, derandomize=False, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Case[Any]) -> None:
        prepare(case, lenient)
        with rolled_back():
            case.validate_response(case.call(), checks=CHECKS)

    check()
