"""`/customerlogin/auth/anonymous/…`: a visit begins, and goes on."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.emporix.bodies import parameter
from auth_providers.api.emporix.records import anonymous_pair, anonymous_token
from auth_providers.tokens import refresh, sessions
from tenants import api_keys
from tenants.api.emporix.base import EmporixViewSet
from tenants.errors import InvalidInput
from tenants.models import ApiKey


class AnonymousViewSet(EmporixViewSet):
    names_tenant_in_path = False
    authentication_classes = []
    permission_classes = []
    changing_gets = frozenset({"log_in", "refresh"})

    def log_in(self, request: Request, **kwargs: Any) -> Response:
        api_key = self._api_key(request)
        query = request.query_params
        context = sessions.Context(
            site=query.get("siteCode", "")[:64],
            currency=query.get("currency", ""),
            language=query.get("language", "")[:35],
            country=query.get("targetLocation", "")[:2],
        )
        opened = sessions.open_anonymous(api_key=api_key, context=context, client=self.client)
        return Response(anonymous_pair(tenant=api_key.tenant, session=opened.session, pair=opened.pair))

    def refresh(self, request: Request, **kwargs: Any) -> Response:
        api_key = self._api_key(request)
        refresh_token, access_token = (
            parameter(request, "refresh_token"),
            parameter(request, "anonymous_token"),
        )
        if refresh_token:
            done = refresh.refresh_anonymous(api_key=api_key, refresh_token=refresh_token, client=self.client)
            return Response(anonymous_pair(tenant=api_key.tenant, session=done.session, pair=done.pair))
        if access_token:
            session, token, expires_at = refresh.renew_anonymous(api_key=api_key, access_token=access_token)
            return Response(
                anonymous_token(tenant=api_key.tenant, session=session, access_token=token, expires_at=expires_at)
            )
        raise InvalidInput.field("refresh_token", "This parameter is required.", code="required")

    def named_tenants(self, request: Request) -> list[str]:
        return [parameter(request, name) for name in ("tenant", "hybris-tenant")]

    def _api_key(self, request: Request) -> ApiKey:
        code = self.tenant_code(request)
        api_key = api_keys.get_active(tenant_code=code, client_id=parameter(request, "client_id"))
        self.confine(api_key.tenant)
        return api_key
