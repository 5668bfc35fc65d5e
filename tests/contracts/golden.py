"""Golden answers: the whole body and the headers that matter, with placeholders where a value is new every time.

`golden/<contract>/<operation>.<status>[.<case>].json` holds `headers` and `body`. After a change that is meant to be
seen, `RECORD_GOLDEN=1` writes the files anew; read their diff like code.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from django.http import HttpResponse

DIRECTORY = Path(__file__).parent / "golden"
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
MOMENTS = ("exp", "iat")
STEP = 60  # seconds: a remainder counts down while the test runs


def check(response: HttpResponse, contract: str, name: str) -> None:
    """Compare an answer with its golden file; the file's name says the status."""
    path = DIRECTORY / contract / f"{name}.json"
    seen = {"headers": _headers(response), "body": masked(_body(response))}
    assert response.status_code == int(name.split(".")[1]), response.content
    if os.environ.get("RECORD_GOLDEN"):
        path.write_text(json.dumps(seen, indent=2, ensure_ascii=False) + "\n")
    assert seen == json.loads(path.read_text())


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
