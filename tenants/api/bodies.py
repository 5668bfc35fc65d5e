"""JSON in and out, with the limits that keep a hostile body from costing more than its bytes."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

from django.conf import settings
from django.http import HttpRequest
from msgspec.json import encode
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from tenants import json_values


class BodyTooLarge(APIException):
    """RFC 9110, 15.5.14."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KiB."


class JsonParser(BaseParser):
    """Strict JSON (`json_values.parse`)."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge
        try:
            return json_values.parse(body)
        except json_values.NotJson as error:
            raise ParseError(f"The body {error}.") from error


def measure(request: HttpRequest) -> None:
    """Give a body that came without its length (RFC 9112, 7.1; RFC 9113, 8.1.1) one. Django would read nothing of it,
    and a change would be answered and lost. Only where the server says that the body ends by itself."""
    if request.META.get("CONTENT_LENGTH") or not request.META.get("wsgi.input_terminated"):
        return
    body = request.META["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)


class MergePatchParser(JsonParser):
    """RFC 7396."""

    media_type = "application/merge-patch+json"


class JsonRenderer(BaseRenderer):
    """JSON, UTF-8."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """A record, or plain values; nothing for None."""
        return b"" if data is None else encode(data, enc_hook=_plain)


def _plain(value: object) -> str:
    """Subclasses of text, such as Django's SafeString, as text. Raises `TypeError` for what JSON has no form for."""
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"{type(value).__name__} can't be rendered as JSON")
