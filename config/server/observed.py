"""Every request from the outside: its id, its trace, its line in the log, its numbers."""

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from prometheus_client import Histogram

from tenants.telemetry import context, metrics

OTHER = "other"
WORDS = re.compile(r"\.?[a-z][a-z-]+")
logger = logging.getLogger("config.requests")

Headers = list[tuple[str, str]]
StartResponse = Callable[..., Callable[[bytes], object]]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class Observed:
    """A WSGI application that others can watch.

    The answer tells the request's id, `X-Request-ID`: the one that it came with, or a new one. At LOG_LEVEL=INFO there
    is a line for each request. Numbers are kept where METRICS_PORT is set. The inner application answers in one piece:
    its time ends when it returns.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        work = context.work_of(environ)
        token = context.begin(work)
        started = time.perf_counter()

        def with_id(status: str, headers: Headers, *exc_info: Any) -> Callable[[bytes], object]:
            work.status = status[:3]
            headers.append(("X-Request-ID", work.request))
            return start_response(status, headers, *exc_info)

        try:
            if not context.is_traced():
                return self._application(environ, with_id)
            with context.span(f"{environ['REQUEST_METHOD']} {area_of(environ)}", "server"):
                return self._application(environ, with_id)
        finally:
            _note(environ, work.status, time.perf_counter() - started)
            context.end(token)


def _note(environ: dict[str, Any], status: str, seconds: float) -> None:
    if settings.METRICS_PORT:
        _histogram(area_of(environ), status).observe(seconds)
    if logger.isEnabledFor(logging.INFO):
        logger.info("%s %s %s in %.1f ms", environ["REQUEST_METHOD"], environ["PATH_INFO"], status, seconds * 1000)


@cache
def _histogram(area: str, status: str) -> Histogram:
    """Kept: looking it up takes as long as the rest."""
    return metrics.request_seconds.labels(area, status)


def area_of(environ: dict[str, Any]) -> str:
    """The first part of the path where some address of ours begins so, else `other`: callers can't make up new ones."""
    first = environ["PATH_INFO"].split("/", 2)[1:2]
    return first[0] if first and first[0] in areas() else OTHER


@cache
def areas() -> frozenset[str]:
    """The first parts of all addresses."""
    return frozenset(_first_parts(get_resolver().url_patterns)) | {"livez", "readyz", "healthz", "static"}


def _first_parts(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    for each in patterns:
        text = str(each.pattern)
        if isinstance(each, URLResolver) and not text:
            yield from _first_parts(each.url_patterns)
        else:  # of a path or a regular expression, which may name several
            yield from WORDS.findall(re.split(r"[/<]", text, maxsplit=1)[0])
