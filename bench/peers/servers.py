"""Starts the peers, each under granian with one worker, on a database of their own."""

import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from bench.server import ROOT, SERVER_CORES, Server, free_port, started, temporary_database

ENVIRONMENT = ROOT / "var" / "peers"
REQUIREMENTS = ROOT / "bench" / "peers" / "requirements.txt"
EMAIL, PASSWORD = "ada@example.com", "correct horse battery"
FASTAPI_USERS, SIMPLEJWT = "bench/peers/fastapi_users_app.py", "bench/peers/simplejwt_app.py"


@dataclass(frozen=True, kw_only=True)
class Peers:
    """Both servers, and a token of a user of each."""

    database_url: str
    fastapi_users: Server
    fastapi_users_token: str
    simplejwt: Server
    simplejwt_tokens: dict[str, str]


@contextmanager
def running(database_url: str) -> Iterator[Peers]:
    """Install what is missing, and serve."""
    _install()
    with ExitStack() as stack:
        url = stack.enter_context(temporary_database(database_url, name="patron_bench_peers"))
        environment = os.environ | {"PEERS_DATABASE_URL": url, "PYTHONPATH": str(ROOT / "bench" / "peers")}
        subprocess.run([_python(), SIMPLEJWT], cwd=ROOT, env=environment, check=True)
        servers = [
            stack.enter_context(_granian(app, interface, path, environment))
            for app, interface, path in (
                ("fastapi_users_app:app", "asgi", "/openapi.json"),
                ("simplejwt_app:application", "wsgi", "/me"),
            )
        ]
        yield _signed_in(url, *servers)


def _signed_in(url: str, fastapi_users: Server, simplejwt: Server) -> Peers:
    body = {"email": EMAIL, "password": PASSWORD}
    _post(f"{fastapi_users.base}/auth/register", json.dumps(body), "application/json")
    form = urllib.parse.urlencode({"username": EMAIL, "password": PASSWORD})
    token = _post(f"{fastapi_users.base}/auth/jwt/login", form, "application/x-www-form-urlencoded")["access_token"]
    body = {"username": EMAIL, "password": PASSWORD}
    tokens = _post(f"{simplejwt.base}/token", json.dumps(body), "application/json")
    return Peers(
        database_url=url,
        fastapi_users=fastapi_users,
        fastapi_users_token=token,
        simplejwt=simplejwt,
        simplejwt_tokens=tokens,
    )


def _granian(app: str, interface: str, path: str, environment: dict[str, str]) -> Any:
    port = free_port()
    command = [str(ENVIRONMENT / "bin" / "granian"), app, "--interface", interface, "--port", str(port)]
    threads = ["--blocking-threads", "4"] if interface == "wsgi" else []
    return started(
        [*command, "--workers", "1", "--log-level", "warning", *threads],
        port=port,
        path=path,
        environment=environment,
        cores=SERVER_CORES,
    )


def _post(url: str, body: str, content_type: str) -> Any:
    request = urllib.request.Request(url, body.encode(), {"Content-Type": content_type})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def _python() -> str:
    return str(ENVIRONMENT / "bin" / "python")


def _install() -> None:
    stamp = ENVIRONMENT / "installed.txt"
    if stamp.exists() and stamp.read_text() == REQUIREMENTS.read_text():
        return
    subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
    subprocess.run([_python(), "-m", "pip", "install", "--quiet", "--requirement", str(REQUIREMENTS)], check=True)
    stamp.write_text(REQUIREMENTS.read_text())
