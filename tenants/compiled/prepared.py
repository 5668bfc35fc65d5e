"""Running a statement that PostgreSQL has planned before.

Django binds values into the text of a statement, which PostgreSQL plans anew each time; planning is nearly all that a
small look-up costs it. psycopg can prepare statements, but one that row level security confines needs a setting in
front of it, in the same transaction, and psycopg's pipeline costs more than it saves. So this goes by psycopg's
interface of libpq, and has everything that belongs to a statement sent and answered in one round trip.
"""

import select
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from types import SimpleNamespace
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

import psycopg
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.datetime import TimestamptzLoader

Values: TypeAlias = Sequence[Buffer | None]
FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED, ExecStatus.BAD_RESPONSE)

# The names of what is prepared on a connection, by the statement.
_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[bytes, bytes]] = WeakKeyDictionary()
_numbers = count(1)
_adapters_of: WeakKeyDictionary[psycopg.Connection[Any], AdaptersMap] = WeakKeyDictionary()


class PreparedCursor:
    """As much of a database cursor as `CursorWrapper` and a reader need. `before` is run in front of the statement, in
    its transaction."""

    def __init__(self, wrapper: BaseDatabaseWrapper) -> None:
        self._connection: psycopg.Connection[Any] = wrapper.connection
        self._transformer = Transformer(_Context(connection=self._connection, adapters=_adapters(self._connection)))
        self.before: tuple[bytes, Values] | None = None
        self.rowcount = -1
        self._query: SimpleNamespace | None = None  # where Django's log of statements looks for the last one

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        """Raises psycopg's errors."""
        values = self._transformer.dump_sequence(params, [PyFormat.TEXT] * len(params))
        statements = [(numbered(sql), values)] if self.before is None else [self.before, (numbered(sql), values)]
        connection = self._connection
        if not connection.autocommit and connection.pgconn.transaction_status == TransactionStatus.IDLE:
            statements.insert(0, (_begin(connection), ()))
        self._query = SimpleNamespace(query=b"; ".join(each for each, _ in statements))
        result = _run(connection, statements)
        self.rowcount = result.command_tuples or 0
        self._transformer.set_pgresult(result)
        self._count = result.ntuples

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._transformer.load_rows(0, self._count, tuple)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, kw_only=True)
class _Context:
    """How values are read and written (psycopg's `AdaptContext`)."""

    connection: psycopg.Connection[Any]
    adapters: AdaptersMap


def _adapters(connection: psycopg.Connection[Any]) -> AdaptersMap:
    """Django's, but for moments: its loader is written in Python, and puts in UTC what is in UTC already."""
    found = _adapters_of.get(connection)
    if found is None:
        found = _adapters_of[connection] = AdaptersMap(connection.adapters)
        if connection.info.parameter_status("TimeZone") == "UTC":
            found.register_loader("timestamptz", TimestamptzLoader)
    return found


@cache
def numbered(sql: str) -> bytes:
    """The statement with PostgreSQL's parameters, $1, instead of %s."""
    parts = sql.split("%s")
    text = parts[0] + "".join(f"${number}{part}" for number, part in enumerate(parts[1:], 1))
    return text.replace("%%", "%").encode()


def _begin(connection: psycopg.Connection[Any]) -> bytes:
    """What psycopg begins a transaction with, at the first statement of it."""
    level = connection.isolation_level
    return b"BEGIN" if level is None else f"BEGIN ISOLATION LEVEL {level.name.replace('_', ' ')}".encode()


def _run(connection: psycopg.Connection[Any], statements: Sequence[tuple[bytes, Values]]) -> PGresult:
    """The result of the last of the statements, which are one transaction unless one is open."""
    pgconn = connection.pgconn
    if pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError("the connection is closed")
    try:
        pgconn.enter_pipeline_mode()
        for sql, values in statements:
            _send(connection, sql, values)
        pgconn.pipeline_sync()
        results = _results(pgconn)
        pgconn.exit_pipeline_mode()
    except BaseException:
        connection.close()  # or else what is still to come would answer the next statement
        raise
    failed = next((result for result in results if result.status in FAILED), None)
    if failed is not None:
        _prepared.pop(connection, None)  # perhaps something is not prepared that should be
        raise error_from_result(failed, encoding="utf-8")
    return results[-1]


def _send(connection: psycopg.Connection[Any], sql: bytes, values: Values) -> None:
    pgconn = connection.pgconn
    if not settings.PREPARED_STATEMENTS or not values:
        pgconn.send_query_params(sql, values)
        return
    names = _prepared.setdefault(connection, {})
    if sql not in names:
        names[sql] = b"patron_%d" % next(_numbers)
        pgconn.send_prepare(names[sql], sql)
    pgconn.send_query_prepared(names[sql], values)


def _results(pgconn: PGconn) -> list[PGresult]:
    """What came until the end of the pipeline. Raises `psycopg.OperationalError` when the connection is lost."""
    socket = select.poll()
    socket.register(pgconn.socket, select.POLLIN)
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
