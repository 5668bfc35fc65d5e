"""`/tenants/{tenant}/oauth/userinfo`: whose a customer's token is (OpenID Connect Core 1.0, 5.3)."""

from typing import Any, ClassVar

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.accounts import proven_contacts
from auth_providers.api.authentication import BearerAuthentication, principal_of
from auth_providers.api.oauth.base import OAuthViewSet
from auth_providers.api.oauth.records import token_error, userinfo_of
from tenants.api.failures import Failure

# RFC 6750, 3.1
ERRORS = {401: "invalid_token", 403: "insufficient_scope"}


class UserinfoViewSet(OAuthViewSet):
    authentication_classes = [BearerAuthentication]
    permission_classes = [IsAuthenticated]
    reading_posts: ClassVar[frozenset[str]] = frozenset({"retrieve"})

    def retrieve(self, request: Request, **kwargs: Any) -> Response:
        principal = principal_of(request)
        if principal.customer is None:
            raise TypeError("a visitor came in")
        contacts = proven_contacts.find(tenant=self.tenant, customer=principal.customer)
        return Response(userinfo_of(principal.customer, contacts))

    def render_failure(self, failure: Failure) -> Response:
        response = super().render_failure(failure)
        error = ERRORS.get(failure.status)
        if error is None:
            return response
        response.status_code, response.data = failure.status, token_error(error, failure.message, cause=None)
        # RFC 6750, 3.1: who showed nothing is told no error.
        challenge = f'Bearer realm="patron", error="{error}", error_description="{failure.message}"'
        has_shown = "Authorization" in self.request.headers
        response.headers["WWW-Authenticate"] = challenge if has_shown else 'Bearer realm="patron"'
        return response
