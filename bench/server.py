"""Patron's production server on a database of its own, for as long as a `with` lasts."""

import base64
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "patron_bench"


@contextmanager
def running(database_url: str) -> Iterator[str]:
    """Migrate, seed and serve; the value is the server's address."""
    with tempfile.TemporaryDirectory() as folder, temporary_database(database_url, folder) as url:
        port = _free_port()
        environment = os.environ | {
            "DATABASE_URL": url,
            "VAR_DIR": folder,
            "PORT": str(port),
            "SECRET_KEY": secrets.token_urlsafe(50),
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        _manage(environment, "migrate", "--verbosity", "0")
        _manage(environment, "shell", "--verbosity", "0", "--command", "from bench.seed import seed; seed()")
        process = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment)
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_for(f"{base}/healthz")
            yield base
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def temporary_database(url: str, folder: str) -> Iterator[str]:
    if url.startswith("sqlite"):
        yield f"sqlite:///{folder}/bench.sqlite3"
        return
    admin = url.replace("postgres://", "postgresql://")
    _sql(admin, f"DROP DATABASE IF EXISTS {DATABASE}", f"CREATE DATABASE {DATABASE}")
    try:
        yield f"{url.rsplit('/', 1)[0]}/{DATABASE}"
    finally:
        _sql(admin, f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _sql(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _manage(environment: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"no answer from {url}")
