"""Migrations that would lock a big table, or that the release before could not live with, are refused; none waits long
for a table."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, models, transaction
from django.db.migrations import AddField, AddIndex, AlterField, Migration, RemoveField, RenameField, RunSQL
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import Index
from django.test.utils import CaptureQueriesContext

from config.server import outage
from tenants.apps import _limit_waiting, _wait_again
from tests.server_process import ROOT
from tools import migrations

postgres = pytest.mark.postgres
NOT_LIBPQ = ("cursor_factory", "context", "prepare_threshold")


@postgres
def test_our_migrations_lock_no_table_and_break_no_release(db: None) -> None:
    found = {
        str(migration): migrations.risks(sql, migrations.accepted_by(migration))
        for migration, sql in migrations.later_migrations()
    }
    assert found, "there are migrations behind the initial ones"
    assert {name: lines for name, lines in found.items() if lines} == {}


def sql_of(*operations: Operation) -> str:
    """What PostgreSQL would be told by a migration with these operations, behind all that there are."""
    loader = MigrationLoader(connection)
    state = loader.project_state()

    class Next(Migration):
        pass

    Next.operations = list(operations)
    migration = Next("next", "customers")
    with connection.schema_editor(collect_sql=True, atomic=False) as editor:
        migration.apply(state, editor, collect_sql=True)
    return "\n".join(["BEGIN;", *editor.collected_sql, "COMMIT;"])


REFUSED = [
    (AddIndex("customer", Index(fields=["last_login_at"], name="by_log_in")), "require-concurrent-index-creation"),
    (RemoveField("customer", "title"), "ban-drop-column"),
    (RenameField("customer", "title", "form"), "renaming-column"),
    (AlterField("customer", "number", models.IntegerField()), "changing-column-type"),
    (AddField("customer", "size", models.CharField(max_length=3, default="")), "ban-drop-default"),
    (RunSQL("ALTER TABLE customers_customer ADD CHECK (number <> '')"), "constraint-missing-not-valid"),
]


@postgres
@pytest.mark.parametrize(("operation", "rule"), REFUSED, ids=[rule for _, rule in REFUSED])
def test_what_is_refused(db: None, operation: Operation, rule: str) -> None:
    sql = sql_of(operation)
    assert any(rule in line for line in migrations.risks(sql))
    assert not any(rule in line for line in migrations.risks(sql, {rule: "nothing reads it any more"}))


@postgres
def test_a_column_with_a_default_in_the_database_is_fine(db: None) -> None:
    assert migrations.risks(sql_of(AddField("customer", "size", models.CharField(max_length=3, db_default="")))) == []


@postgres
def test_an_unknown_rule_is_no_excuse(db: None) -> None:
    with pytest.raises(RuntimeError, match="invalid rule name"):
        migrations.risks("SELECT 1;", {"anything": "goes"})


@pytest.fixture
def limited(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What surrounds every `migrate`, with less patience."""
    monkeypatch.setattr("tenants.apps.LOCK_TIMEOUT", timedelta(milliseconds=50))
    _limit_waiting(using="default")
    yield
    _wait_again(using="default")


@postgres
def test_a_migration_gives_up_soon_where_a_table_is_in_use(limited: None) -> None:
    params = {name: value for name, value in connection.get_connection_params().items() if name not in NOT_LIBPQ}
    with psycopg.connect(**params) as other:
        other.execute("SELECT count(*) FROM customers_address")
        with pytest.raises(OperationalError) as failed, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE customers_address ADD COLUMN size text")
    assert str(outage.sentence_of(failed.value)).startswith("A table is in use")


@postgres
def test_every_migrate_is_surrounded_by_that(db: None) -> None:
    with CaptureQueriesContext(connection) as captured:
        call_command("migrate", "sessions", verbosity=0)
    set_to = [query["sql"] for query in captured.captured_queries if "lock_timeout" in query["sql"]]
    assert [sql.split("'")[3] for sql in set_to] == ["5000ms", "0"]


def test_the_linter_is_there() -> None:
    version = subprocess.run([migrations.SQUAWK, "--version"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert version.stdout.startswith("squawk"), sys.executable
