"""The columns of tables change, as by an upgrade, while requests use statements that are prepared."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection, connections
from django.http import HttpResponse

from tenants.compiled import pipeline
from tenants.models import Tenant
from tests import factories
from tests.contracts.operations import BY_NAME
from tests.contracts.scene import set_scene

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]

COLUMNS = """
    SELECT attrelid::regclass::text, quote_ident(attname), atttypmod - 4
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
      AND atttypid = 'varchar'::regtype AND atttypmod > 0
"""


class Tables:
    """All there are, and how many characters each column of theirs takes."""

    def __init__(self) -> None:
        self._more = 0
        self._lengths: dict[str, list[tuple[str, int]]] = {}
        with connection.cursor() as cursor:
            cursor.execute(COLUMNS)
            for table, name, length in cursor.fetchall():
                self._lengths.setdefault(table, []).append((name, length))

    def change(self) -> None:
        """One more for every column, on a connection of its own; tables that are in use are left out."""
        self._more += 1
        settings = connection.get_connection_params() | {"cursor_factory": None, "context": None}
        with psycopg.connect(**{name: value for name, value in settings.items() if value is not None}) as upgrade:
            for table, columns in self._lengths.items():
                with suppress(psycopg.errors.LockNotAvailable), upgrade.transaction():
                    upgrade.execute("SET LOCAL lock_timeout = '50ms'")
                    changes = ", ".join(f"ALTER {name} TYPE varchar({length + self._more})" for name, length in columns)
                    upgrade.execute(f"ALTER TABLE {table} {changes}")

    def restore(self) -> None:
        self._more = -1
        self.change()


@pytest.fixture
def tables() -> Iterator[Tables]:
    found = Tables()
    yield found
    found.restore()


class Interruption:
    """Has the tables changed just before the n-th time that the database is asked."""

    def __init__(self, tables: Tables, number: int) -> None:
        self._tables, self._left = tables, number
        self._run = pipeline.run

    def run(self, *args: Any, **options: Any) -> int:
        self._left -= 1
        if self._left == 0:
            self._tables.change()
        return self._run(*args, **options)

    @property
    def has_happened(self) -> bool:
        return self._left <= 0


@pytest.mark.parametrize("name", ["me-patch", "address-create", "login", "refreshauthtoken", "kibo-refresh"])
def test_a_request_succeeds_or_can_be_repeated(
    name: str, tenant: Tenant, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whenever meanwhile that happens."""
    scene, operation = set_scene(tenant), BY_NAME[name]
    statuses = list[int]()
    for number in range(1, 100):
        own = replace(scene, logged_in=factories.log_in(scene.customer))
        own = replace(own, values={**scene.values, "refresh": partial(getattr, own.logged_in, "refresh_token")})
        called = operation.prepared(own)
        interruption = Interruption(tables, number)
        with monkeypatch.context() as patched:
            patched.setattr(pipeline, "run", interruption.run)
            response = called.send(own)
        statuses.append(response.status_code)
        if response.status_code == 503:
            assert int(response.headers["Retry-After"]) > 0
            response = called.send(own)
        assert response.status_code == operation.success
        if not interruption.has_happened:
            break
    assert len(statuses) > 2
    assert statuses.count(operation.success) > 1


def test_workers_go_on_while_tables_change(tenant: Tenant, tables: Tables) -> None:
    scene, answers, ended = set_scene(tenant), list[HttpResponse](), threading.Event()

    def work() -> None:
        try:
            while not ended.is_set():
                for name in ("me-get", "me-patch", "login", "anonymous-login", "address-create"):
                    answers.append(BY_NAME[name].send(scene, raises=False))
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    try:
        for _ in range(5):
            tables.change()
    finally:
        ended.set()
        for worker in workers:
            worker.join()
    failed = [each for each in answers if each.status_code >= 400]
    assert {each.status_code for each in failed} <= {503}
    assert all(int(each.headers["Retry-After"]) > 0 for each in failed)
    assert len(failed) < len(answers) / 2
