"""The Kibo contract: how it names tenant and site, its one body for a failure, and the id that every answer carries."""

import re
import uuid
from typing import Any, ClassVar, Protocol, cast

from django.http import HttpRequest
from msgspec import to_builtins
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.kibo import response_fields
from auth_providers.api.kibo.records import Error, ErrorData, ErrorItem
from tenants import sites
from tenants.api.base import ContractViewSet, HasToken, UnknownPath
from tenants.api.caller import client_of
from tenants.api.failures import Failure
from tenants.api.headers import header
from tenants.errors import FieldError, InvalidInput, Reason
from tenants.models import Site, Tenant

APPLICATION_NAME = "Patron"
TENANT, SITE, CORRELATION = "x-vol-tenant", "x-vol-site", "x-vol-correlation"
NUMBER = re.compile(r"[0-9]{1,9}")
# t123-s456.shop.example or t123.shop.example
HOST = re.compile(r"t(?P<tenant>[0-9]{1,9})(?:-s(?P<site>[0-9]{1,9}))?\.", re.IGNORECASE)
# 32 hexadecimal digits, with the hyphens of RFC 9562 or without.
CORRELATION_ID = re.compile(r"[0-9a-fA-F]{8}(-?)[0-9a-fA-F]{4}(\1[0-9a-fA-F]{4}){2}\1[0-9a-fA-F]{12}")

INVALID = "MISSING_OR_INVALID_PARAMETER"
INVALID_CREDENTIALS = "INVALID_CREDENTIALS"
INVALID_ACCESS_TOKEN = "INVALID_ACCESS_TOKEN"  # noqa: S105
CODES = {
    400: INVALID,
    401: INVALID_ACCESS_TOKEN,
    403: "FORBIDDEN",
    404: "ITEM_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "ITEM_ALREADY_EXISTS",
    413: "REQUEST_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "TOO_MANY_REQUESTS",
    500: "UNEXPECTED_ERROR",
    503: "SERVICE_UNAVAILABLE",
}


class Application(Protocol):
    """What the authentication class leaves in `request.auth`."""

    @property
    def tenant(self) -> Tenant: ...

    @property
    def is_forwarding_trusted(self) -> bool:
        """Whether it says truly for which shopper it calls."""


class KiboViewSet(ContractViewSet):
    """Base of the contract's viewsets. An application's token names the tenant; header and host must agree with it."""

    permission_classes = [HasToken]
    # What is 401 here because something was tried that proves who one is.
    refused_credentials: ClassVar[frozenset[Reason]] = frozenset({Reason.INVALID_CREDENTIALS, Reason.INVALID_API_KEY})

    correlation_id: str
    site: Site | None = None
    fields: response_fields.Fields | None = None

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        sent = header(request, CORRELATION)
        self.correlation_id = sent if CORRELATION_ID.fullmatch(sent) else str(uuid.uuid4())
        return super().initialize_request(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        application = cast(Application | None, request.auth)
        if application is not None and application.is_forwarding_trusted:
            self.client = client_of(request, is_caller_trusted=True)
        self.fields = response_fields.parse(request.query_params.get(response_fields.PARAMETER, ""))
        number = named_number(request, SITE)
        if self.names_tenant_in_path and number is not None:
            self.site = _site(self.tenant, number)

    def _resolve_tenant(self, request: Request) -> Tenant:
        number = named_number(request, TENANT)
        application = cast(Application | None, request.auth)
        if application is None:
            raise NotAuthenticated("The access token of an application is required.")
        if number not in (None, application.tenant.number):
            raise NotAuthenticated("The access token is not one of this tenant.")
        return application.tenant

    def render_failure(self, failure: Failure) -> Response:
        status, code = failure.status, CODES.get(failure.status, failure.code.upper())
        if failure.reason in self.refused_credentials:
            status, code = 401, INVALID_CREDENTIALS
        headers = failure.headers | ({"WWW-Authenticate": "Bearer"} if status == 401 else {})  # noqa: PLR2004
        # Clients show the message and nothing else.
        message = " ".join(map(str, failure.details)) or failure.message
        body = Error(
            application_name=APPLICATION_NAME,
            error_code=code,
            message=message,
            correlation_id=self.correlation_id,
            additional_error_data=[],
            items=[self._item(code, each) for each in failure.details],
        )
        return Response(body, status=status, headers=headers)

    def _item(self, code: str, detail: FieldError) -> ErrorItem:
        """What is wrong with one field, in the shape of the whole."""
        return ErrorItem(
            application_name=APPLICATION_NAME,
            error_code=code,
            message=detail.message,
            correlation_id=self.correlation_id,
            additional_error_data=[ErrorData("field", detail.field), ErrorData("reason", detail.code)],
            items=[],
        )

    def is_wanted(self, *path: str) -> bool:
        """Whether `responseFields` leaves in this part of the answer."""
        return response_fields.is_wanted(self.fields, *path)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if self.fields and response.status_code < 400:  # noqa: PLR2004
            response.data = self.fields.of(to_builtins(response.data))
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers[CORRELATION] = self.correlation_id
        return final


def named_number(request: Request, name: str) -> int | None:
    """The number that a header or the host gives for tenant or site; None when neither does. Raises `InvalidInput` for
    what is no number, and when they contradict each other."""
    sent = header(request, name).strip()
    host = HOST.match(request.get_host())
    told = host[name.rpartition("-")[2]] if host else None
    given = [text for text in (sent, told) if text]
    numbers = {int(text) for text in given if NUMBER.fullmatch(text)}
    if len(numbers) > 1 or not all(map(NUMBER.fullmatch, given)):
        raise InvalidInput.field(name, "A number is expected, the same in the header and the host.")
    return numbers.pop() if numbers else None


def _site(tenant: Tenant, number: int) -> Site:
    try:
        return sites.get(tenant=tenant, number=number)
    except sites.UnknownSite as error:
        raise InvalidInput.field(SITE, error.message) from error


class KiboUnknownPath(UnknownPath, KiboViewSet):
    """A path under the contract's prefixes that it does not have."""
