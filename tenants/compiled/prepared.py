"""Running statements that PostgreSQL has planned before, several in one round trip.

Django binds values into the text of a statement, which PostgreSQL plans anew each time; planning is nearly all that a
small look-up costs it. psycopg can prepare statements, but one that row level security confines needs a setting in
front of it, in the same transaction, and psycopg's pipeline costs more than it saves. So this goes by psycopg's
interface of libpq, and has everything that belongs together sent and answered in one round trip.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from tenants.compiled import pipeline
from tenants.compiled.pipeline import Before, Waiting


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What a statement brought."""

    rowcount: int
    rows: list[tuple[Any, ...]]


class _Gathered(threading.local):
    """What this thread's statements are gathered in until the next one is sent; None while nothing is to wait."""

    statements: list[Waiting] | None = None


_gathered = _Gathered()


class PreparedCursor:
    """As much of a database cursor as `CursorWrapper` and a reader need. `before` is run in front of the statement, in
    its transaction; `waiting` are statements that are sent ahead of it."""

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        self._connection: pipeline.Connection = wrapper.connection
        self.before: Before | None = None
        self.waiting: list[Waiting] = []
        self.rowcount = -1
        self.rows: list[tuple[Any, ...]] = []
        self._query: SimpleNamespace | None = None  # where Django's log of statements looks for the last one

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        """Raises psycopg's errors."""
        self._query = SimpleNamespace(query=sql.encode())
        own = Waiting(sql=sql, params=params, before=self.before, then=self._keep)
        self.rowcount = pipeline.run(self._connection, [*self.waiting, own])

    def send(self, *, ends: bool) -> None:
        """Run what waits, and commit when it `ends`. Raises psycopg's errors."""
        pipeline.run(self._connection, self.waiting, ends=ends)

    @property
    def is_in_transaction(self) -> bool:
        """Whether the database has begun one."""
        return self._connection.pgconn.transaction_status == TransactionStatus.INTRANS

    def _keep(self, rows: list[tuple[Any, ...]]) -> None:
        self.rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self.rows

    def close(self) -> None:
        """Nothing is open."""


def execute(wrapper: BaseDatabaseWrapper, sql: str, params: Sequence[object]) -> Fetched:
    """Run the statement, prepared on PostgreSQL, after those that wait. Raises Django's errors.

    `execute_wrapper`s and the log of statements see it like any other. Where there are none but ours, which say what
    has to be run `before`, they are left out: they cost as much as the statement.
    """
    if wrapper.vendor != "postgresql":
        with wrapper.cursor() as cursor:
            cursor.execute(sql, cast(Any, params))
            return Fetched(rowcount=cursor.rowcount, rows=cursor.fetchall() if cursor.description else [])
    if wrapper.connection is None:
        wrapper.ensure_connection()
    prepared = PreparedCursor(wrapper)
    if is_watched(wrapper):
        wrapper._prepare_cursor(prepared).execute(sql, params)  # type: ignore[attr-defined]
    else:
        prepared.before, prepared.waiting = before_of(wrapper), _taken()
        _unwatched(wrapper, prepared, lambda: prepared.execute(sql, params))
    return Fetched(rowcount=prepared.rowcount, rows=prepared.rows)


def execute_all(
    wrapper: BaseDatabaseWrapper, statements: Sequence[tuple[str, Sequence[object], Before | None]]
) -> list[list[tuple[Any, ...]]]:
    """The rows of each statement, as `execute` runs it, on PostgreSQL in one round trip. Where one comes with what is
    run before it, the database is at rest (`is_at_rest`). Raises Django's errors."""
    if len(statements) == 1 or wrapper.vendor != "postgresql" or is_watched(wrapper):
        return [execute(wrapper, sql, params).rows for sql, params, _ in statements]
    wrapper.ensure_connection()
    prepared, common = PreparedCursor(wrapper), before_of(wrapper)
    found: list[list[tuple[Any, ...]]] = []
    own = [
        Waiting(sql=sql, params=params, before=before or common, then=found.append)
        for sql, params, before in statements
    ]
    prepared.waiting = [*_taken(), *own]
    _unwatched(wrapper, prepared, lambda: prepared.send(ends=False))
    return found


def run(
    wrapper: BaseDatabaseWrapper,
    sql: str,
    params: Sequence[object],
    then: Callable[[list[tuple[Any, ...]]], None] | None = None,
    counted: Callable[[int], None] | None = None,
    *,
    waits: bool,
) -> None:
    """Run the statement, give `then` its rows and `counted` how many it returned or changed; when it `waits`, inside
    `transactions.brief`, together with the next one or with the transaction's end."""
    if not waits or _gathered.statements is None or is_watched(wrapper):
        fetched = execute(wrapper, sql, params)
        if then is not None:
            then(fetched.rows)
        if counted is not None:
            counted(fetched.rowcount)
        return
    waiting = Waiting(sql=sql, params=params, before=before_of(wrapper), then=then, counted=counted)
    _gathered.statements.append(waiting)


def is_gathering() -> bool:
    """Whether this thread's statements wait where they may."""
    return _gathered.statements is not None


def gather() -> None:
    """From here on statements that may wait do so in this thread, until the next one or `send_gathered`."""
    _gathered.statements = []


def send_gathered(wrapper: BaseDatabaseWrapper, *, ends: bool = False) -> None:
    """Run what waits and, when it `ends`, commit in the same round trip. Raises Django's errors."""
    prepared = PreparedCursor(wrapper)
    prepared.waiting = _taken()
    if prepared.waiting or (ends and prepared.is_in_transaction):
        _unwatched(wrapper, prepared, lambda: prepared.send(ends=ends))


def stop_gathering() -> None:
    """Nothing waits any more. What still did is dropped: its transaction is rolled back."""
    _gathered.statements = None


def is_watched(wrapper: BaseDatabaseWrapper) -> bool:
    """Whether somebody else than Patron itself wants to see each statement."""
    for each in wrapper.execute_wrappers:
        if not hasattr(each, "before"):
            return True
    return bool(wrapper.queries_logged)


def is_at_rest(wrapper: BaseDatabaseWrapper) -> bool:
    """Whether statements that are sent now are a transaction of their own, and nobody else watches or confines them."""
    return wrapper.vendor == "postgresql" and not (
        wrapper.in_atomic_block or is_gathering() or is_watched(wrapper) or before_of(wrapper)
    )


def before_of(wrapper: BaseDatabaseWrapper) -> Before | None:
    """What the `execute_wrapper`s have to be run in front of a statement; that of the innermost counts."""
    for each in reversed(wrapper.execute_wrappers):
        before: Before | None = getattr(each, "before", None)
        if before is not None:
            return before
    return None


def _taken() -> list[Waiting]:
    waiting = _gathered.statements
    if not waiting:
        return []
    _gathered.statements = []
    return waiting


def _unwatched(wrapper: BaseDatabaseWrapper, prepared: PreparedCursor, act: Callable[[], None]) -> None:
    """As Django's cursor does it: nothing in a transaction that is broken, and errors of its own classes. What waited
    is lost with an error, even with one that never reached the database, and so is the transaction."""
    if wrapper.needs_rollback:
        wrapper.validate_no_broken_transaction()
    try:
        act()
    except Exception as error:
        if prepared.waiting and wrapper.in_atomic_block:
            wrapper.needs_rollback = True
        if not isinstance(error, psycopg.Error):
            raise
        with wrapper.wrap_database_errors:
            raise
