"""The description of the Neostore operations, for the generated document."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from auth_providers.api.neostore.authenticate import (
    AccessTokenData,
    AuthenticateViewSet,
    CodeAnswer,
    CodeRequest,
    PasswordData,
)
from auth_providers.api.neostore.base import OFFERED
from auth_providers.api.neostore.bodies import ADDRESS_NAMES, OLDER_NAMES, PROFILE_NAMES, READ_ONLY
from auth_providers.api.neostore.customer import API_KEY, CustomerViewSet
from auth_providers.api.neostore.records import Challenge
from tenants.api.contracts import Descriptions
from tenants.api.fields import Body, Text
from tenants.api.problems import PROBLEM, ProblemDetails
from tenants.api.schema import TENANT_CODE, AnyOf, in_path, in_query

SECURITY_SCHEMES = {
    "neo-customer": {"type": "http", "scheme": "bearer", "description": "The JWT of a customer."},
    "neo-server": {
        "type": "apiKey",
        "in": "header",
        "name": API_KEY,
        "description": "The secret of an API key with the scope customers.write: a server of the shop writes a "
        "customer's data without a challenge. A browser must never have it.",
    },
}
TENANT = in_path("tenantId", "Code of the tenant.", pattern=TENANT_CODE)
SENT = ("application/json", "text/json", "application/*+json")
TEXT, FLAG = {"type": ["string", "null"]}, {"type": ["boolean", "null"]}
FLAGS = ("isProspect",)
CUSTOMER_DATA = {
    "type": "object",
    "properties": {
        **{
            name: FLAG if name in FLAGS else TEXT
            for name in (*PROFILE_NAMES, *ADDRESS_NAMES, *OLDER_NAMES)
            if name not in READ_ONLY
        },
        "identifiers": {"type": ["object", "null"], "additionalProperties": TEXT},
        "challenge": {
            "type": ["object", "null"],
            "description": "The answer to the challenge of a 202.",
            "properties": {"id": {"type": "string"}, "code": {"type": "string"}},
            "required": ["id", "code"],
        },
    },
    "patternProperties": {"^consents_": FLAG},
    "additionalProperties": {},
}


REFUSALS = {
    400: "The request is not valid.",
    401: "No valid token of a customer, a wrong API key, or no proof that the data is the customer's.",
    403: "The token is for reading only.",
    404: "There is no such tenant.",
    412: "The data is not valid; `errors` names all of it.",
    413: "The body is too large.",
    415: "The body is of another media type.",
    422: "The provider refused it.",
    429: "Too many attempts.",
    503: "Not available right now.",
}
CHALLENGED = OpenApiResponse(Challenge, "Something has to be proven first.")


class IdTokenData(Body):
    """The tokens that the provider gave to the storefront; an access token besides is the provider's, too."""

    idToken = Text()
    accessToken = Text(required=False)
    nonce = Text(required=False)
    user = serializers.JSONField(required=False, help_text="Apple's `user`, which comes at the first log-in only.")


class AuthorizationCodeData(Body):
    """An authorization code that the provider gave to the storefront."""

    code = Text()
    redirectUri = Text()
    codeVerifier = Text(required=False)
    nonce = Text(required=False)
    user = serializers.JSONField(required=False, help_text="Apple's `user`, which comes at the first log-in only.")


def _operation(
    name: str,
    summary: str,
    description: str,
    *,
    success: Any,
    refusals: tuple[int, ...],
    challenge: Any = None,
    **rest: Any,
) -> Any:
    answers = {(200, media_type): success for media_type in OFFERED}
    answers |= {(202, media_type): challenge for media_type in OFFERED if challenge}
    failures = {
        (status, media_type): OpenApiResponse(ProblemDetails, REFUSALS[status])
        for status in refusals
        for media_type in (PROBLEM, *OFFERED)
    }
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        tags=["Customer"],
        responses=answers | failures,
        **rest,
    )


AUTHENTICATION = AnyOf(
    "Authentication", PasswordData, CodeRequest, CodeAnswer, IdTokenData, AuthorizationCodeData, AccessTokenData
)
DESCRIPTIONS: Descriptions = {
    CustomerViewSet: {
        "retrieve": [
            _operation(
                "customer-get",
                "Read one's own profile",
                "One flat object: the claims of the token that is shown, and the stored profile with its address, "
                "consents and identifiers.",
                parameters=[TENANT],
                auth=[{"neo-customer": []}],
                success=OpenApiResponse(OpenApiTypes.OBJECT, "The claims of the token and the profile."),
                refusals=(400, 401, 404, 503),
            )
        ],
        "create": [
            _operation(
                "customer-post",
                "Hand in a customer's data",
                "The data is put into one form and completed, and the profile of the customer whom it names is created "
                "or changed. Nobody changes an existing profile without a proof: the customer's token, the code that a "
                "202 asks for, sent back as `challenge`, or the key of a server. Fields of any other name are kept and "
                "returned, secrets excepted. `flow` names what is done besides.",
                parameters=[TENANT, in_query("flow", "Name of what is done then, e.g. `preregistration`.")],
                auth=[{"neo-customer": []}, {"neo-server": []}, {}],
                request=dict.fromkeys(SENT, CUSTOMER_DATA),
                success=OpenApiResponse(OpenApiTypes.OBJECT, "The profile; `enriched` names what nobody sent."),
                challenge=CHALLENGED,
                refusals=(400, 401, 403, 404, 412, 413, 415, 429, 503),
            )
        ],
    },
    AuthenticateViewSet: {
        "authenticate": [
            _operation(
                "customer-authenticate",
                "Log in with a provider",
                "What the body has to be depends on the provider: `password` takes e-mail and password; `otp` takes "
                "where to send a code, and then the code; `totp` takes the code of an authenticator app; providers of "
                "other names take what their kind needs, and one of the shop's own whatever that declares.",
                parameters=[TENANT, in_query("provider", "Name of the provider, e.g. `password`.", required=True)],
                auth=[],
                request=dict.fromkeys(SENT, AUTHENTICATION),
                success=OpenApiResponse(OpenApiTypes.STR, "The customer's JWT."),
                challenge=CHALLENGED,
                refusals=(400, 404, 413, 415, 422, 429, 503),
            )
        ],
    },
}
