"""The description of the account operations, for the generated document."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema

from auth_providers.api.account.authenticator import AuthenticatorViewSet, FirstCode
from auth_providers.api.account.records import AuthenticatorStatus, Enrolment, RecoveryCodes
from tenants.api.contracts import Descriptions
from tenants.api.problems import PROBLEM, ProblemDetails
from tenants.api.schema import TENANT_CODE, in_path

SECURITY_SCHEMES = {
    "customer": {"type": "http", "scheme": "bearer", "description": "A customer's token, of any contract."},
}
CUSTOMER: Any = [{"customer": []}]
TENANT = in_path("tenant", "Code of the tenant.", pattern=TENANT_CODE)


FRESH = "The customer has logged in within the last ten minutes, and has proven an e-mail address or telephone number."
REFUSALS = {
    400: "The request is not valid, or the code is wrong.",
    401: "No valid token.",
    403: "Not a customer's token, or the log-in is more than ten minutes ago.",
    404: "There is no such tenant, or no authenticator.",
    409: "An authenticator is enrolled already.",
    413: "The body is too large.",
    415: "The body is of another media type.",
    429: "Too many attempts.",
    503: "Not available right now.",
}


def _operation(
    name: str, summary: str, description: str, *, success: dict[int, Any], refusals: Iterable[int] = (), **rest: Any
) -> Any:
    failures = {
        (status, PROBLEM): OpenApiResponse(ProblemDetails, REFUSALS[status])
        for status in sorted({400, 401, 403, 404, 503, *refusals})
    }
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        tags=["Authenticator"],
        parameters=[TENANT],
        auth=CUSTOMER,
        responses=success | failures,
        **rest,
    )


DESCRIPTIONS: Descriptions = {
    AuthenticatorViewSet: {
        "retrieve": [
            _operation(
                "authenticator-get",
                "Learn whether an authenticator is enrolled",
                "Also how many recovery codes are left.",
                success={200: OpenApiResponse(AuthenticatorStatus, "As it stands.")},
            )
        ],
        "start": [
            _operation(
                "authenticator-start",
                "Begin to enrol an authenticator",
                f"Begins anew where it was not confirmed. {FRESH}",
                request=None,
                success={201: OpenApiResponse(Enrolment, "A secret, which counts once it is confirmed.")},
                refusals=(409,),
            )
        ],
        "confirm": [
            _operation(
                "authenticator-confirm",
                "Confirm the authenticator with its first code",
                f"From then on every log-in asks for a code of it. {FRESH}",
                request=FirstCode,
                success={200: OpenApiResponse(RecoveryCodes, "Enrolled; every other session has ended.")},
                refusals=(409, 413, 415, 429),
            )
        ],
        "renew_recovery_codes": [
            _operation(
                "authenticator-renew-recovery-codes",
                "Replace the recovery codes",
                f"Each logs in once, in place of the app. {FRESH}",
                request=None,
                success={200: OpenApiResponse(RecoveryCodes, "The new ones; the former are good no more.")},
            )
        ],
        "destroy": [
            _operation(
                "authenticator-remove",
                "Remove the authenticator",
                f"The recovery codes go with it, and every other session ends. {FRESH}",
                success={204: OpenApiResponse(description="It is removed, and its recovery codes with it.")},
            )
        ],
    },
}
