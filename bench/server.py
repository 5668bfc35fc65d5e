"""Servers on a database of their own, for as long as a `with` lasts."""

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bench.load import with_children
from bench.planner import analyze_changed, kept_statistics

ROOT = Path(__file__).resolve().parent.parent
DATABASE = "patron_bench"
# The server has one core; what calls it, and its database, have the others.
SERVER_CORES = {0}
OTHER_CORES = (os.sched_getaffinity(0) - SERVER_CORES) or SERVER_CORES


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that answers."""

    base: str
    processes: Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Patron(Server):
    """Patron, and what it keeps its secrets with."""

    database_url: str
    environment: dict[str, str]


def environment_of(database_url: str, folder: str, **more: str) -> dict[str, str]:
    """What Patron is started with: this database, this folder, and secrets of its own."""
    return os.environ | {
        "DATABASE_URL": database_url,
        "VAR_DIR": folder,
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        **more,
    }


@contextmanager
def running(
    database_url: str, *, workers: int = 0, cores: set[int] | None = None, database: str = DATABASE, **more: str
) -> Iterator[Patron]:
    """Migrate, seed and serve; with all workers that `serve` chooses (0), on all cores (None)."""
    with tempfile.TemporaryDirectory() as folder, temporary_database(database_url, folder, database) as url:
        port = free_port()
        environment = environment_of(url, folder, PORT=str(port), WORKERS=str(workers), **more)
        manage(environment, "migrate", "--verbosity", "0")
        manage(environment, "shell", "--verbosity", "0", "--command", "from bench.seed import seed; seed()")
        analyze_changed(url)
        command = [sys.executable, "manage.py", "serve", *(["--no-worker"] if workers else [])]
        with started(command, port=port, path="/healthz", environment=environment, cores=cores) as server:
            yield Patron(base=server.base, processes=server.processes, database_url=url, environment=environment)


@contextmanager
def started(
    command: Sequence[str], *, port: int, path: str, environment: dict[str, str], cores: set[int] | None = None
) -> Iterator[Server]:
    """The command runs, on these cores only, and answers at `path`."""
    pinned = ["taskset", "--cpu-list", ",".join(map(str, cores))] if cores else []
    process = subprocess.Popen([*pinned, *command], cwd=ROOT, env=environment)
    try:
        base = f"http://127.0.0.1:{port}"
        wait_for(f"{base}{path}")
        yield Server(base=base, processes=with_children(process.pid))
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def temporary_database(url: str, folder: str = "", name: str = DATABASE) -> Iterator[str]:
    if url.startswith("sqlite"):
        yield f"sqlite:///{folder}/bench.sqlite3"
        return
    admin = url.replace("postgres://", "postgresql://")
    execute(admin, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")
    created = f"{url.rsplit('/', 1)[0]}/{name}"
    try:
        with kept_statistics(created):
            yield created
    finally:
        execute(admin, f"DROP DATABASE {name} WITH (FORCE)")


def execute(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run the statements; the rows of the last one."""
    with psycopg.connect(url.replace("postgres://", "postgresql://"), autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def backends(database_url: str, application: str) -> list[int]:
    """The processes of the database that serve this application's connections, kept off the server's core."""
    query = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{application}'"
    found = [int(str(row[0])) for row in execute(database_url, query)]
    for each in found:
        with suppress(ProcessLookupError):
            os.sched_setaffinity(each, OTHER_CORES)
    return found


def manage(environment: dict[str, str], *words: str) -> None:
    subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=environment, check=True)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(url: str) -> None:
    for _ in range(400):
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except urllib.error.HTTPError as error:
            if error.code < 500:  # it answers, if only that somebody has to log in
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"no answer from {url}")
