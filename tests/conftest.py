"""Fixtures that every test may use."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoDbBlocker, Settings
from rest_framework.test import APIClient

from auth_providers.accounts import dummy_hashes
from auth_providers.accounts.passwords import Argon2idHasher
from auth_providers.limits import frequent
from config.server.garbage_collection import leave_out_what_is_there
from tenants import isolation
from tenants.compiled import pipeline
from tenants.models import AuditEvent, Tenant
from tenants.outbox import feed
from tenants.trail import append_only, partitions
from tests import factories, node_packages, openid_issuer, shop_endpoint
from tests.kept_rows import MAKERS, KeptRows
from tests.neighbours import Neighbours, settle
from tests.openid_issuer import Issuer
from tests.shop_endpoint import Shop

# No test says how long something may take: a machine that is busy is no fault.
hypothesis.settings.register_profile("patron", deadline=None)
hypothesis.settings.load_profile("patron")
# What several folders import, before any of them does.
pytest.register_assert_rewrite("tests.contracts.golden", "tests.contracts.shapes")
pytest_plugins = ["tests.contracts.unread_golden_files"]

MAKERS["tenant"] = lambda _: factories.make_tenant()
MAKERS["other_tenant"] = lambda _: factories.make_tenant("globex")
MAKERS["neighbours"] = lambda kept: settle(kept["tenant"], kept["other_tenant"])

# The last one is sent only inside a test's own transaction.
TRANSACTION_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET ", "PRAGMA", isolation.LEAVE)


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    frequent.forget()
    dummy_hashes.forget()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def cheap_hashing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as in production, for less: half of the suite's time went there. What is about the price
    says so with `real_hashing`."""
    if request.node.get_closest_marker("real_hashing") is None:
        monkeypatch.setattr(Argon2idHasher, "memory_cost", 8)
        monkeypatch.setattr(Argon2idHasher, "time_cost", 1)


@pytest.fixture(scope="session", autouse=True)
def trails_can_be_emptied() -> Iterator[None]:
    """A test with transactions of its own is followed by the emptying of every table, which the trails refuse."""
    operations = type(connection.ops)
    sql_flush: Callable[..., list[str]] = operations.sql_flush
    trails = append_only.trails(append_only.SQLITE)
    if connection.vendor == "postgresql":
        off, on = (_switched(verb, trails) for verb in ("DISABLE", "ENABLE"))
    else:
        off, on = append_only.sqlite_drops(), [sql for each in trails for sql in append_only.sqlite_triggers(each)]

    def with_trails(self: BaseDatabaseOperations, *args: Any, **options: Any) -> list[str]:
        return [*off, *sql_flush(self, *args, **options), *on]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "sql_flush", with_trails)
        yield


def _switched(verb: str, trails: list[append_only.Trail]) -> list[str]:
    """Switches the triggers against emptying on PostgreSQL, also those of the partitions that there are by then."""
    of_partitions = (
        f"DO $$ DECLARE each regclass; BEGIN FOR each IN SELECT inhrelid FROM pg_inherits WHERE inhparent = "
        f"'{partitions.TABLE}'::regclass LOOP EXECUTE format('ALTER TABLE %s {verb} TRIGGER "
        f"{partitions.TABLE}_no_truncate', each); END LOOP; END $$"
    )
    return [*(f"ALTER TABLE {each.table} {verb} TRIGGER {each.table}_no_truncate" for each in trails), of_partitions]


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """Where npm's packages are."""
    return node_packages.installed()


@pytest.fixture(scope="session")
def kept_rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[KeptRows]:
    rows = KeptRows()
    yield rows
    with django_db_blocker.unblock():
        rows.start_from([])


@pytest.fixture
def rows_to_start_from(
    request: pytest.FixtureRequest,
    empty_cache: None,
    cheap_hashing: None,
    kept_rows: KeptRows,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    """A test that commits has rows of its own, and so has one whose passwords are hashed at another price."""
    marker, real_hashing = map(request.node.get_closest_marker, ("django_db", "real_hashing"))
    commits = "transactional_db" in request.fixturenames or (marker and marker.kwargs.get("transaction"))
    is_alone = commits or real_hashing
    kinds = [] if is_alone else [kind for kind in MAKERS if f"starts_from_{kind}" in request.fixturenames]
    with django_db_blocker.unblock():
        kept_rows.start_from(kinds)


@pytest.fixture
def _django_db_helper(rows_to_start_from: None, _django_db_helper: None) -> None:
    """pytest-django's, which begins the test's transaction."""


@pytest.fixture
def starts_from_tenant() -> None: ...


@pytest.fixture
def starts_from_other_tenant() -> None: ...


@pytest.fixture
def starts_from_neighbours() -> None: ...


@pytest.fixture
def tenant(starts_from_tenant: None, db: None, kept_rows: KeptRows) -> Tenant:
    kept: Tenant = kept_rows.value("tenant")
    return kept


@pytest.fixture
def other_tenant(starts_from_other_tenant: None, db: None, kept_rows: KeptRows) -> Tenant:
    kept: Tenant = kept_rows.value("other_tenant")
    return kept


@pytest.fixture
def neighbours(starts_from_neighbours: None, tenant: Tenant, other_tenant: Tenant, kept_rows: KeptRows) -> Neighbours:
    """A customer beside the test's own, and one in another tenant, who have everything; they come first."""
    kept: Neighbours = kept_rows.value("neighbours")
    return kept


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    """A provider of tokens on loopback, which may be called."""
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    with openid_issuer.running() as server:
        yield server


@pytest.fixture
def api() -> APIClient:
    """A client of the API that turns an unforeseen error into the test's failure."""
    return APIClient()


@pytest.fixture
def statements() -> Callable[[Callable[[], Any]], list[str]]:
    """Calls something and returns the SQL statements it took, transaction control aside."""

    def count(act: Callable[[], Any]) -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            act()
        return [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(TRANSACTION_CONTROL)]

    return count


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The prepared statements that were sent to PostgreSQL, those of each round trip together."""
    sent: list[list[str]] = []
    run: Any = pipeline.run

    def record(opened: Any, statements: Any, *, ends: bool = False) -> int:
        sent.append([each.sql.split()[0] for each in statements] + ["COMMIT"] * ends)
        return int(run(opened, statements, ends=ends))

    monkeypatch.setattr(pipeline, "run", record)
    return sent


def pytest_collection_finish() -> None:
    """What was imported and collected stays: looking for garbage in it took a twentieth of the suite's time."""
    leave_out_what_is_there()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What only PostgreSQL can show is skipped on other databases."""
    if connection.vendor == "postgresql":
        return
    for item in items:
        if item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL: make test-postgres"))


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The product's clock stands still, so that a busy machine is not taken for a customer who waited."""
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Moves the product's clock forward. Defaults of columns and the JWT libraries keep the real one."""
    real, passed = timezone.now, [timedelta(0)]
    monkeypatch.setattr(timezone, "now", lambda: real() + passed[0])

    def move(by: timedelta) -> None:
        passed[0] += by
        cache.clear()  # what it holds has a time of its own, on the real clock

    return move


@pytest.fixture
def committed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test's own open transaction wrote counts as committed, and can be told."""
    for name in ("as_sql", "as_postgresql"):
        monkeypatch.setattr(feed.Horizon, name, lambda *args, **kwargs: (str(2**62), ()))
    monkeypatch.setattr(feed, "end", _newest)


def _newest() -> feed.Cursor:
    row = AuditEvent.objects.order_by("pk").last()
    return feed.cursor_of(row) if row else feed.START


@pytest.fixture
def stored() -> Callable[[], str]:
    """Returns every value of every row of every table, as text."""

    def read() -> str:
        with connection.cursor() as cursor:
            return "\n".join(_values(cursor, table) for table in connection.introspection.table_names(cursor))

    return read


@pytest.fixture
def outage() -> Callable[[str], AbstractContextManager[None]]:
    """A context in which the database fails at every statement that contains the given words."""

    def fail_at(words: str) -> AbstractContextManager[None]:
        def execute(act: Callable[..., Any], sql: str, *rest: Any) -> Any:
            if words in sql:
                raise OperationalError("The connection is lost.")
            return act(sql, *rest)

        return connection.execute_wrapper(execute)

    return fail_at


def _values(cursor: Any, table: str) -> str:
    cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
    return "\n".join(_text(value) for row in cursor.fetchall() for value in row)


def _text(value: Any) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    """A system of a shop's own, which may be called on this machine."""
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    with shop_endpoint.running() as running:
        yield running
