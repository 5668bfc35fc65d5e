"""`/tenants/{tenant}/oauth/introspect`: what a token is good for, for servers of the shop (RFC 7662, RFC 9701)."""

from typing import Any

import msgspec
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.oauth.base import OAuthError, OAuthViewSet
from auth_providers.api.oauth.records import introspection_of
from auth_providers.tokens import introspection, jwts
from tenants import api_keys
from tenants.api.headers import header
from tenants.models import ApiKey, Scope, Tenant

# RFC 9701, 5 and 9.2: what a caller asks for, and the `typ` of what it gets.
SIGNED_TYPE = "token-introspection+jwt"
SIGNED = f"application/{SIGNED_TYPE}"


class NotAllowed(OAuthError):
    """The key is good, and lacks the scope."""

    status_code = 403


class IntrospectionViewSet(OAuthViewSet):
    # Apache APISIX does (lua-resty-openidc, `openidc.introspect`).
    may_repeat_secret = True
    caller: ApiKey

    def introspect(self, request: Request, **kwargs: Any) -> Response | HttpResponse:
        info = introspection.find(tenant=self.tenant, token=self.required(request, "token"), caller=self.caller)
        answer = introspection_of(info, tenant=self.tenant)
        if not _is_signed_wanted(request):
            return Response(answer)
        claims = {"aud": self.caller.client_id, "token_introspection": msgspec.to_builtins(answer)}
        signed = jwts.sign_statement(tenant=self.tenant, media_type=SIGNED_TYPE, claims=claims)
        return HttpResponse(signed, content_type=SIGNED)

    def _resolve_tenant(self, request: Request) -> Tenant:
        """The tenant of the key, in the statement that finds the key."""
        self.caller = self._server(request)
        return self.caller.tenant

    def _server(self, request: Request) -> ApiKey:
        """The key, whose secret was shown and opens this. Raises `InvalidApiKey`, `UnknownTenant` and `OAuthError`."""
        client_id, secret = self.credentials(request)
        key = api_keys.get_active(tenant_code=self.tenant_code(request), client_id=client_id)
        api_keys.check_secret(key=key, secret=secret)
        if not key.has_scope(Scope.TOKENS_INTROSPECT):
            raise NotAllowed("unauthorized_client", f"This API key lacks the scope {Scope.TOKENS_INTROSPECT}.")
        return key


def _is_signed_wanted(request: Request) -> bool:
    """Whether `Accept` names the signed form, with any weight but 0 (RFC 9110, 12.5.1)."""
    for each in header(request, "Accept").lower().split(","):
        media_type, *parameters = [part.strip() for part in each.split(";")]
        if media_type == SIGNED:
            return not any(part.startswith("q=0") and not part.strip("q=0.") for part in parameters)
    return False
