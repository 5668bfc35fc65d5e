"""`/platform/…`: an application gets its token, and learns of its tenant."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.kibo.authentication import ApplicationAuthentication
from auth_providers.api.kibo.base import TENANT, KiboViewSet, named_number
from auth_providers.api.kibo.bodies import tenant_with_sites
from auth_providers.api.kibo.records import ApplicationToken
from auth_providers.tokens import client_credentials
from tenants import sites

CLIENT_CREDENTIALS = "client_credentials"


class OauthRequest(serializers.Serializer[Any]):
    """RFC 6749, 4.4. Clients that refresh send their credentials again, and so need nothing else."""

    client_id = serializers.CharField(max_length=255)
    client_secret = serializers.CharField(max_length=255, trim_whitespace=False)
    grant_type = serializers.ChoiceField(choices=[CLIENT_CREDENTIALS], default=CLIENT_CREDENTIALS)


class ApplicationTokenViewSet(KiboViewSet):
    names_tenant_in_path = False
    authentication_classes = []
    permission_classes = []

    def authenticate(self, request: Request) -> Response:
        serializer = OauthRequest(data=request.data)
        serializer.is_valid(raise_exception=True)
        application = client_credentials.log_in(
            tenant_number=named_number(request, TENANT),
            client_id=serializer.validated_data["client_id"],
            secret=serializer.validated_data["client_secret"],
            client=self.client,
        )
        return Response(
            ApplicationToken(
                access_token=client_credentials.issue_token(application=application),
                token_type="bearer",  # noqa: S106
                expires_in=int(client_credentials.TOKEN_LIFETIME.total_seconds()),
            )
        )


class TenantViewSet(KiboViewSet):
    authentication_classes = [ApplicationAuthentication]

    def retrieve(self, request: Request, number: str) -> Response:
        if number.lstrip("0") != str(self.tenant.number):
            raise NotFound("There is no such tenant.")
        return Response(tenant_with_sites(tenant=self.tenant, sites=sites.list_for(tenant=self.tenant)))
