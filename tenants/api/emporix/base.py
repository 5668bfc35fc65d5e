"""The Emporix contract: how it names the tenant, and its three bodies for a failure."""

from collections.abc import Mapping

from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.base import ContractViewSet, UnknownPath
from tenants.api.emporix.records import ErrorDetail, ErrorMessage, FaultBody, FaultDetail, Forbidden, GatewayFault
from tenants.api.failures import Failure
from tenants.directory import UnknownTenant
from tenants.errors import Reason

# A 401 comes from the contract's gateway, in the gateway's words.
FAULTS: Mapping[Reason | None, tuple[str, str]] = {
    Reason.TOKEN_EXPIRED: ("Access Token expired", "keymanagement.service.access_token_expired"),
    Reason.INVALID_API_KEY: ("Invalid ApiKey", "oauth.v2.InvalidApiKey"),
    # Ours: a client has to tell a wrong code, to be asked for again, from a log-in that has to start again.
    Reason.INVALID_CODE: ("Invalid second factor code", "oauth.v2.InvalidSecondFactorCode"),
    Reason.INVALID_HANDLE: ("Invalid second factor handle", "oauth.v2.InvalidSecondFactorHandle"),
}
INVALID_TOKEN_FAULT = ("Invalid access token", "oauth.v2.InvalidAccessToken")
TYPES = {
    400: "bad_request",
    404: "resource_not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    409: "conflict_resource",
    413: "payload_too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    500: "internal_service_error",
    503: "service_unavailable",
}
TENANT_HEADERS = ("Emporix-Tenant", "hybris-tenant")
WSGI_NAMES = tuple(f"HTTP_{name.upper().replace('-', '_')}" for name in TENANT_HEADERS)


class EmporixViewSet(ContractViewSet):
    """Base of the contract's viewsets."""

    def tenant_code(self, request: Request) -> str:
        codes = {*self.named_tenants(request), *(str(request.META.get(name, "")) for name in WSGI_NAMES)} - {""}
        if len(codes) != 1:
            raise UnknownTenant
        return codes.pop()

    def named_tenants(self, request: Request) -> list[str]:
        """The codes in the request, headers aside."""
        return [super().tenant_code(request)]

    def render_failure(self, failure: Failure) -> Response:
        if failure.status == 401:  # noqa: PLR2004
            return Response(_fault(failure), status=401, headers=failure.headers)
        if failure.status == 403:  # noqa: PLR2004
            return Response(self.forbidden(failure), status=403)
        return Response(_error_message(failure), status=failure.status, headers=failure.headers)

    def forbidden(self, failure: Failure) -> Forbidden:
        """The body of a 403, which says no more than that."""
        return Forbidden(type="Forbidden", status=403, message="User not authorized.")


def _fault(failure: Failure) -> GatewayFault:
    text, code = FAULTS.get(failure.reason, INVALID_TOKEN_FAULT)
    return GatewayFault(fault=FaultBody(faultstring=text, detail=FaultDetail(errorcode=code)))


def _error_message(failure: Failure) -> ErrorMessage:
    details = [ErrorDetail(field=each.field, type=each.code, message=each.message) for each in failure.details]
    return ErrorMessage(
        status=failure.status,
        type=TYPES.get(failure.status, failure.code),
        message=failure.message,
        details=details or None,
    )


class EmporixUnknownPath(UnknownPath, EmporixViewSet):
    """A path under the contract's prefixes that it does not have."""
