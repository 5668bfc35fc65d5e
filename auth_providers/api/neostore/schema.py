"""The description of the Neostore operations, for the generated document."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, PolymorphicProxySerializer, extend_schema

from auth_providers.api.neostore.authenticate import (
    AccessTokenData,
    AuthenticateViewSet,
    CodeAnswer,
    CodeRequest,
    PasswordData,
    SocialData,
)
from auth_providers.api.neostore.base import OFFERED
from auth_providers.api.neostore.customer import API_KEY, CustomerViewSet
from auth_providers.api.neostore.records import Challenge
from tenants.api.contracts import Descriptions
from tenants.api.problems import PROBLEM, ProblemDetails
from tenants.api.schema import TENANT_CODE, in_path, in_query

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
ANY_OBJECT = {"type": "object", "additionalProperties": {}}


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


def _operation(
    name: str, summary: str, *, success: Any, refusals: tuple[int, ...], challenge: Any = None, **rest: Any
) -> Any:
    answers = {(200, media_type): success for media_type in OFFERED}
    answers |= {(202, media_type): challenge for media_type in OFFERED if challenge}
    failures = {
        (status, media_type): OpenApiResponse(ProblemDetails, REFUSALS[status])
        for status in refusals
        for media_type in (PROBLEM, *OFFERED)
    }
    return extend_schema(operation_id=name, summary=summary, tags=["Customer"], responses=answers | failures, **rest)


AUTHENTICATION = PolymorphicProxySerializer(
    component_name="Authentication",
    serializers=[PasswordData, CodeRequest, CodeAnswer, SocialData, AccessTokenData],
    resource_type_field_name=None,
)
DESCRIPTIONS: Descriptions = {
    CustomerViewSet: {
        "retrieve": [
            _operation(
                "customer-get",
                "Read one's own profile",
                parameters=[TENANT],
                auth=[{"neo-customer": []}],
                success=OpenApiResponse(OpenApiTypes.OBJECT, "The claims of the token and the profile."),
                refusals=(400, 401, 404, 503),
            )
        ],
        "create": [
            _operation(
                "customer-post",
                "Hand in a customer's data: it is completed, and the profile is created or changed",
                parameters=[TENANT, in_query("flow", "Name of what is done then, e.g. `preregistration`.")],
                auth=[{"neo-customer": []}, {"neo-server": []}, {}],
                request=dict.fromkeys(SENT, ANY_OBJECT),
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
                "Log in with a provider, whose kind says what the body is",
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
