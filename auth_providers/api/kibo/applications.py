"""`/platform/…`: an application gets its token, and learns of its tenant."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.kibo.authentication import ApplicationAuthentication
from auth_providers.api.kibo.base import TENANT, KiboViewSet, named_number
from auth_providers.api.kibo.bodies import tenant_with_sites
from auth_providers.api.kibo.formats import to_the_second
from auth_providers.api.kibo.records import ApplicationTicket, ApplicationToken
from auth_providers.tokens import client_credentials
from tenants import sites
from tenants.api.fields import Body, Text

CLIENT_CREDENTIALS = "client_credentials"


class OauthRequest(Body):
    """RFC 6749, 4.4. Clients that refresh send their credentials again, and so need nothing else."""

    client_id = Text(max_length=255)
    client_secret = Text(max_length=255)
    grant_type = serializers.ChoiceField(choices=[CLIENT_CREDENTIALS], default=CLIENT_CREDENTIALS)


class TicketRequest(Body):
    """What older clients send."""

    applicationId = Text(max_length=255, source="client_id")
    sharedSecret = Text(max_length=255, source="client_secret")


class ApplicationTokenViewSet(KiboViewSet):
    names_tenant_in_path = False
    authentication_classes = []
    permission_classes = []

    def authenticate(self, request: Request) -> Response:
        return Response(
            ApplicationToken(
                access_token=self._token(request, OauthRequest(data=request.data)),
                token_type="bearer",  # noqa: S106
                expires_in=int(client_credentials.TOKEN_LIFETIME.total_seconds()),
            )
        )

    def authenticate_by_ticket(self, request: Request) -> Response:
        expires_at = timezone.now() + client_credentials.TOKEN_LIFETIME
        token = self._token(request, TicketRequest(data=request.data))
        return Response(ApplicationTicket(access_token=token, access_token_expiration=to_the_second(expires_at)))

    def _token(self, request: Request, serializer: serializers.Serializer[Any]) -> str:
        """A token of the application whose credentials the body has. Raises `ValidationError`, and what
        `client_credentials.log_in` raises."""
        serializer.is_valid(raise_exception=True)
        application = client_credentials.log_in(
            tenant_number=named_number(request, TENANT),
            client_id=serializer.validated_data["client_id"],
            secret=serializer.validated_data["client_secret"],
            client=self.client,
        )
        return client_credentials.issue_token(application=application)


class TenantViewSet(KiboViewSet):
    authentication_classes = [ApplicationAuthentication]

    def retrieve(self, request: Request, number: str) -> Response:
        if number.lstrip("0") != str(self.tenant.number):
            raise NotFound("There is no such tenant.")
        return Response(tenant_with_sites(tenant=self.tenant, sites=sites.list_for(tenant=self.tenant)))
