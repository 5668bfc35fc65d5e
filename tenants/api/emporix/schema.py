"""What the descriptions of the Emporix operations share: tokens, failures, parameters."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from tenants.api.emporix.records import ErrorMessage, Forbidden, GatewayFault
from tenants.api.schema import TENANT_CODE, in_header, in_path

# Any: drf-spectacular's own hints know names only, and no alternatives.
CUSTOMER: Any = [{"CustomerAccessToken": []}]
VISITOR: Any = [{"AnonymousAccessToken": []}, {"CustomerAccessToken": []}]
NOBODY: Any = []

SECURITY_SCHEMES = {
    "CustomerAccessToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The access token of a customer, from a log-in.",
    },
    "AnonymousAccessToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The access token of a visitor, from the anonymous log-in.",
    },
}
TENANT = in_path("tenant", "Code of the tenant.", pattern=TENANT_CODE)
TENANT_HEADERS = [
    in_header(name, "Code of the tenant again; when sent, it must agree.", pattern=rf"^({TENANT_CODE[1:-1]})?$")
    for name in ("Emporix-Tenant", "hybris-tenant")
]


REFUSALS = {
    400: (ErrorMessage, "The request or the tenant is not valid."),
    401: (GatewayFault, "No valid token, or wrong credentials."),
    403: (Forbidden, "The token does not open this."),
    404: (ErrorMessage, "There is no such thing here."),
    409: (ErrorMessage, "It exists already, or someone else changed it meanwhile."),
    413: (ErrorMessage, "The body is too large."),
    415: (ErrorMessage, "The body is of another media type."),
    429: (ErrorMessage, "Too many attempts."),
    503: (ErrorMessage, "Not available right now."),
}


def operation(
    name: str,
    summary: str,
    description: str,
    *,
    tag: str,
    tokens: Any,
    answers: dict[int, Any],
    refusals: Iterable[int] = (),
    body: Any = None,
    parameters: Iterable[OpenApiParameter] = (),
    methods: list[str] | None = None,
    has_tenant_path: bool = True,
) -> Any:
    """The description of one operation. `answers` maps the statuses of success to a record, or to a sentence when
    they have no body; `refusals` names what can go wrong beyond what always can."""
    statuses = {400, 401, 503, *refusals} | ({413, 415} if body else set())
    described = {status: _answer(answer) for status, answer in answers.items()}
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        tags=[tag],
        auth=tokens,
        request=body,
        parameters=[*([TENANT, *TENANT_HEADERS] if has_tenant_path else []), *parameters, *_headers_of(statuses)],
        responses={status: OpenApiResponse(*REFUSALS[status]) for status in sorted(statuses)} | described,
        methods=methods,
    )


def _answer(answer: Any) -> Any:
    if isinstance(answer, str):
        return OpenApiResponse(description=answer)
    body, description = answer
    return OpenApiResponse(body, description)


def _headers_of(statuses: Iterable[int]) -> list[OpenApiParameter]:
    with_wait = sorted({429, 503} & set(statuses))
    return [
        OpenApiParameter(
            "Retry-After", int, OpenApiParameter.HEADER, description="Seconds to wait.", response=with_wait
        )
    ]
