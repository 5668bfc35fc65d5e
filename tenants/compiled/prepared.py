"""Running statements that PostgreSQL has planned before, several in one round trip.

Django binds values into the text of a statement, which PostgreSQL plans anew each time; planning is nearly all that a
small look-up costs it. psycopg can prepare statements, but one that row level security confines needs a setting in
front of it, in the same transaction, and psycopg's pipeline costs more than it saves. So this goes by psycopg's
interface of libpq, and has everything that belongs together sent and answered in one round trip.
"""

import select
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any, TypeAlias, cast

import psycopg
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.datetime import TimestamptzLoader

Connection: TypeAlias = "psycopg.Connection[Any]"
Values: TypeAlias = Sequence[Buffer | None]
# A statement with its parameters, which are text already.
Before: TypeAlias = tuple[str, Values]
FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED, ExecStatus.BAD_RESPONSE)

_numbers = count(1)


@dataclass(kw_only=True)
class _Statement:
    """What a connection knows of a statement: its text with PostgreSQL's parameters, the name under which it is
    prepared, if it is, and what reads its rows."""

    text: bytes
    reading: Any  # psycopg's Transformer, a variable to mypy
    is_query: bool  # what is none and has no parameters, such as a SAVEPOINT, differs from one to the next
    name: bytes = b""
    is_read: bool = False  # whether `reading` knows the columns


@dataclass(kw_only=True)
class _Known:
    """What is kept for a connection, as long as that is open."""

    adapters: AdaptersMap
    writing: Any  # the same
    socket: select.poll
    statements: dict[str, _Statement] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Context:
    """How values are read and written (psycopg's `AdaptContext`)."""

    connection: Connection
    adapters: AdaptersMap


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A statement that is sent with the next one, and what is done with its rows."""

    sql: str
    params: Sequence[object]
    before: Before | None
    then: Callable[[list[tuple[Any, ...]]], None] | None = None


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
        self._connection: Connection = wrapper.connection
        self.before: Before | None = None
        self.waiting: list[Waiting] = []
        self.rowcount = -1
        self.rows: list[tuple[Any, ...]] = []
        self._query: SimpleNamespace | None = None  # where Django's log of statements looks for the last one

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        """Raises psycopg's errors."""
        self._query = SimpleNamespace(query=sql.encode())
        own = Waiting(sql=sql, params=params, before=self.before, then=self._keep)
        self.rowcount = _run(self._connection, [*self.waiting, own])

    def send(self, *, ends: bool) -> None:
        """Run what waits, and commit when it `ends`. Raises psycopg's errors."""
        _run(self._connection, self.waiting, ends=ends)

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
        _unwatched(wrapper, lambda: prepared.execute(sql, params))
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
    _unwatched(wrapper, lambda: prepared.send(ends=False))
    return found


def run(
    wrapper: BaseDatabaseWrapper,
    sql: str,
    params: Sequence[object],
    then: Callable[[list[tuple[Any, ...]]], None] | None = None,
    *,
    waits: bool,
) -> None:
    """Run the statement and give `then` its rows; when it `waits`, inside `transactions.brief`, together with the next
    one or with the transaction's end."""
    if not waits or _gathered.statements is None or is_watched(wrapper):
        fetched = execute(wrapper, sql, params)
        if then is not None:
            then(fetched.rows)
        return
    _gathered.statements.append(Waiting(sql=sql, params=params, before=before_of(wrapper), then=then))


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
        _unwatched(wrapper, lambda: prepared.send(ends=ends))


def stop_gathering() -> None:
    """Nothing waits any more. What still did is dropped: its transaction is rolled back."""
    _gathered.statements = None


def is_watched(wrapper: BaseDatabaseWrapper) -> bool:
    """Whether somebody else than Patron itself wants to see each statement."""
    return wrapper.queries_logged or any(not hasattr(each, "before") for each in wrapper.execute_wrappers)


def is_at_rest(wrapper: BaseDatabaseWrapper) -> bool:
    """Whether statements that are sent now are a transaction of their own, and nobody else watches or confines them."""
    return wrapper.vendor == "postgresql" and not (
        wrapper.in_atomic_block or is_gathering() or is_watched(wrapper) or before_of(wrapper)
    )


def before_of(wrapper: BaseDatabaseWrapper) -> Before | None:
    """What the `execute_wrapper`s have to be run in front of a statement; that of the innermost counts."""
    found = [before for each in wrapper.execute_wrappers if (before := getattr(each, "before", None)) is not None]
    return found[-1] if found else None


def _taken() -> list[Waiting]:
    waiting = _gathered.statements
    if not waiting:
        return []
    _gathered.statements = []
    return waiting


def _unwatched(wrapper: BaseDatabaseWrapper, act: Callable[[], None]) -> None:
    """As Django's cursor does it: nothing in a transaction that is broken, and errors of its own classes."""
    if wrapper.needs_rollback:
        wrapper.validate_no_broken_transaction()
    try:
        act()
    except psycopg.Error:
        with wrapper.wrap_database_errors:
            raise


def _known(connection: Connection) -> _Known:
    """Kept at the connection itself: what is keyed by it, and refers to it, would never go."""
    known: _Known | None = vars(connection).get("patron")
    if known is None:
        adapters = _adapters(connection)
        socket = select.poll()
        socket.register(connection.pgconn.socket, select.POLLIN)
        context = _Context(connection=connection, adapters=adapters)
        known = vars(connection)["patron"] = _Known(adapters=adapters, writing=Transformer(context), socket=socket)
    return known


def _adapters(connection: Connection) -> AdaptersMap:
    """Django's, but for moments: its loader is written in Python, and puts in UTC what is in UTC already."""
    adapters = AdaptersMap(connection.adapters)
    if connection.info.parameter_status("TimeZone") == "UTC":
        adapters.register_loader("timestamptz", TimestamptzLoader)
    return adapters


def _statement(connection: Connection, known: _Known, sql: str) -> _Statement:
    found = known.statements.get(sql)
    if found is None:
        reading = Transformer(_Context(connection=connection, adapters=known.adapters))
        is_query = sql.startswith(("SELECT ", "(SELECT "))
        found = known.statements[sql] = _Statement(text=numbered(sql), reading=reading, is_query=is_query)
    return found


def numbered(sql: str) -> bytes:
    """The statement with PostgreSQL's parameters, $1, instead of %s."""
    parts = sql.split("%s")
    text = parts[0] + "".join(f"${number}{part}" for number, part in enumerate(parts[1:], 1))
    return text.replace("%%", "%").encode()


def _begin(connection: Connection) -> bytes:
    """What psycopg begins a transaction with, at the first statement of it."""
    level = connection.isolation_level
    return b"BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}".encode()


def _run(connection: Connection, waiting: Sequence[Waiting], *, ends: bool = False) -> int:
    """Run the statements, which are one transaction unless one is open, and commit when it `ends`. How many rows the
    last of them returned or changed."""
    pgconn = connection.pgconn
    if pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError("the connection is closed")
    known = _known(connection)
    statements = [_statement(connection, known, each.sql) for each in waiting]
    values = [known.writing.dump_sequence(each.params, [PyFormat.TEXT] * len(each.params)) for each in waiting]
    try:
        pgconn.enter_pipeline_mode()
        positions = _send(connection, list(zip(waiting, statements, values, strict=True)), ends=ends)
        pgconn.pipeline_sync()
        results = _results(pgconn, known.socket)
        pgconn.exit_pipeline_mode()
    except BaseException:
        connection.close()  # or else what is still to come would answer the next statement
        raise
    failed = next((result for result in results if result.status in FAILED), None)
    if failed is not None:
        known.statements.clear()  # perhaps something is not prepared that should be
        raise error_from_result(failed, encoding="utf-8")
    answers = [results[position] for position in positions]
    for each, statement, result in zip(waiting, statements, answers, strict=True):
        if each.then is not None:
            each.then(_read(statement, result))
    return answers[-1].command_tuples or 0 if answers else 0


def _send(connection: Connection, bound: Sequence[tuple[Waiting, _Statement, Values]], *, ends: bool) -> list[int]:
    """Send them all; where among the results those of the statements are."""
    pgconn, sent, positions = connection.pgconn, 0, []
    if not connection.autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
        pgconn.send_query_params(_begin(connection), ())
        sent += 1
    before: Before | None = None
    for waiting, statement, values in bound:
        if waiting.before is not None and waiting.before is not before:
            before = waiting.before
            sent += _send_one(connection, _statement(connection, _known(connection), before[0]), before[1])
        sent += _send_one(connection, statement, values)
        positions.append(sent - 1)
    if ends:
        pgconn.send_query_params(b"COMMIT", ())
    return positions


def _send_one(connection: Connection, statement: _Statement, values: Values) -> int:
    """How many results come of it."""
    pgconn = connection.pgconn
    if not (values or statement.is_query) or not settings.PREPARED_STATEMENTS:
        pgconn.send_query_params(statement.text, values)
        return 1
    if statement.name:
        pgconn.send_query_prepared(statement.name, values)
        return 1
    statement.name = b"patron_%d" % next(_numbers)
    pgconn.send_prepare(statement.name, statement.text)
    pgconn.send_query_prepared(statement.name, values)
    return 2


def _read(statement: _Statement, result: PGresult) -> list[tuple[Any, ...]]:
    """The rows. The columns of what is prepared stay as they are."""
    reading = statement.reading
    reading.set_pgresult(result, set_loaders=not statement.is_read)
    statement.is_read = bool(statement.name)
    rows: list[tuple[Any, ...]] = reading.load_rows(0, result.ntuples, tuple)
    reading.set_pgresult(None, set_loaders=False)  # nobody's data stay there
    return rows


def _results(pgconn: PGconn, socket: select.poll) -> list[PGresult]:
    """What came until the end of the pipeline. Raises `psycopg.OperationalError` when the connection is lost."""
    while pgconn.flush():
        select.select([], [pgconn.socket], [])
    results: list[PGresult] = []
    while True:
        while pgconn.is_busy():
            socket.poll()
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is not None and result.status == ExecStatus.PIPELINE_SYNC:
            return results
        if result is not None:
            results.append(result)
        elif pgconn.status == ConnStatus.BAD:
            raise psycopg.OperationalError(pgconn.get_error_message())
