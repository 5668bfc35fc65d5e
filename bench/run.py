"""Measure the hot paths, one after the other, on each database. See README.md beside this file."""

import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load import Call, Result, drive
from bench.server import running

TENANT, CLIENT_ID, PASSWORD = "bench", "storefront", "correct horse battery"
DATABASE_URLS = os.environ.get("BENCH_DATABASE_URLS", "sqlite:// postgres://postgres@127.0.0.1:5432/postgres").split()
REQUESTS = int(os.environ.get("BENCH_REQUESTS", "1500"))
HASHING_REQUESTS = max(1, REQUESTS // 10)
THREADS = int(os.environ.get("BENCH_THREADS", "8"))
CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000"))

ANONYMOUS_LOGIN = f"/customerlogin/auth/anonymous/login?tenant={TENANT}&client_id={CLIENT_ID}"
ME = f"/customer/{TENANT}/me"


def ask(base: str, path: str, token: str = "", body: dict[str, Any] | None = None) -> Any:
    request = urllib.request.Request(
        base + path,
        data=json.dumps(body).encode() if body is not None else None,
        headers=bearer(token) | {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def credentials(index: int) -> dict[str, str]:
    return {"email": f"customer{index % CUSTOMERS}@example.com", "password": PASSWORD}


def post(path: str, token: str, body: dict[str, Any], expected: int = 200) -> Call:
    headers = bearer(token) | {"Content-Type": "application/json"}
    return Call(method="POST", path=path, headers=headers, body=json.dumps(body), expected=expected)


def refreshes(base: str, visitor: str, count: int) -> Iterator[Call]:
    """Each spends a token of its own, got before the clock starts."""
    for _ in range(count):
        logged_in = ask(base, f"/customer/{TENANT}/login", visitor, credentials(0))
        yield post(f"/customer/{TENANT}/refreshauthtoken", visitor, {"refreshToken": logged_in["refresh_token"]})


def paths(base: str) -> Iterator[tuple[str, list[Call]]]:
    """What is measured, by name."""
    visitor = ask(base, ANONYMOUS_LOGIN)["access_token"]
    customer = ask(base, f"/customer/{TENANT}/login", visitor, credentials(0))

    def get(path: str, token: str = "") -> list[Call]:
        return list(repeat(Call(method="GET", path=path, headers=bearer(token)), REQUESTS))

    def change(index: int) -> Call:
        body = json.dumps({"firstName": f"Ada {index}"})
        headers = bearer(customer["access_token"]) | {"Content-Type": "application/json"}
        return Call(method="PATCH", path=ME, headers=headers, body=body)

    yield "GET /healthz", get("/healthz")
    yield "GET /me, opaque token", get(ME, customer["access_token"])
    yield "GET /me, JWT", get(ME, customer["saas_token"])
    yield "GET /me?expand=addresses", get(f"{ME}?expand=addresses", customer["access_token"])
    yield "GET /me, anonymous", get(ME, visitor)
    yield "anonymous login", get(ANONYMOUS_LOGIN)
    yield "PATCH /me", [change(index) for index in range(REQUESTS)]
    yield "refresh", list(refreshes(base, visitor, HASHING_REQUESTS))
    log_in, sign_up = f"/customer/{TENANT}/login", f"/customer/{TENANT}/signup"
    yield "login", [post(log_in, visitor, credentials(index)) for index in range(HASHING_REQUESTS)]
    new = [{"email": f"new{index}@example.com", "password": PASSWORD} for index in range(HASHING_REQUESTS)]
    yield "signup", [post(sign_up, visitor, body, expected=201) for body in new]


def measure(database_url: str, console: Console) -> None:
    table = Table(title=f"{database_url.partition(':')[0]}, {THREADS} clients", title_justify="left")
    for column in ("path", "requests/s", "median ms", "99 % ms", "of /healthz"):
        table.add_column(column, justify="left" if column == "path" else "right")
    baseline: Result | None = None
    with running(database_url) as base:
        for name, calls in paths(base):
            drive(base, calls[:1], threads=1)  # warm
            result = drive(base, calls[1:], threads=THREADS)
            baseline = baseline or result
            ratio = baseline.per_second / result.per_second
            table.add_row(
                name,
                f"{result.per_second:.0f}",
                f"{result.median:.1f}",
                f"{result.slowest_percent:.1f}",
                f"1 : {ratio:.1f}",
            )
    console.print(table)


if __name__ == "__main__":
    for url in DATABASE_URLS:
        measure(url, Console(width=120))
