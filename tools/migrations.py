"""Which migrations would lock a big table, or break the release before: what `squawk` says of their SQL.

A migration that has to, such as one that drops what no release reads any more, says so in `accepted_risks` of its
class: the rule, and the reason.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

SQUAWK = str(Path(sys.executable).with_name("squawk"))
OLDEST_POSTGRESQL = "14"
# What Django decides (types), what surrounds every migration (`tenants.apps`: lock_timeout), and repeating statements
# outside of transactions, which is not how we go on after a failure.
NOT_OURS = (
    "require-lock-timeout", "require-statement-timeout", "prefer-robust-stmts", "prefer-text-field", "prefer-identity",
    "prefer-bigint-over-int", "prefer-bigint-over-smallint",
)  # fmt: skip
OURS = ("tenants", "customers", "auth_providers")


def later_migrations() -> Iterator[tuple[Migration, str]]:
    """Every migration of ours that finds tables with rows in them, and its SQL for PostgreSQL."""
    loader = MigrationLoader(connection)
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app in OURS and not migration.initial:
            written = StringIO()
            call_command("sqlmigrate", app, name, stdout=written, no_color=True)
            yield migration, written.getvalue()


def risks(sql: str, accepted: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with a migration's SQL, each in a line, but for the rules that it accepts."""
    excluded = ",".join([*NOT_OURS, *(accepted or {})])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "migration.sql"
        file.write_text(sql)
        words = [SQUAWK, "--reporter", "gcc", "--pg-version", OLDEST_POSTGRESQL, "--exclude", excluded, str(file)]
        told = subprocess.run(words, capture_output=True, text=True, check=False)
    if told.returncode and not told.stdout:
        raise RuntimeError(told.stderr)
    return [line.partition(f"{file}:")[2] for line in told.stdout.splitlines() if str(file) in line]


def accepted_by(migration: Migration) -> Mapping[str, str]:
    """The rules that it breaks knowingly, with the reasons."""
    accepted: Mapping[str, str] = getattr(migration, "accepted_risks", {})
    return accepted
