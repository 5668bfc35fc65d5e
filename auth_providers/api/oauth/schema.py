"""The description of OAuth's endpoints, for the generated document."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from auth_providers.api.oauth.base import FormParser
from auth_providers.api.oauth.introspection import SIGNED, IntrospectionViewSet
from auth_providers.api.oauth.records import (
    ACCESS_TOKEN,
    ID_TOKEN,
    JWT,
    Introspection,
    TokenError,
    TokenResponse,
    Userinfo,
)
from auth_providers.api.oauth.revocation import RevocationViewSet
from auth_providers.api.oauth.token import TokenViewSet
from auth_providers.api.oauth.userinfo import UserinfoViewSet
from auth_providers.api.oauth.well_known import CLIENT_CREDENTIALS, REFRESH_TOKEN, TOKEN_EXCHANGE
from tenants.api.contracts import Descriptions
from tenants.api.fields import Body, Text
from tenants.api.schema import TENANT_CODE, AnyOf, in_path

SECURITY_SCHEMES = {
    "client": {"type": "http", "scheme": "basic", "description": "Client id and secret of an API key."},
    "customer": {"type": "http", "scheme": "bearer", "description": "A customer's token, of any contract."},
}
TENANT = in_path("tenant", "Code of the tenant.", pattern=TENANT_CODE)
# Without a scheme: the client names itself in the form.
CLIENT: Any = [{"client": []}, {}]
CUSTOMER: Any = [{"customer": []}]


class TokenRequest(Body):
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


class ShownToken(TokenRequest):
    """RFC 7662, 2.1, and RFC 7009, 2.1."""

    token = Text(help_text="The token that it is about, of any kind.")
    token_type_hint = Text(required=False, help_text="Every kind is looked for, whatever this says.")


REFUSALS = {
    400: "The request or the token in it is not valid, or the customer has to be asked.",
    401: "The client is unknown, or its secret is wrong.",
    404: "There is no such tenant.",
    413: "The body is too large.",
    415: "The body is not a form.",
    429: "Too many attempts.",
    503: "Not available right now, or the other issuer is not.",
}


def _refusals(*statuses: int, **others: str) -> dict[int, OpenApiResponse]:
    told = {status: REFUSALS[status] for status in statuses} | {int(name[1:]): text for name, text in others.items()}
    return {status: OpenApiResponse(TokenError, each) for status, each in sorted(told.items())}


def _userinfo(method: str) -> Any:
    return extend_schema(
        methods=[method],
        operation_id=f"oauth-userinfo-{method.lower()}",
        summary="Read who the customer is",
        description="OpenID Connect Core 1.0, 5.3. An e-mail address is told only where the customer has proven it.",
        tags=["OAuth"],
        parameters=[TENANT],
        auth=CUSTOMER,
        request=None,
        responses={
            200: OpenApiResponse(Userinfo, "What the profile has of it."),
            **_refusals(400, 404, 503, _401="No valid token.", _403="A visitor's token."),
        },
    )


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
                parameters=[TENANT],
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
    IntrospectionViewSet: {
        "introspect": [
            extend_schema(
                operation_id="oauth-introspect",
                summary="Learn what a token is good for",
                description="RFC 7662, for a server of the shop whose API key has the scope `tokens.introspect`. A "
                "token of another tenant is not active, nor is a refresh token of another client's. With `Accept: "
                f"{SIGNED}` the answer is a JWT (RFC 9701), signed with the tenant's key for this client.",
                tags=["OAuth"],
                parameters=[TENANT],
                auth=CLIENT,
                request={FormParser.media_type: ShownToken},
                responses={
                    (200, "application/json"): OpenApiResponse(Introspection, "The token, or that it is not active."),
                    (200, SIGNED): OpenApiResponse(OpenApiTypes.STR, "The same in the claim `token_introspection`."),
                    **_refusals(
                        *(400, 401, 404, 413, 415, 503), _403="The API key lacks the scope `tokens.introspect`."
                    ),
                },
            )
        ],
    },
    RevocationViewSet: {
        "revoke": [
            extend_schema(
                operation_id="oauth-revoke",
                summary="Give up a token",
                description="RFC 7009, for the client that it was issued to. With a refresh token the customer's "
                "session ends. JWTs and tokens of applications can't be revoked (`unsupported_token_type`).",
                tags=["OAuth"],
                parameters=[TENANT],
                auth=CLIENT,
                request={FormParser.media_type: ShownToken},
                responses={
                    200: OpenApiResponse(description="It is good no more, or never was."),
                    **_refusals(400, 401, 404, 413, 415, 503),
                },
            )
        ],
    },
    UserinfoViewSet: {"retrieve": [_userinfo("GET"), _userinfo("POST")]},
}
