"""A database that is away, or empty: one line a minute, no traceback."""

import logging
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import OperationalError

from config.server import outage
from tests import server_process
from tests.server_process import ROOT, manage, serving

# Nobody listens there.
AWAY = "postgres://patron@127.0.0.1:1/patron"
SENTENCE = "The database is not available: "


def test_the_worker_tells_it_once(tmp_path: Path) -> None:
    assert _lines_of_the_worker(server_process.environment(tmp_path, DATABASE_URL=AWAY)) == 1


def test_the_worker_tells_once_that_there_are_no_tables(tmp_path: Path) -> None:
    assert _lines_of_the_worker(server_process.environment(tmp_path)) == 1


def _lines_of_the_worker(env: dict[str, str]) -> int:
    """How many lines it writes in four seconds of trying once a second, the greeting aside."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "work"], cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stderr is not None
        greeting = worker.stderr.readline()
        assert "Patron" in greeting
        time.sleep(4)
        worker.terminate()
        rest = worker.stderr.read()
    assert SENTENCE in rest
    return len(rest.splitlines())


def test_the_web_tells_it_once_and_answers_503(tmp_path: Path) -> None:
    env = server_process.environment(tmp_path, DATABASE_URL=AWAY)
    with serving(env, command=("serve", "--no-worker")) as server:
        for _ in range(3):
            assert server.get("/readyz")[0] == 503
            assert server.get("/customer/acme/me", Host="localhost", Authorization="Bearer x")[0] == 503
            assert server.get("/admin/", Host="localhost", Cookie=f"sessionid={'a' * 32}")[0] == 500
        assert server.get("/livez")[0] == 200
    assert server.output.count(SENTENCE) == 1
    assert "Traceback" not in server.output
    assert len(server.output.splitlines()) <= 4, server.output  # the greeting, "Serving", the line


@pytest.mark.parametrize("words", [["migrate"], ["create_tenant", "acme"], ["create_staff", "ada"]], ids=" ".join)
def test_commands_tell_it_in_a_sentence(tmp_path: Path, words: list[str]) -> None:
    finished = manage(*words, env=server_process.environment(tmp_path, DATABASE_URL=AWAY))
    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1].startswith(SENTENCE)
    assert "Traceback" not in finished.stderr


def test_a_command_before_the_migrations_is_told(tmp_path: Path) -> None:
    finished = manage("create_tenant", "acme", env=server_process.environment(tmp_path))
    assert finished.returncode == 1
    assert finished.stderr == f"{SENTENCE}no such table: tenants_tenant\n"


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path) -> None:
    """A database that may grow no further says what one on a full disk does."""
    with sqlite3.connect(tmp_path / "full.sqlite3") as connection:
        connection.execute("CREATE TABLE t (content)")
        connection.execute("PRAGMA max_page_count = 3")
        with pytest.raises(sqlite3.OperationalError) as full:
            connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    assert outage.sentence_of(_as_django_raises(full.value)) == f"{SENTENCE}database or disk is full"


def test_a_locked_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    """As where four threads open a new file at once and each turns WAL on: SQLite then waits for nobody."""
    path = tmp_path / "locked.sqlite3"
    with sqlite3.connect(path, timeout=0) as writer, sqlite3.connect(path, timeout=0) as other:
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as locked:
            other.execute("PRAGMA journal_mode=WAL")
        writer.rollback()
    assert outage.sentence_of(_as_django_raises(locked.value)) == f"{SENTENCE}database is locked"


def test_of_many_threads_one_tells_it() -> None:
    told, start = outage.OutageFilter(), threading.Barrier(32)

    def tell(_: int) -> bool:
        failed = _as_django_raises(sqlite3.OperationalError("no such table: tenants_tenant"))
        record = logging.LogRecord("patron", logging.ERROR, "", 0, "", (), (type(failed), failed, None))
        start.wait()
        return told.filter(record)

    with ThreadPoolExecutor(32) as pool:
        assert sum(pool.map(tell, range(32))) == 1


def _as_django_raises(error: sqlite3.OperationalError) -> OperationalError:
    raised = OperationalError(*error.args)
    raised.__cause__ = error
    return raised
