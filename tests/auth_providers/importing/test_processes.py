"""What several processes import is what one would have imported."""

import csv
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from auth_providers.importing import processes
from auth_providers.importing.batches import BATCH
from auth_providers.importing.processes import Work
from tests.server_process import ROOT, environment, manage, until

MAPPING = "format: csv\nkey: {name: till, value: id}\nemail: email\nidentifiers: {card: card}\n"


def rows() -> list[str]:
    """Five batches. Every hundredth customer has the address or the card of one of the batch before, some the same
    mailbox in another spelling, some no address at all."""
    lines = ["id,email,card"]
    for number in range(5 * BATCH):
        before = number - BATCH
        email = f"c{number}@example.com" if number % 100 or before < 0 else f"C{before}@EXAMPLE.com"
        card = f"L{number}" if number % 100 != 50 or before < 0 else f"L{before}"
        lines.append(f"{number},{'' if number % 777 == 776 else email},{card}")
    return lines


def outcome(tmp_path: Path, file: Path, count: int) -> tuple[list[str], list[tuple[object, ...]]]:
    """The lines of the error file, and who has which address and card."""
    folder = tmp_path / str(count)
    folder.mkdir()
    database, mapping = folder / "patron.sqlite3", folder / "mapping.yaml"
    mapping.write_text(MAPPING)
    env = environment(folder, DATABASE_URL=f"sqlite:///{database}")
    assert manage("migrate", env=env).returncode == manage("create_tenant", "acme", env=env).returncode == 0
    words = ["--mapping", str(mapping), "--processes", str(count), "--errors", str(folder / "errors.csv")]
    assert manage("import_customers", "acme", str(file), *words, env=env).returncode == 2
    with sqlite3.connect(database) as connection:
        imported = connection.execute(
            "SELECT a.identifier, i.name, i.value FROM auth_providers_account a "
            "JOIN customers_customeridentifier i ON i.customer_id = a.customer_id ORDER BY 1, 2"
        ).fetchall()
    with (folder / "errors.csv").open(newline="") as errors:
        return [",".join(line) for line in csv.reader(errors)], imported


def test_three_processes_and_one_come_to_the_same(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("\n".join(rows()))
    alone, together = outcome(tmp_path, file, 1), outcome(tmp_path, file, 3)
    assert len(alone[0]) > 20
    assert alone == together


def test_work_about_the_same_waits_and_results_keep_their_order() -> None:
    goes_on, started = Event(), []

    def work(name: str) -> str:
        started.append(name)
        if name == "first":
            goes_on.wait(10)
        return name

    with ThreadPoolExecutor(4) as pool:

        def submit(name: str) -> "Future[str]":
            if name == "same":
                assert "second" in started, "what is about something else does not wait"
                assert goes_on.is_set(), "what is about the same waits"
            future = pool.submit(work, name)
            if name == "second":
                future.result(10)
                goes_on.set()
            return future

        wanted = {"first": {"a", "b"}, "second": {"c"}, "same": {"b"}}
        works = [Work(about=about, submit=partial(submit, name)) for name, about in wanted.items()]
        assert list(processes.in_order(works, processes=4)) == ["first", "second", "same"]


def test_no_more_is_read_than_the_processes_need() -> None:
    read = []

    def works() -> Iterator[Work[int]]:
        for number in range(100):
            read.append(number)
            yield Work(about={str(number)}, submit=partial(pool.submit, int, number))

    with ThreadPoolExecutor(2) as pool:
        results = processes.in_order(works(), processes=2)
        assert next(results) == 0
        assert len(read) <= 2 * processes.AHEAD + 1


ENDED = """
import os, sys, time
from functools import partial
from auth_providers.importing import processes
if __name__ == "__main__":
    with processes.pool(1) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        if sys.argv[1] == "wait":
            time.sleep(60)
        try:
            list(processes.in_order([processes.Work(about=(), submit=partial(pool.submit, os._exit, 1))], processes=1))
        except processes.ProcessEnded as error:
            print(error)
"""


@pytest.fixture
def script(tmp_path: Path) -> list[str]:
    (tmp_path / "script.py").write_text(ENDED)
    return [sys.executable, str(tmp_path / "script.py")]


def test_a_process_that_is_killed_ends_the_import_with_a_sentence(tmp_path: Path, script: list[str]) -> None:
    env = environment(tmp_path, PYTHONPATH=str(ROOT), DJANGO_SETTINGS_MODULE="config.settings")
    ended = subprocess.run([*script, "die"], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert "One of the processes was killed" in ended.stdout, ended.stderr


def test_processes_end_with_an_import_that_is_killed(tmp_path: Path, script: list[str]) -> None:
    env = environment(tmp_path, PYTHONPATH=str(ROOT), DJANGO_SETTINGS_MODULE="config.settings")
    with subprocess.Popen([*script, "wait"], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603
        assert running.stdout is not None
        child = Path("/proc") / running.stdout.readline().strip()
        assert child.exists()
        running.kill()
    until(lambda: not child.exists() or "Z" in (child / "stat").read_text().rsplit(")", 1)[1])
