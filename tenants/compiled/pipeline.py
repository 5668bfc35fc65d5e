"""Statements that are sent to PostgreSQL together and answered together, by psycopg's interface of libpq.

psycopg's own pipeline costs more than it saves. Each statement is prepared once a connection.
"""

import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

import psycopg
from django.conf import settings
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.errors import FeatureNotSupported, InvalidSqlStatementName, error_from_result
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.datetime import TimestamptzLoader

Connection: TypeAlias = "psycopg.Connection[Any]"
Values: TypeAlias = Sequence[Buffer | None]
# A statement with its parameters, which are text already.
Before: TypeAlias = tuple[str, Values]
FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED, ExecStatus.BAD_RESPONSE)
# What the database says when it has forgotten a statement, or when its tables have other columns now.
UNPREPARED = (InvalidSqlStatementName, FeatureNotSupported)

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
class _Sent:
    """How many results come of what was sent, and which of them are the statements' answers, and which say that one
    was prepared, where statements are."""

    prepares: bool
    count: int = 0
    answers: list[int] = field(default_factory=list)
    preparations: list[tuple[int, _Statement]] = field(default_factory=list)


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
    """A statement that is sent with the next one, and what is done with its rows, and with the number of rows that it
    returned or changed."""

    sql: str
    params: Sequence[object]
    before: Before | None
    then: Callable[[list[tuple[Any, ...]]], None] | None = None
    counted: Callable[[int], None] | None = None


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


def run(connection: Connection, waiting: Sequence[Waiting], *, ends: bool = False) -> int:
    """Run the statements, which are one transaction unless one is open, and commit when it `ends`. How many rows the
    last of them returned or changed.

    Where one is not prepared any more, all are run once more, as nothing of them was done; in a transaction that has
    begun before it is the transaction that has to be repeated. Raises psycopg's errors.
    """
    if connection.pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError("the connection is closed")
    is_first = connection.pgconn.transaction_status == TransactionStatus.IDLE
    try:
        return _run(connection, waiting, ends=ends)
    except UNPREPARED as error:
        if not is_first:
            raise psycopg.OperationalError(f"the transaction has to be repeated: {error}") from error
    connection.rollback()
    return _run(connection, waiting, ends=ends)


def _run(connection: Connection, waiting: Sequence[Waiting], *, ends: bool) -> int:
    pgconn = connection.pgconn
    known = _known(connection)
    statements = [_statement(connection, known, each.sql) for each in waiting]
    values = [known.writing.dump_sequence(each.params, [PyFormat.TEXT] * len(each.params)) for each in waiting]
    try:
        pgconn.enter_pipeline_mode()
        sent = _send(connection, known, list(zip(waiting, statements, values, strict=True)), ends=ends)
        pgconn.pipeline_sync()
        results = _results(pgconn, known.socket)
        pgconn.exit_pipeline_mode()
    except BaseException:
        connection.close()  # or else what is still to come would answer the next statement
        raise
    failed = next((result for result in results if result.status in FAILED), None)
    if failed is not None:
        error = error_from_result(failed, encoding="utf-8")
        _forget_unprepared(known, sent, results, error)
        raise error
    answers = [results[position] for position in sent.answers]
    for each, statement, result in zip(waiting, statements, answers, strict=True):
        if each.then is not None:
            each.then(_read(statement, result))
        if each.counted is not None:
            each.counted(result.command_tuples or 0)
    return answers[-1].command_tuples or 0 if answers else 0


def _forget_unprepared(known: _Known, sent: _Sent, results: Sequence[PGresult], error: psycopg.Error) -> None:
    """After an error: what is prepared stays so, in and after a transaction that is rolled back, and would only fill
    the database's memory if it was prepared again."""
    if isinstance(error, UNPREPARED):
        known.statements.clear()
    for position, statement in sent.preparations:
        if results[position].status in FAILED:
            statement.name = b""


def _send(
    connection: Connection, known: _Known, bound: Sequence[tuple[Waiting, _Statement, Values]], *, ends: bool
) -> _Sent:
    """Send them all."""
    pgconn, sent = connection.pgconn, _Sent(prepares=settings.PREPARED_STATEMENTS)
    if not connection.autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
        pgconn.send_query_params(_begin(connection), ())
        sent.count += 1
    before: Before | None = None
    for waiting, statement, values in bound:
        if waiting.before is not None and waiting.before is not before:
            before = waiting.before
            _send_one(pgconn, _statement(connection, known, before[0]), before[1], sent)
        _send_one(pgconn, statement, values, sent)
        sent.answers.append(sent.count - 1)
    if ends:
        pgconn.send_query_params(b"COMMIT", ())
    return sent


def _send_one(pgconn: PGconn, statement: _Statement, values: Values, sent: _Sent) -> None:
    sent.count += 1
    if not sent.prepares or not (values or statement.is_query):
        pgconn.send_query_params(statement.text, values)
        return
    if not statement.name:
        statement.name = b"patron_%d" % next(_numbers)
        pgconn.send_prepare(statement.name, statement.text)
        sent.preparations.append((sent.count - 1, statement))
        sent.count += 1
    pgconn.send_query_prepared(statement.name, values)


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
    _flush(pgconn)
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


def _flush(pgconn: PGconn) -> None:
    """Send what does not fit into the socket at once. Answers are read meanwhile: the database takes nothing more once
    nobody takes its own."""
    while pgconn.flush():
        socket = select.poll()
        socket.register(pgconn.socket, select.POLLIN | select.POLLOUT)
        socket.poll()
        pgconn.consume_input()
