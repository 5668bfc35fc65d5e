"""OAuth's endpoints as standards have them: a form in, errors out (RFC 6749, 3.2 and 5.2), who is asking (2.3)."""

import base64
import re
from collections.abc import Mapping
from typing import IO, Any, ClassVar, cast
from urllib.parse import parse_qsl, unquote_plus

from django.conf import settings
from rest_framework.exceptions import APIException, ErrorDetail, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from auth_providers.api.oauth.records import token_error
from tenants import api_keys
from tenants.api.base import ContractViewSet, UnknownPath
from tenants.api.bodies import BodyTooLarge
from tenants.api.failures import Failure
from tenants.api.headers import header
from tenants.errors import Kind, Reason
from tenants.models import ApiKey

MAX_PARAMETERS = 100
# RFC 8707, 2, and RFC 8693, 2.1: these may stand in a request more than once.
REPEATABLE = ("audience", "resource")
# What the standards' lists have for a failure of ours.
ERRORS: Mapping[Reason | None, str] = {
    Reason.INVALID_API_KEY: "invalid_client",
    Reason.INVALID_TOKEN: "invalid_grant",
    Reason.TOKEN_EXPIRED: "invalid_grant",
    Reason.NOT_REVOCABLE: "unsupported_token_type",
}
ERRORS_BY_KIND = {
    Kind.CHALLENGE: "interaction_required",
    Kind.FORBIDDEN: "access_denied",
    Kind.THROTTLED: "temporarily_unavailable",
    Kind.UNAVAILABLE: "temporarily_unavailable",
}
# A failure of ours is a 400 but for these (RFC 6749, 5.2).
STATUSES: Mapping[Reason | None, int] = {Reason.INVALID_API_KEY: 401, Reason.UNKNOWN_TENANT: 404}
STATUSES_BY_KIND = {Kind.THROTTLED: 429, Kind.UNAVAILABLE: 503}
# RFC 6749, 5.2: printable ASCII without quotes and backslashes.
NOT_IN_A_DESCRIPTION = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class OAuthError(APIException):
    """A refusal that the standards have a name for."""

    status_code = 400

    def __init__(self, error: str, description: str) -> None:
        super().__init__()
        self.detail = ErrorDetail(description, error)


class FormParser(BaseParser):
    """A form (RFC 6749, appendix B) as lists of texts by name; empty ones count as left out (3.2)."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, list[str]]:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge
        try:
            pairs = parse_qsl(body.decode(), errors="strict", max_num_fields=MAX_PARAMETERS)
        except ValueError as error:
            raise ParseError("The body is not a form in UTF-8, or has too many fields.") from error
        return _by_name(pairs)


def _by_name(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in name + value:
            raise ParseError("The body contains a NUL character.")
        found.setdefault(name, []).append(value)
    for name, values in found.items():
        if len(values) > 1 and name not in REPEATABLE:
            raise ParseError(f"The parameter {name} is there more than once.")
    return found


class OAuthViewSet(ContractViewSet):
    """Base of the endpoints' viewsets."""

    parser_classes = [FormParser]
    authentication_classes = []
    permission_classes = []
    # Whether a client may show the same secret in the header and in the form.
    may_repeat_secret: ClassVar[bool] = False

    def parameters(self, request: Request, name: str) -> list[str]:
        """Every value that the parameter has."""
        return list(cast(dict[str, list[str]], request.data).get(name, []))

    def parameter(self, request: Request, name: str) -> str:
        """The parameter's value, "" when it was left out."""
        return next(iter(self.parameters(request, name)), "")

    def required(self, request: Request, name: str) -> str:
        """The parameter's value. Raises `OAuthError`."""
        value = self.parameter(request, name)
        if not value:
            raise OAuthError("invalid_request", f"The parameter {name} is required.")
        return value

    def authenticate_client(self, request: Request) -> ApiKey:
        """Which client asks: by HTTP Basic or in the form, not both, with its secret if it has one (RFC 6749, 2.3.1).

        Raises `InvalidApiKey` and `OAuthError`.
        """
        client_id, secret = self.credentials(request)
        key = api_keys.get_active(tenant_code=self.tenant.code, client_id=client_id)
        if key.secret_hash or secret:
            api_keys.check_secret(key=key, secret=secret)
        return key

    def credentials(self, request: Request) -> tuple[str, str]:
        """Client id and secret as they were sent, "" for what was not. Raises `InvalidApiKey` and `OAuthError`."""
        client_id, secret = self.parameter(request, "client_id"), self.parameter(request, "client_secret")
        authorization = header(request, "Authorization")
        if not authorization:
            return client_id, secret
        named, shown = _basic(authorization)
        is_repeated = self.may_repeat_secret and secret == shown
        if (secret and not is_repeated) or client_id not in ("", named):
            raise OAuthError("invalid_request", "The client authenticates in more than one way.")
        return named, shown

    def render_failure(self, failure: Failure) -> Response:
        error, status, headers = _error_of(failure), _status_of(failure), dict(failure.headers)
        headers.pop("WWW-Authenticate", None)
        if error == "invalid_client":
            headers["WWW-Authenticate"] = 'Basic realm="patron", charset="UTF-8"'
        body = token_error(error, _described(failure), cause=failure.error)
        return Response(body, status=status, headers=headers)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Pragma"] = "no-cache"  # RFC 6749, 5.1
        return final


class OAuthUnknownPath(UnknownPath, OAuthViewSet):
    """A path beside the endpoints."""


def _basic(authorization: str) -> tuple[str, str]:
    """Client id and secret from the header, each decoded like a form's value (RFC 6749, 2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, _, secret = text.partition(":")
        named, shown = unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except ValueError as error:
        raise api_keys.InvalidApiKey from error
    if scheme.lower() != "basic" or "\0" in named:
        raise api_keys.InvalidApiKey
    return named, shown


def _error_of(failure: Failure) -> str:
    if failure.error is None:
        return failure.code if failure.code in OWN_ERRORS else _by_status(failure.status)
    return ERRORS.get(failure.reason) or ERRORS_BY_KIND.get(failure.error.kind, "invalid_request")


OWN_ERRORS = (
    *("invalid_request", "invalid_scope", "invalid_target", "invalid_grant", "unsupported_grant_type"),
    "unauthorized_client",
)


def _by_status(status: int) -> str:
    if status in (429, 503):
        return "temporarily_unavailable"
    return "server_error" if status >= 500 else "invalid_request"  # noqa: PLR2004 - RFC 9110, 15.6


def _status_of(failure: Failure) -> int:
    if failure.error is None:
        return failure.status
    return STATUSES.get(failure.reason) or STATUSES_BY_KIND.get(failure.error.kind, 400)


def _described(failure: Failure) -> str:
    return NOT_IN_A_DESCRIPTION.sub("'", " ".join([failure.message, *map(str, failure.details)]))
