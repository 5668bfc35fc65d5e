"""What granian serves (`manage.py serve`): the WSGI application, behind a deadline for reading a request's body.

Under granian's own WSGI interface a thread waits for the body for as long as the client takes, so that as many slow
clients as there are threads stop the service. Here the event loop reads it, and a thread gets a complete request.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from types import TracebackType
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string
from granian.rsgi import Scope

from config.server.garbage_collection import leave_out_what_is_there
from config.server.threads import Threads
from config.wsgi import application

# Passwords that are hashed, or wait for it, hold as many as `auth_providers.accounts.hashing` lets wait, and one; the
# others answer everything else. Measured on a view with one SELECT: more than four gain nothing under the
# interpreter's lock. A thread that is never needed is never started, and opens no connection to the database.
THREADS = 16
Headers = list[tuple[str, str]]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None

_threads = Threads(THREADS)


class Exchange(Protocol):
    """What granian gives to read the body with, and to answer (its RSGI, "HTTP protocol")."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None: ...


class BodyIncomplete(Exception):
    """The client went away before the body was there."""


@dataclass(frozen=True, kw_only=True)
class Response:
    """What the WSGI application answered."""

    status: int
    headers: Headers
    body: bytes


TOO_SLOW = Response(status=408, headers=[("Content-Type", "text/plain"), ("Connection", "close")], body=b"Too slow\n")


async def app(scope: Scope, proto: Exchange) -> None:
    """Answer one request. A body that isn't there within REQUEST_SECONDS is answered with 408, and the connection is
    closed (RFC 9110, 15.5.9)."""
    start_worker()
    try:
        body = await _read(scope, proto)
    except TimeoutError:
        response = TOO_SLOW
    except BodyIncomplete:
        return
    else:
        response = await _threads.run(_call, wsgi_environ(scope, body))
    proto.response_bytes(response.status, response.headers, response.body)


@cache
def start_worker() -> None:
    """What each worker process needs besides the requests, once: at the first one, since an import serves nothing."""
    for name in settings.AT_WORKER_START:
        import_string(name)()
    leave_out_what_is_there()


async def _read(scope: Scope, proto: Exchange) -> bytes:
    """The body, or as much of it as shows that it is too large. Raises `BodyIncomplete`, and `TimeoutError` where it
    isn't there within REQUEST_SECONDS.

    Piece by piece: granian's way to the whole keeps the buffer of each, 4 KiB for every byte that a client sends by
    itself (measured with version 2.8.7).
    """
    declared = scope.headers.get("content-length")
    if not declared and "transfer-encoding" not in scope.headers:
        return b""
    body = bytearray()
    async with asyncio.timeout(settings.REQUEST_SECONDS):
        async for chunk in proto:
            body += chunk
            if len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
                return bytes(body)
    if declared and len(body) < int(declared):
        raise BodyIncomplete
    return bytes(body)


def _call(environ: dict[str, Any]) -> Response:
    started: list[tuple[int, Headers]] = []

    def start_response(status: str, headers: Headers, exc_info: ExcInfo = None, /) -> Callable[[bytes], object]:
        started.append((int(status[:3]), headers))
        return lambda written: None  # for programs older than PEP 3333; Django's handler doesn't write

    chunks = application(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        getattr(chunks, "close", lambda: None)()
    status, headers = started[-1]
    return Response(status=status, headers=headers, body=body)


def wsgi_environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The request as PEP 3333 has it. A body that came without its length has one now (RFC 9112, 7.1)."""
    server, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _latin_1(scope.path),
        "QUERY_STRING": _latin_1(scope.query_string),
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in _variables(scope):
        separator = "; " if name == "HTTP_COOKIE" else ","  # RFC 6265, 5.4; RFC 9110, 5.3
        environ[name] = f"{environ[name]}{separator}{value}" if name in environ else value
    environ["CONTENT_LENGTH"] = environ.pop("HTTP_CONTENT_LENGTH", None) or str(len(body))
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    return environ


def _latin_1(text: str) -> str:
    """The bytes of a text as PEP 3333 wants them."""
    return text.encode().decode("latin-1")


def _variables(scope: Scope) -> Iterator[tuple[str, str]]:
    """The headers under their names in PEP 3333. One with an underscore would pass for another one, such as
    X_Forwarded_For, and is left out."""
    for name, value in scope.headers.items():
        if "_" not in name:
            yield f"HTTP_{name.upper().replace('-', '_')}", value
