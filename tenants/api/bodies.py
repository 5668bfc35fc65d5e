"""JSON in and out, with the limits that keep a hostile body from costing more than its bytes."""

from collections.abc import Mapping
from io import BytesIO
from typing import IO, Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from msgspec.json import encode
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

MAX_DEPTH = 32
MAX_ITEMS = 1000  # of one array or object


class BodyTooLarge(APIException):
    """RFC 9110, 15.5.14."""

    status_code = 413
    default_code = "body_too_large"
    default_detail = f"The body is larger than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KiB."


class JsonParser(BaseParser):
    """Strict JSON (RFC 8259): UTF-8, no NaN, no lone surrogates, no NUL characters, which PostgreSQL can't store."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError("The body is not valid JSON.") from error
        _check(value)
        return value


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


def _check(root: Any) -> None:
    """Raises `ParseError` for what is too deep, too long, or holds a NUL character."""
    level = [root]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        level = [child for value in level for child in _children(value)]


def _children(value: Any) -> list[Any]:
    if isinstance(value, str) and "\0" in value:
        raise ParseError("The body contains a NUL character.")
    if isinstance(value, dict):
        _check_size(value)
        return [*value.keys(), *value.values()]
    if isinstance(value, list):
        _check_size(value)
        return value
    return []


def _check_size(value: dict[str, Any] | list[Any]) -> None:
    if len(value) > MAX_ITEMS:
        raise ParseError(f"An array or object in the body has more than {MAX_ITEMS} items.")
