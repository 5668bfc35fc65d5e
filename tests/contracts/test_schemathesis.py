"""Requests generated from the vendor's documents, valid and not: we keep the promises of those. Our own documents have
a test of their own."""

from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tenants.api.emporix.base import TENANT_HEADERS
from tenants.models import Tenant
from tests import factories
from tests.contracts import vendor
from tests.contracts.calls import rolled_back
from tests.contracts.generated import is_positive, operations_of, put_in
from tests.contracts.operations import NEW_PASSWORD
from tests.contracts.scene import ADDRESS, NEW_EMAIL

EXAMPLES = 12  # of each operation
# Most operations open to customers only, so that these come more often.
CALLERS = ("nobody", "visitor", "customer", "customer", "customer")
CHECKS: list[Any] = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# Statuses beyond the vendor's, in any operation, and why.
BEYOND = {
    404: "a path variable that is empty or has a slash makes another path",
    405: "a path variable can make the path of another method",
    415: "the document declares JSON only",
}
BEYOND_BY_OPERATION = {
    "GET /customerlogin/auth/anonymous/login": {400, 401},  # the document knows success only
    "GET /customerlogin/auth/anonymous/refresh": {400, 401},  # the same
    "GET /customer/{tenant}/logout": {403},  # a visitor has no session of a customer to end
    "GET /customer/{tenant}/validateauthtoken": {400},  # a tenant that does not exist
    "PATCH /customer/{tenant}/me": {409},  # a version that is not the present one
    "PATCH /customer/{tenant}/me/addresses/{addressId}": {409},  # the same
    "POST /customer/{tenant}/me/addresses": {409},  # the id is the client's, and taken
}
# Checks that an operation can't pass, and why.
EXCLUDED: dict[str, list[Any]] = {
    # The document says text; the agreed answer is a boolean.
    "POST /customer/{tenant}/login": [response_schema_conformance],
}
# Operations that a generated request can't bring to success: it would need a token from a mail or from a provider.
NEVER_SUCCEED = {
    "POST /customer/{tenant}/me/accounts/internal/email/change/confirm",
    "POST /customer/{tenant}/password/reset/update",
    "GET /customer/{tenant}/signup/optin/{token}",
    "POST /customer/{tenant}/socialLogin",
    "POST /customer/{tenant}/exchangeauthtoken",
}
SUCCESSES = {200, 201, 202, 204}
# What a document's types can't say: values that exist, and texts that mean something.
REAL: dict[str, Any] = {
    "addressId": ADDRESS["public_id"],
    "companyRegistrationId": None,
    "id": None,
    "client_id": "storefront",
    "contactName": "Ada Lovelace",
    "tags": ["home"],
    "country": "GB",
    "preferredCurrency": "GBP",
    "mixins": {},
    "version": None,
    "currentPassword": factories.PASSWORD,
    "newPassword": NEW_PASSWORD,
    "newEmail": NEW_EMAIL,
}
# What the agreed rules ask for and the vendor's type of a new address leaves open.
MANDATORY = {"POST /customer/{tenant}/me/addresses": {"contactName": "Ada Lovelace"}}
# What only some may send, as nothing: the token from a mail, a company of the customer's.
NOT_SENT = {"token": "", "legalEntityId": ""}


def _operations() -> list[Any]:
    if not vendor.FOLDER.is_dir():
        return []
    later = vendor.read(vendor.EDITION_2026)
    later["paths"] = {vendor.ADDED: later["paths"][vendor.ADDED]}
    return operations_of(vendor.read(vendor.EDITION_2025)) + operations_of(later)


@pytest.mark.parametrize("operation", _operations(), ids=lambda operation: operation.label)
def test_it_keeps_the_documents_promises(operation: Any, db: None, kept_connection: None) -> None:
    scene = _Scene(factories.make_tenant())
    statuses: set[int] = set()

    def send(case: Case[Any], caller: str) -> None:
        with rolled_back():
            scene.prepare(case, caller)
            response = case.call()
        statuses.add(response.status_code)
        case.validate_response(response, checks=_checks(case, response.status_code))

    _drive(operation, send, modes=list(GenerationMode))
    if not statuses & SUCCESSES and operation.label not in NEVER_SUCCEED:
        # What is generated depends on the order of sets, and a few examples may all be refused.
        _drive(operation, send, modes=[GenerationMode.POSITIVE])
    assert statuses & SUCCESSES or operation.label in NEVER_SUCCEED, f"only refused: {statuses}"


def _drive(operation: Any, send: Callable[[Case[Any], str], None], *, modes: list[GenerationMode]) -> None:
    """Send generated requests of these modes, from every kind of caller."""
    cases = st.one_of(*(operation.as_strategy(generation_mode=mode) for mode in modes))

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, caller=st.sampled_from(CALLERS))
    def drive(case: Case[Any], caller: str) -> None:
        send(case, caller)

    drive()


def _checks(case: Case[Any], status: int) -> list[Any]:
    excluded = list(EXCLUDED.get(case.operation.label, []))
    if status in BEYOND or status in BEYOND_BY_OPERATION.get(case.operation.label, ()):
        excluded.append(status_code_conformance)
    return [check for check in CHECKS if check not in excluded]


class _Scene:
    """A tenant with one customer, who gets new tokens for each request: some requests end a session."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.customer = factories.make_customer(tenant, address=ADDRESS)
        self.newcomers = 0

    def prepare(self, case: Case[Any], caller: str) -> None:
        """Let the request come from the caller, and a valid one name what exists."""
        visit = factories.open_anonymous(self.tenant)
        logged_in = factories.log_in(self.customer)
        token = {"nobody": "", "visitor": visit.pair.access_token, "customer": logged_in.access_token}[caller]
        case.headers.pop("Authorization", None)
        if token:
            case.headers["Authorization"] = f"Bearer {token}"
        if is_positive(case):
            real = {"accessToken": logged_in.access_token, "refreshToken": logged_in.refresh_token}
            real |= {"tenant": self.tenant.code, "refresh_token": visit.pair.refresh_token}
            real |= dict.fromkeys(TENANT_HEADERS, self.tenant.code)
            put_in(case.headers, real)
            for part in (case.path_parameters, case.body):
                put_in(part, REAL | real | self._credentials(case))
            put_in(case.query, REAL | real | NOT_SENT)
            if isinstance(case.body, MutableMapping):
                case.body.update(MANDATORY.get(case.operation.label, {}))

    def _credentials(self, case: Case[Any]) -> dict[str, str]:
        """The customer's own, or new ones where they would be taken."""
        if not case.path.endswith(("/signup", "/accounts/internal")):
            return {"email": factories.EMAIL, "contactEmail": factories.EMAIL, "password": factories.PASSWORD}
        self.newcomers += 1
        email = f"newcomer{self.newcomers}@example.com"
        return {"email": email, "contactEmail": email, "password": NEW_PASSWORD}
