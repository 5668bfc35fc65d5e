"""The description of the token endpoint, for the generated document."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from auth_providers.api.oauth.base import FormParser
from auth_providers.api.oauth.records import ACCESS_TOKEN, ID_TOKEN, JWT, TokenError, TokenResponse
from auth_providers.api.oauth.token import TokenViewSet
from auth_providers.api.oauth.well_known import CLIENT_CREDENTIALS, REFRESH_TOKEN, TOKEN_EXCHANGE
from tenants.api.contracts import Descriptions
from tenants.api.fields import Text
from tenants.api.schema import TENANT_CODE, AnyOf, in_path

SECURITY_SCHEMES = {
    "client": {"type": "http", "scheme": "basic", "description": "Client id and secret of an API key."},
}
# Without a scheme: the client names itself in the form.
CLIENT: Any = [{"client": []}, {}]


class TokenRequest(serializers.Serializer[Any]):
    """Who asks, unless the header says so."""

    client_id = Text(required=False, help_text="Unless it stands in the header.")
    client_secret = Text(required=False, help_text="Of a client that has one.")


class ExchangeRequest(TokenRequest):
    """RFC 8693, 2.1."""

    grant_type = serializers.ChoiceField(choices=[TOKEN_EXCHANGE])
    subject_token = Text(help_text="The other issuer's token.")
    subject_token_type = serializers.ChoiceField(choices=[ACCESS_TOKEN, ID_TOKEN, JWT])
    requested_token_type = serializers.ChoiceField(choices=[ACCESS_TOKEN, JWT], required=False)
    provider = Text(required=False, help_text="The provider that knows the issuer.")
    audience = Text(required=False, help_text="The tenant's code, if anything.")
    resource = Text(required=False, help_text="The tenant's issuer, if anything.")


class RefreshRequest(TokenRequest):
    """RFC 6749, 6."""

    grant_type = serializers.ChoiceField(choices=[REFRESH_TOKEN])
    refresh_token = Text(help_text="Spent by this.")


class ApplicationRequest(TokenRequest):
    """RFC 6749, 4.4.2."""

    grant_type = serializers.ChoiceField(choices=[CLIENT_CREDENTIALS])
    scope = Text(required=False, help_text="Scopes of the API key, separated by spaces; all of them if left out.")


REFUSALS = {
    400: "The request or the token in it is not valid, or the customer has to be asked.",
    401: "The client is unknown, or its secret is wrong.",
    404: "There is no such tenant.",
    413: "The body is too large.",
    415: "The body is not a form.",
    429: "Too many attempts.",
    503: "Not available right now, or the other issuer is not.",
}

DESCRIPTIONS: Descriptions = {
    TokenViewSet: {
        "issue": [
            extend_schema(
                operation_id="oauth-token",
                summary="Exchange another issuer's token, refresh, or log a server in",
                description="Token exchange (RFC 8693) takes `subject_token` and `subject_token_type`; a refresh (RFC "
                "6749, 6) takes `refresh_token`. Client credentials (4.4) log a server in, with scopes of its "
                "API key. The client names itself in the header or in the form.",
                tags=["OAuth"],
                parameters=[in_path("tenant", "Code of the tenant.", pattern=TENANT_CODE)],
                auth=CLIENT,
                request={
                    FormParser.media_type: AnyOf("TokenRequest", ExchangeRequest, RefreshRequest, ApplicationRequest)
                },
                responses={
                    200: OpenApiResponse(TokenResponse, "Tokens."),
                    **{status: OpenApiResponse(TokenError, told) for status, told in REFUSALS.items()},
                },
            )
        ],
    },
}
