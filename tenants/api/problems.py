"""Failures as problem details (RFC 9457), for every API that has no shape of its own to keep."""

from dataclasses import replace
from http import HTTPStatus

from rest_framework.response import Response

from tenants.api.base import ContractViewSet, UnknownPath
from tenants.api.failures import Failure
from tenants.api.records import Record
from tenants.errors import Reason
from tenants.json_values import Json

PROBLEM = "application/problem+json"
# Of RFC 9110; Python calls them otherwise before 3.13.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


# What a client can tell failures by, where the status has one meaning.
EXAMPLE_CODES = {
    400: "bad_request",
    401: "not_authenticated",
    403: "permission_denied",
    404: "not_found",
    409: "conflict",
    410: "events_gone",
    412: "validation_failed",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_credentials",
    429: "throttled",
    503: "unavailable",
}


def title_of(status: int) -> str:
    return TITLES.get(status) or HTTPStatus(status).phrase


def refusal_example(status: int) -> dict[str, Json]:
    """What a problem of this status says besides its detail, for a document."""
    return {
        "type": "about:blank",
        "title": title_of(status),
        "code": EXAMPLE_CODES[status],
        "errors": {"email": ["Enter a valid e-mail address."]},
    }


class ProblemDetails(Record):
    """RFC 9457. `errors` maps a field to what is wrong with it."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: dict[str, list[str]] | None = None


class ProblemViewSet(ContractViewSet):
    """Base of viewsets that answer with problem details."""

    def failure_status(self, failure: Failure) -> int:
        """The status of a failure: an unknown tenant is not found."""
        return 404 if failure.reason is Reason.UNKNOWN_TENANT else failure.status

    def problem_type(self) -> str:
        """The media type of a problem."""
        return PROBLEM

    def render_failure(self, failure: Failure) -> Response:
        failure = replace(failure, status=self.failure_status(failure))
        body = ProblemDetails(
            type="about:blank",
            title=title_of(failure.status),
            status=failure.status,
            detail=failure.message,
            instance=self.request.path,
            code=failure.code,
            errors=_errors_by_field(failure) or None,
        )
        return Response(body, status=failure.status, headers=failure.headers, content_type=self.problem_type())


def _errors_by_field(failure: Failure) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for each in failure.details:
        errors.setdefault(each.field, []).append(each.message)
    return errors


class ProblemUnknownPath(UnknownPath, ProblemViewSet):
    """A path that is not there."""
