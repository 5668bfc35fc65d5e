"""The description of the account operations, for the generated document."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from auth_providers.api.account.authenticator import AuthenticatorViewSet, FirstCode
from auth_providers.api.account.own_data import OwnDataViewSet
from auth_providers.api.account.own_sessions import OwnSessionViewSet
from auth_providers.api.account.records import (
    AuthenticatorStatus,
    Consents,
    EndedSessions,
    Enrolment,
    LogIns,
    OwnSessions,
    RecoveryCodes,
    SecurityHistory,
)
from auth_providers.selfservice.own_account import security_history
from tenants.api.contracts import Descriptions
from tenants.api.problems import PROBLEM, ProblemDetails
from tenants.api.schema import TENANT_CODE, in_path, in_query

SECURITY_SCHEMES = {
    "customer": {"type": "http", "scheme": "bearer", "description": "A customer's token, of any contract."},
}
CUSTOMER: Any = [{"customer": []}]
TENANT = in_path("tenant", "Code of the tenant.", pattern=TENANT_CODE)


FRESH = "The customer has logged in within the last ten minutes, and has proven an e-mail address or telephone number."
CURSOR = "^[A-Za-z0-9_=-]*$"
REFUSALS = {
    400: "The request is not valid, or the code is wrong.",
    401: "No valid token.",
    403: "Not a customer's own token, or the log-in is too long ago.",
    404: "There is no such tenant, or not what it is about.",
    409: "An authenticator is enrolled already.",
    413: "The body is too large.",
    415: "The body is of another media type.",
    429: "Too many attempts.",
    503: "Not available right now.",
}


def _operation(
    name: str,
    summary: str,
    description: str,
    *,
    success: dict[int, Any],
    refusals: Iterable[int] = (),
    tag: str = "Authenticator",
    parameters: Iterable[OpenApiParameter] = (),
    **rest: Any,
) -> Any:
    failures = {
        (status, PROBLEM): OpenApiResponse(ProblemDetails, REFUSALS[status])
        for status in sorted({400, 401, 403, 404, 503, *refusals})
    }
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        tags=[tag],
        parameters=[TENANT, *parameters],
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
    OwnSessionViewSet: {
        "list_running": [
            _operation(
                "sessions-list",
                "See where one is logged in",
                "The sessions that are running, the newest log-in first, a hundred at most.",
                tag="Sessions",
                success={200: OpenApiResponse(OwnSessions, "The sessions, that of the token among them.")},
            )
        ],
        "destroy": [
            _operation(
                "session-end",
                "End one session",
                "Its tokens are refused from the next request on. What was asked for before and waits for an answer "
                "ends, too.",
                tag="Sessions",
                parameters=[in_path("session", "Id of the session.")],
                success={204: OpenApiResponse(description="It has ended.")},
            )
        ],
        "end_others": [
            _operation(
                "sessions-end-others",
                "End every other session",
                "That of the token goes on. What was asked for before and waits for an answer ends, too.",
                tag="Sessions",
                success={200: OpenApiResponse(EndedSessions, "They have ended.")},
            )
        ],
    },
    OwnDataViewSet: {
        "log_ins": [
            _operation(
                "log-ins-list",
                "See what one logs in with",
                "Addresses, numbers and identities at other providers, oldest first.",
                tag="Data",
                success={200: OpenApiResponse(LogIns, "The customer's own.")},
            )
        ],
        "consents": [
            _operation(
                "consents-list",
                "See what one has consented to",
                "What is in force, and every statement there was.",
                tag="Data",
                success={200: OpenApiResponse(Consents, "The customer's own.")},
            )
        ],
        "history": [
            _operation(
                "history-list",
                "See what happened to one's access",
                "Log-ins that succeeded and failed, and changes of what one logs in with, newest first.",
                tag="Data",
                parameters=[
                    in_query("before", "What the page before said; left out, the newest.", pattern=CURSOR),
                    in_query(
                        "limit", f"1 to {security_history.MAX_LIMIT}.", pattern="^([1-9]|[1-9][0-9]|1[0-9]{2}|200)?$"
                    ),
                ],
                success={200: OpenApiResponse(SecurityHistory, "Events.")},
            )
        ],
        "download": [
            _operation(
                "data-download",
                "Download all that is held about one",
                "Every row by its table, without secrets (GDPR, Articles 15 and 20). The customer has logged in within "
                "the last 24 hours; ten times a day at most.",
                tag="Data",
                success={200: OpenApiResponse(OpenApiTypes.OBJECT, "Rows by table; each maps columns to values.")},
                refusals=(429,),
            )
        ],
    },
}
