"""Golden answers: the whole body and the headers that matter, with placeholders where a value is new every time.

`golden/<contract>/<operation>.<status>[.<case>].json` holds `headers` and `body`. What many operations answer alike has
one file for all of them, `golden/<contract>/shared/<status>[.<case>].json`. After a change that is meant to be seen,
`RECORD_GOLDEN=1` writes the files anew; read their diff like code. A run of the whole suite fails for a file that no
test has read.
"""

import json
import os
import re
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse

from tests.contracts import golden_files

HEADERS = (
    "Allow",
    "Cache-Control",
    "Content-Type",
    "Preference-Applied",
    "Referrer-Policy",
    "Retry-After",
    "WWW-Authenticate",
)
PLACEHOLDERS = (
    (r"eyJ[\w-]+\.[\w-]{43}", "<token of an application>"),
    (r"[A-Za-z0-9_-]{43}", "<token>"),  # 256 bits
    (r"[A-Za-z0-9]{42}", "<token of the provider>"),
    (r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+", "<jwt>"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "<uuid>"),
    (r"[0-9a-f]{32}", "<jti>"),
    (r"[A-Z2-7]{32}", "<secret of an authenticator>"),
    (r"otpauth://totp/acme:ada%40example\.com\?secret=[A-Z2-7]{32}&.+", "<otpauth>"),
    (r"<\?xml[^$]+</svg>", "<svg>"),
    (r"[0-9a-z]{5}-[0-9a-z]{5}", "<recovery code>"),
    (r"[0-9a-f]{10}", "<address id>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", "<timestamp>"),
)
SECONDS_LEFT = ("expires_in", "refresh_token_expires_in", "expiresIn", "refreshTokenExpiresIn", "Retry-After")
MOMENTS = ("exp", "iat", "auth_time", "updated_at")
STEP = 60  # seconds: a remainder counts down while the test runs


def check(response: HttpResponse, contract: str, name: str) -> None:
    """Compare an answer with its golden file: the operation's own, else the one that the contract's operations share.
    The name, `<operation>.<status>[.<case>]`, says the status."""
    operation, _, case = name.partition(".")
    assert response.status_code == int(case.partition(".")[0]), response.content
    seen = {"headers": _headers(response), "body": masked(_body(response))}
    if golden_files.is_shared(contract, name):
        name = f"shared/{case}"
        _check_what_the_request_decides(response, seen, golden_files.allowed_methods(contract, operation))
    if os.environ.get("RECORD_GOLDEN"):
        golden_files.write(contract, name, json.dumps(seen, indent=2, ensure_ascii=False) + "\n")
    assert seen == json.loads(golden_files.read(contract, name))


def _check_what_the_request_decides(response: HttpResponse, seen: dict[str, Any], allowed: str) -> None:
    """Compare with the request what differs between operations, and take it out of what is compared with the file."""
    request: HttpRequest = vars(response)["wsgi_request"]
    body = seen["body"]
    assert seen["headers"].pop("Allow") == allowed
    if "instance" in body:
        assert body.pop("instance") == request.path
    if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        message = "detail" if "detail" in body else "message"
        assert body[message] == f'Method "{request.method}" not allowed.'
        body[message] = 'Method "<method>" not allowed.'


def masked(value: Any, key: str = "") -> Any:
    """The value with everything volatile replaced; numbers stay numbers in type by their placeholder."""
    if isinstance(value, dict):
        is_row = "auditInfo" in value and "userName" not in value
        return {name: "<row>" if is_row and name == "id" else masked(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    if isinstance(value, str) and key in SECONDS_LEFT and value.isdigit():
        return f"{_seconds(int(value))} as text"
    if isinstance(value, str):
        return next((name for pattern, name in PLACEHOLDERS if re.fullmatch(pattern, value)), value)
    if key in SECONDS_LEFT and type(value) is int:
        return _seconds(value)
    return "<seconds since 1970>" if type(value) is int and key in MOMENTS else value


def _seconds(value: int) -> str:
    return f"<{-(-value // STEP) * STEP} seconds>"


def _headers(response: HttpResponse) -> dict[str, str]:
    found = {name: response.headers[name] for name in HEADERS if name in response.headers}
    if found.get("Retry-After", "").isdigit() and int(found["Retry-After"]) > 1:
        found["Retry-After"] = _seconds(int(found["Retry-After"]))
    return found


def _body(response: HttpResponse) -> Any:
    """JSON where it is JSON, else the text."""
    try:
        return json.loads(response.content)
    except ValueError:
        return response.content.decode()
