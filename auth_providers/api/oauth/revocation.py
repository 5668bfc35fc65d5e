"""`/tenants/{tenant}/oauth/revoke`: a client gives up a token that it got (RFC 7009)."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.oauth.base import OAuthViewSet
from auth_providers.tokens import revocation


class RevocationViewSet(OAuthViewSet):
    def revoke(self, request: Request, **kwargs: Any) -> Response:
        api_key = self.authenticate_client(request)
        token = self.required(request, "token")
        revocation.revoke(tenant=self.tenant, token=token, api_key=api_key, client=self.client)
        return Response()  # RFC 7009, 2.2: with a status alone, also for what is no token
