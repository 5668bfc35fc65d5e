"""Every failure of a request in one form, which each contract renders as its own."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import Http404
from rest_framework import exceptions
from rest_framework.serializers import BaseSerializer

from tenants.compiled import connections
from tenants.errors import DomainError, FieldCode, FieldError, Kind, Reason, fields_renamed
from tenants.telemetry import metrics

logger = logging.getLogger(__name__)

STATUS = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.THROTTLED: 429,
    Kind.CHALLENGE: 403,
    Kind.UNAVAILABLE: 503,
}
FIELD_CODES: Mapping[str, FieldCode] = {code: code for code in get_args(FieldCode)}
DATABASE_RETRY_AFTER = 1  # seconds


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What went wrong: an HTTP status to start from, a lower_snake code, a sentence, the fields at fault."""

    status: int
    code: str
    message: str
    details: tuple[FieldError, ...] = ()
    retry_after: int | None = None
    error: DomainError | None = None

    @property
    def reason(self) -> Reason | None:
        """Why the core refused; None where the request did not come that far."""
        return self.error.reason if self.error else None

    @property
    def headers(self) -> dict[str, str]:
        """RFC 9110: 10.2.3 and 11.6.1."""
        headers = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return headers | {"WWW-Authenticate": "Bearer"} if self.status == 401 else headers  # noqa: PLR2004


def failure_of(error: Exception) -> Failure:
    """The failure that an exception stands for. An unexpected exception is reported and becomes a 500."""
    if isinstance(error, DomainError):
        return Failure(
            status=STATUS[error.kind],
            code=error.reason,
            message=error.message,
            details=error.details,
            retry_after=error.retry_after,
            error=error,
        )
    if isinstance(error, exceptions.ValidationError):
        return Failure(
            status=400,
            code="validation_failed",
            message="The request contains invalid values.",
            details=tuple(_field_errors(error.detail)),
        )
    if isinstance(error, exceptions.APIException):
        return _of_api_exception(error)
    return _of_django_exception(error)


def _of_api_exception(error: exceptions.APIException) -> Failure:
    wait = getattr(error, "wait", None)
    return Failure(
        status=error.status_code,
        code=str(getattr(error.detail, "code", error.default_code)),
        message=str(error.detail),
        retry_after=None if wait is None else int(wait),
    )


def _of_django_exception(error: Exception) -> Failure:
    if isinstance(error, Http404):
        return Failure(status=404, code="not_found", message="Not found.")
    if isinstance(error, PermissionDenied):
        return Failure(status=403, code="permission_denied", message="User not authorized.")
    if isinstance(error, RequestDataTooBig):
        return Failure(status=413, code="body_too_large", message="The body is too large.")
    if isinstance(error, SuspiciousOperation):
        return Failure(status=400, code="bad_request", message="The request is malformed.")
    if connections.is_away(error):
        connections.leave_standby(error)
        metrics.database_errors.inc()
        logger.error("The database is not available", exc_info=error)
        return Failure(
            status=503,
            code="unavailable",
            message="The service is not available right now. Try again.",
            retry_after=DATABASE_RETRY_AFTER,
        )
    return _unforeseen(error)


def _unforeseen(error: Exception) -> Failure:
    logger.error("An error that no rule foresaw", exc_info=error)
    got_request_exception.send(sender=None, request=None)
    return Failure(status=500, code="internal_error", message="An unexpected error occurred.")


def _field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """Flatten what a serializer found into dotted paths."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _field_errors(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            is_leaf = isinstance(inner, exceptions.ErrorDetail)
            yield from _field_errors(inner, path if is_leaf else f"{path}.{index}".lstrip("."))
    else:
        yield FieldError(field=path, code=FIELD_CODES.get(getattr(detail, "code", ""), "invalid"), message=str(detail))


def in_the_words_of(serializer: BaseSerializer[Any]) -> AbstractContextManager[None]:
    """Inside, a failure's fields are renamed from the core's names to the contract's."""
    return fields_renamed(partial(_contract_path, serializer))


def _contract_path(serializer: BaseSerializer[Any], field: str) -> str:
    """The contract's path for the core's: of the longest part that has a name, with the rest as it is."""
    names = {source: path for path, source in _sources(serializer)}
    parts = field.split(".")
    for length in range(len(parts), 0, -1):
        name = names.get(".".join(parts[:length]))
        if name is not None:
            return ".".join([name, *parts[length:]])
    return field


def _sources(serializer: BaseSerializer[Any], path: str = "", source: str = "") -> Iterator[tuple[str, str]]:
    """Pairs of a contract's path and the core's path of each field."""
    for name, field in getattr(serializer, "fields", {}).items():
        own_path = f"{path}{name}"
        own_source = source if field.source == "*" else f"{source}{field.source}"
        if isinstance(field, BaseSerializer) and hasattr(field, "fields"):
            inner = own_source if field.source == "*" else f"{own_source}."
            yield from _sources(field, f"{own_path}.", inner)
        yield own_path, own_source
