"""Requests that schemathesis generates from our own documents: what one allows names what the scene has."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from schemathesis import Case

from auth_providers.api.oauth.records import ID_TOKEN
from auth_providers.tokens import jwts
from config import docs
from tenants.api.contracts import served
from tenants.models import Tenant
from tests import factories
from tests.contracts.generated import is_positive, operations_of, parts_of, put_in
from tests.contracts.operations import CREDENTIALS
from tests.contracts.scene import Scene
from tests.oidc_provider import REDIRECT_URI


def documented_operations(base_url: str = "") -> list[Any]:
    """Those of every contract, for this server or else for the application in this process."""
    documents = [docs.document(each.contract.name) for each in served()]
    return [operation for document in documents for operation in operations_of(document, base_url)]


def make_lenient(scene: Scene) -> None:
    """Let the tenant take the documents' passwords and send codes."""
    Tenant.objects.filter(pk=scene.tenant.pk).update(is_common_password_refused=False)
    scene.values["codes"]()


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
