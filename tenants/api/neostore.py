"""The Neostore contract: how it names the tenant, its problem bodies (RFC 9457) and its content types."""

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.base import ContractViewSet, JsonOnly, UnknownPath
from tenants.api.bodies import JsonParser, JsonRenderer
from tenants.api.failures import Failure

PROBLEM = "application/problem+json"
OFFERED = ("application/json", "text/json", "text/plain")
# Of RFC 9110; Python calls them otherwise before 3.13.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class TextJsonParser(JsonParser):
    media_type = "text/json"


class SuffixJsonParser(JsonParser):
    """application/merge-patch+json and everything else that ends so (RFC 6839)."""

    media_type = "application/*+json"


class TextJsonRenderer(JsonRenderer):
    media_type = "text/json"


class PlainRenderer(JsonRenderer):
    media_type = "text/plain"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """Text that is asked for as text comes without quotes; everything else is JSON all the same."""
        if isinstance(data, str):
            return data.encode()
        return super().render(data, accepted_media_type, renderer_context)


class ByAccept(BaseContentNegotiation):
    """The first offered type that `Accept` names, else JSON: nobody is sent away for what they accept."""

    select_parser = JsonOnly.select_parser

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        asked = named_types(request)
        for renderer in renderers:
            if asked[:1] == [renderer.media_type]:
                return renderer, renderer.media_type
        return renderers[0], renderers[0].media_type


def named_types(request: Request) -> list[str]:
    """Those of the offered types that `Accept` names, in its order."""
    accepted = [part.split(";")[0].strip().lower() for part in request.headers.get("Accept", "").split(",")]
    return [media_type for media_type in accepted if media_type in OFFERED]


class NeostoreViewSet(ContractViewSet):
    """Base of the contract's viewsets."""

    parser_classes = [JsonParser, TextJsonParser, SuffixJsonParser]
    renderer_classes = [JsonRenderer, TextJsonRenderer, PlainRenderer]
    content_negotiation_class = ByAccept

    def failure_status(self, failure: Failure) -> int:
        """The status that the contract has for a failure: an unknown tenant is not found."""
        return 404 if failure.code == "unknown_tenant" else failure.status

    def render_failure(self, failure: Failure) -> Response:
        failure = replace(failure, status=self.failure_status(failure))
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES.get(failure.status) or HTTPStatus(failure.status).phrase,
            "status": failure.status,
            "detail": failure.message,
            "instance": self.request.path,
            "code": failure.code,
        }
        if failure.details:
            body["errors"] = _errors_by_field(failure)
        asked = named_types(self.request)
        content_type = asked[0] if asked else PROBLEM
        return Response(body, status=failure.status, headers=failure.headers, content_type=content_type)


def _errors_by_field(failure: Failure) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for each in failure.details:
        errors.setdefault(each.field, []).append(each.message)
    return errors


class NeostoreUnknownPath(UnknownPath, NeostoreViewSet):
    """A path under the contract's prefix that it does not have."""
