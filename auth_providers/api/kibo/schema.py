"""The description of the Kibo operations, for the generated document."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from auth_providers.api.kibo import response_fields
from auth_providers.api.kibo.applications import (
    ApplicationTokenViewSet,
    OauthRequest,
    TenantViewSet,
    TicketRequest,
)
from auth_providers.api.kibo.authentication import USER_CLAIMS
from auth_providers.api.kibo.base import CORRELATION, SITE, TENANT
from auth_providers.api.kibo.codes import CodeViewSet, OtpAuth, OtpRequest, SecondFactorAuth, SecondFactorRequest
from auth_providers.api.kibo.records import ApplicationTicket, ApplicationToken, AuthTicket, Error, TenantWithSites
from auth_providers.api.kibo.response_fields import PARAMETER
from auth_providers.api.kibo.tickets import OwnTicketViewSet, PasswordRequest
from tenants.api.contracts import Descriptions
from tenants.api.schema import in_header, in_path, in_query

SECURITY_SCHEMES = {
    "application": {"type": "http", "scheme": "bearer", "description": "The access token of an application."},
}
APPLICATION: Any = [{"application": []}]
NOBODY: Any = []


REFUSALS = {
    400: "The request is not valid.",
    401: "No valid token of an application of this tenant, or wrong credentials.",
    403: "A second factor is due, and there is none that could be asked for.",
    404: "There is no such tenant.",
    413: "The body is too large.",
    415: "The body is of another media type.",
    429: "Too many attempts.",
    503: "Not available right now.",
}
A_NUMBER, OR_NONE = "^[0-9]{1,9}$", "^[0-9]{0,9}$"
TENANT_AND_SITE = [
    in_header(TENANT, "Number of the tenant; when sent, it must be that of the token.", pattern=OR_NONE),
    in_header(SITE, "Number of the site.", pattern=OR_NONE),
]
SECOND_STEP = (
    "Where a second factor is due, `requires2FA` is true and the ticket has no tokens: `userId` is what the log-in "
    "goes on with."
)
TICKET = OpenApiResponse(AuthTicket, "The ticket.")
CONTINUING = in_header(USER_CLAIMS, "A visitor's access token, so that the log-in goes on with its session.")


def _operation(
    name: str,
    summary: str,
    description: str,
    *,
    success: OpenApiResponse,
    tag: str = "Storefront auth tickets",
    auth: Any = APPLICATION,
    refusals: Iterable[int] = (),
    body: Any = None,
    parameters: Iterable[OpenApiParameter] = (),
) -> Any:
    statuses = {400, 401, 503, *refusals} | ({413, 415} if body else set())
    fields = in_query(
        PARAMETER,
        "The parts of the answer that are wanted: names with a comma between them, each with a list of its own parts "
        "in parentheses or without. Unknown names are left out.",
        pattern=response_fields.FORM,
    )
    return extend_schema(
        operation_id=name,
        summary=summary,
        description=description,
        tags=[tag],
        auth=auth,
        request=body,
        parameters=[*TENANT_AND_SITE, fields, *parameters, *_headers({200, *statuses})],
        responses={200: success} | {status: OpenApiResponse(Error, REFUSALS[status]) for status in sorted(statuses)},
    )


def _headers(statuses: set[int]) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(
            CORRELATION,
            str,
            OpenApiParameter.HEADER,
            description="Of this call: the one that was sent, or a new one.",
            response=sorted(statuses),
        ),
        OpenApiParameter(
            "Retry-After",
            int,
            OpenApiParameter.HEADER,
            description="Seconds to wait.",
            response=sorted({429, 503} & statuses),
        ),
    ]


DESCRIPTIONS: Descriptions = {
    OwnTicketViewSet: {
        "log_in": [
            _operation(
                "createUserAuthTicket",
                "Log in with a password",
                f"Every reason to refuse is the same 401. {SECOND_STEP}",
                success=TICKET,
                refusals=(403, 429),
                body=PasswordRequest,
                parameters=[CONTINUING],
            )
        ],
        "open_anonymous": [
            _operation(
                "createAnonymousShopperAuthTicket",
                "Begin a visit",
                "Opens a session for somebody who has not logged in; `customerAccount` says only that.",
                success=TICKET,
                refusals=(429,),
            )
        ],
        "refresh": [
            _operation(
                "refreshUserAuthTicket",
                "Exchange a refresh token, of a customer or a visitor",
                "Gives the next ticket of the session. A token is good once; shown again within 30 seconds it gives "
                "the same one, and later it ends the session.",
                success=TICKET,
                parameters=[in_query("refreshToken", "Good once.", required=True)],
            )
        ],
    },
    CodeViewSet: {
        "request_code": [
            _operation(
                "generateAndSendOtp",
                "Send a code by mail",
                "The code logs in once. The answer is the same for an address that nobody here has.",
                success=OpenApiResponse(description="The same for an e-mail that nobody here has."),
                refusals=(429,),
                body=OtpRequest,
            )
        ],
        "log_in": [
            _operation(
                "validateOtpAndCreateAuthTicket",
                "Log in with a code",
                f"After three wrong answers a new code is needed. {SECOND_STEP}",
                success=TICKET,
                refusals=(403, 429),
                body=OtpAuth,
                parameters=[CONTINUING],
            )
        ],
        "request_second_factor": [
            _operation(
                "generateAndSend2faOtp",
                "Send the code of a second factor",
                "`userId` is that of the ticket that has no tokens; it may stand in the header instead.",
                success=OpenApiResponse(description="Also where an authenticator app has the code."),
                refusals=(403, 429),
                body=SecondFactorRequest,
                parameters=[in_header(USER_CLAIMS, "The `userId`, where it is not in the body.")],
            )
        ],
        "complete": [
            _operation(
                "validate2FAAndCreateAuthTicket",
                "Go on with a log-in that needs a second factor",
                "`userId` is that of the ticket that has no tokens; it may stand in the header instead.",
                success=TICKET,
                refusals=(403, 429),
                body=SecondFactorAuth,
                parameters=[in_header(USER_CLAIMS, "The `userId`, where it is not in the body.")],
            )
        ],
    },
    ApplicationTokenViewSet: {
        "authenticate_by_ticket": [
            _operation(
                "authenticateApp",
                "Get the access token of an application, as older clients do",
                "The same token as by client credentials, in an older form.",
                success=OpenApiResponse(ApplicationTicket, "The token."),
                tag="Platform",
                auth=NOBODY,
                refusals=(429,),
                body=TicketRequest,
            )
        ],
        "authenticate": [
            _operation(
                "oauthAuthenticateApp",
                "Get the access token of an application",
                "By client credentials (RFC 6749, 4.4): id and secret of an API key of the tenant.",
                success=OpenApiResponse(ApplicationToken, "The token."),
                tag="Platform",
                auth=NOBODY,
                refusals=(429,),
                body=OauthRequest,
            )
        ],
    },
    TenantViewSet: {
        "retrieve": [
            _operation(
                "getTenant",
                "Read one's own tenant",
                "What a client needs to know of the tenant and its sites, by the token of its application.",
                success=OpenApiResponse(TenantWithSites, "The tenant and its sites."),
                tag="Platform",
                refusals=(404,),
                parameters=[in_path("tenantId", "Number of the tenant.", pattern=A_NUMBER)],
            )
        ],
    },
}
