"""A request of granian's, as WSGI has it (PEP 3333)."""

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

from django.conf import settings

from config.server.rsgi import wsgi_environ


def _environ(headers: list[tuple[str, str]], **attributes: str) -> dict[str, Any]:
    attributes = {
        "method": "POST",
        "path": "/",
        "query_string": "",
        "server": "127.0.0.1:8000",
        "client": "192.0.2.7:50000",
        "http_version": "1.1",
        "scheme": "http",
    } | attributes
    scope: Any = SimpleNamespace(**attributes, headers=SimpleNamespace(items=lambda: headers))
    return wsgi_environ(scope, b"{}")


def test_a_header_with_an_underscore_passes_for_no_other() -> None:
    """Both would have one name in WSGI, and a proxy removes or sets the one with a hyphen alone."""
    environ = _environ([("x_forwarded_for", "203.0.113.9"), ("x_forwarded_proto", "https")])
    assert "HTTP_X_FORWARDED_FOR" not in environ
    assert "HTTP_X_FORWARDED_PROTO" not in environ


def test_a_header_that_comes_twice_is_one_with_both_values() -> None:
    environ = _environ(
        [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2"), ("cookie", "a=1"), ("cookie", "b=2")]
    )
    assert environ["HTTP_X_FORWARDED_FOR"] == "192.0.2.1,192.0.2.2"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"


def test_a_body_without_its_length_gets_one() -> None:
    environ = _environ([("transfer-encoding", "chunked"), ("content-type", "application/json")])
    assert (environ["CONTENT_LENGTH"], environ["CONTENT_TYPE"]) == ("2", "application/json")
    assert environ["wsgi.input"].read() == b"{}"


def test_the_length_that_was_declared_stays() -> None:
    """Of a body that is too large only the beginning was read."""
    assert _environ([("content-length", "999999999")])["CONTENT_LENGTH"] == "999999999"


def test_addresses_and_characters() -> None:
    environ = _environ([], client="[2001:db8::7]:50000", server="[::1]:8000", path="/€", query_string="q=€")
    assert (environ["REMOTE_ADDR"], environ["SERVER_PORT"]) == ("2001:db8::7", "8000")
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/€"
    assert environ["QUERY_STRING"].encode("latin-1").decode() == "q=€"


def test_the_server_serves_any_django_project() -> None:
    """`bench` measures a bare one under it, as the floor."""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "bench.floor", "DATABASE_URL": "sqlite://:memory:"}
    command = [sys.executable, "-c", "import config.server.rsgi"]
    subprocess.run(command, cwd=settings.BASE_DIR, env=environment, check=True)  # noqa: S603
