"""The description of the Neostore operations, for the generated document."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers

from auth_providers.api.neostore.customer import AuthenticateViewSet, CustomerViewSet, PasswordData
from tenants.api.neostore import OFFERED
from tenants.api.problems import PROBLEM
from tenants.api.schema import TENANT_CODE, Descriptions, in_path, in_query

SECURITY_SCHEMES = {
    "neo-customer": {"type": "http", "scheme": "bearer", "description": "The JWT of a customer."},
}
TENANT = in_path("tenantId", "Code of the tenant.", pattern=TENANT_CODE)


class ProblemDetails(serializers.Serializer[Any]):
    """RFC 9457. `errors` maps a field to what is wrong with it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """`errors` is a name that serializers use themselves."""
        messages = serializers.ListField(child=serializers.CharField())
        return super().get_fields() | {"errors": serializers.DictField(child=messages, required=False)}


REFUSALS = {
    400: "The request is not valid.",
    401: "No valid token of a customer.",
    404: "There is no such tenant.",
    413: "The body is too large.",
    415: "The body is of another media type.",
    422: "The provider refused it.",
    429: "Too many attempts.",
    503: "Not available right now.",
}


def _operation(name: str, summary: str, *, success: Any, refusals: tuple[int, ...], **rest: Any) -> Any:
    answers = {(200, media_type): success for media_type in OFFERED}
    failures = {
        (status, media_type): OpenApiResponse(ProblemDetails, REFUSALS[status])
        for status in refusals
        for media_type in (PROBLEM, *OFFERED)
    }
    return extend_schema(operation_id=name, summary=summary, tags=["Customer"], responses=answers | failures, **rest)


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
    },
    AuthenticateViewSet: {
        "authenticate": [
            _operation(
                "customer-authenticate",
                "Log in with a provider",
                parameters=[TENANT, in_query("provider", "Name of the provider, e.g. `password`.", required=True)],
                auth=[],
                request=PasswordData,
                success=OpenApiResponse(OpenApiTypes.STR, "The customer's JWT."),
                refusals=(400, 404, 413, 415, 422, 429, 503),
            )
        ],
    },
}
