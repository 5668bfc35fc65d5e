"""An import that was killed is started again: every customer is there once."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from auth_providers.importing.batches import BATCH
from tests.server_process import ROOT, environment, manage, until

CUSTOMERS = 5 * BATCH


def count(database: Path, table: str) -> int:
    with sqlite3.connect(database, timeout=20) as connection:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])


def test_an_import_that_was_killed_and_started_again(tmp_path: Path) -> None:
    database, file = tmp_path / "patron.sqlite3", tmp_path / "shop.jsonl"
    lines = (f'{{"id": "{number}", "email": "c{number}@example.com"}}\n' for number in range(CUSTOMERS))
    file.write_text("".join(lines))
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("format: jsonl\nkey: {name: till, value: id}\nemail: email\n")
    env = environment(tmp_path, DATABASE_URL=f"sqlite:///{database}")
    for command in (["migrate"], ["create_tenant", "acme"]):
        assert manage(*command, env=env).returncode == 0
    words = ["import_customers", "acme", str(file), "--mapping", str(mapping)]
    running = subprocess.Popen(  # noqa: S603
        [sys.executable, "manage.py", *words], cwd=ROOT, env=env, stderr=subprocess.DEVNULL
    )
    until(lambda: count(database, "customers_customer") > 0)
    os.kill(running.pid, signal.SIGKILL)
    running.wait(30)
    before = count(database, "customers_customer")
    assert before % BATCH == 0, "a batch is whole or not at all"
    again = manage(*words, env=env)
    assert again.returncode == 0, again.stderr
    assert f"{CUSTOMERS - before} customers created, {before} were there" in again.stdout
    for table in ("customers_customer", "auth_providers_account", "customers_customeridentifier"):
        assert count(database, table) == CUSTOMERS
