"""What others need to use our tokens: the tenant's key set and discovery document."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from auth_providers.api.oauth.records import Userinfo
from tenants import isolation, signing_keys
from tenants.directory import UnknownTenant, get_tenant
from tenants.models import Scope, Tenant

# RFC 8693, 2.1, and RFC 6749, 6
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105
REFRESH_TOKEN = "refresh_token"  # noqa: S105
CLIENT_CREDENTIALS = "client_credentials"  # RFC 6749, 4.4
WITH_SECRET = ["client_secret_basic", "client_secret_post"]
WITH_OR_WITHOUT_SECRET = [*WITH_SECRET, "none"]


def _published(tenant_code: str, body: Any) -> JsonResponse:
    try:
        tenant = get_tenant(tenant_code)
    except UnknownTenant as error:
        return JsonResponse({"error": "unknown_tenant", "error_description": error.message}, status=404)
    with isolation.Confinement(tenant):
        response = JsonResponse(body(tenant))
    response["Cache-Control"] = f"public, max-age={int(signing_keys.KEY_SET_MAX_AGE.total_seconds())}"
    return response


@require_safe
def jwks(request: HttpRequest, tenant: str) -> JsonResponse:
    """`/tenants/{tenant}/.well-known/jwks.json` (RFC 7517, 5)."""
    return _published(tenant, lambda found: signing_keys.key_set(tenant=found))


@require_safe
def openid_configuration(request: HttpRequest, tenant: str) -> JsonResponse:
    """`/tenants/{tenant}/.well-known/openid-configuration` (OpenID Connect Discovery 1.0, 3): what is there
    without an authorization endpoint."""
    return _published(tenant, _discovery)


@require_safe
def oauth_authorization_server(request: HttpRequest, tenant: str) -> JsonResponse:
    """`/.well-known/oauth-authorization-server/tenants/{tenant}` (RFC 8414, 3.1), and under the issuer, where many look
    for it."""
    return _published(tenant, _discovery)


def _discovery(tenant: Tenant) -> dict[str, Any]:
    base = f"{settings.PUBLIC_URL}/tenants/{tenant.code}"
    return {
        "issuer": base,
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "token_endpoint": f"{base}/oauth/token",
        "token_endpoint_auth_methods_supported": WITH_OR_WITHOUT_SECRET,
        "introspection_endpoint": f"{base}/oauth/introspect",
        "introspection_endpoint_auth_methods_supported": WITH_SECRET,
        "introspection_signing_alg_values_supported": [signing_keys.ALGORITHM],  # RFC 9701, 7
        "revocation_endpoint": f"{base}/oauth/revoke",
        "revocation_endpoint_auth_methods_supported": WITH_OR_WITHOUT_SECRET,
        "userinfo_endpoint": f"{base}/oauth/userinfo",
        "claims_supported": list(Userinfo.__struct_encode_fields__),
        "grant_types_supported": [TOKEN_EXCHANGE, REFRESH_TOKEN, CLIENT_CREDENTIALS],
        "scopes_supported": list(Scope.values),
        # Both documents require a value; there is no authorization endpoint (OAuth 2.0 Multiple Response Types, 4).
        "response_types_supported": ["none"],
        # Discovery 1.0, 3, requires RS256, and clients check that it is there. We issue no ID tokens.
        "id_token_signing_alg_values_supported": [signing_keys.ALGORITHM, "RS256"],
        "subject_types_supported": ["public"],
    }
