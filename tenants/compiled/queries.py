"""A queryset that is composed once a process and run with parameters.

The object-relational mapper composes the SQL of a queryset each time it is asked, which costs more than all else that
a hot read does. `compiled` has it done once:

    @compiled
    def addresses_of(*, tenant: Tenant, customer: Customer) -> QuerySet[Address]:
        return Address.objects.for_tenant(tenant).filter(customer=customer)

    addresses_of(tenant=tenant, customer=customer)   # a list of addresses, in one statement

The function is called once, with a `Parameter` for each argument. What is no parameter becomes a part of the text, so
that partial indexes serve it. On PostgreSQL the statement is planned once a connection, too (`prepared`).
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import update_wrapper
from json import JSONDecoder
from typing import Any, Generic, ParamSpec, TypeVar, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, JSONField, Model, QuerySet
from django.db.models.expressions import Col
from django.db.models.query import ModelIterable, get_related_populators
from django.db.models.sql.compiler import SQLCompiler
from psycopg.sql import Literal

from tenants.compiled import ahead, pipeline, prepared

P = ParamSpec("P")
Row = TypeVar("Row")
Other = TypeVar("Other")
PLAIN = frozenset({str, int, bool, bytes, type(None)})  # what the database takes as it is
_decoder = JSONDecoder()


class Parameter(Expression):
    """Stands for a value that is known when the statement is run."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: SQLCompiler, connection: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        return "%s", [self]


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A composed statement, and what makes rows of its answer."""

    sql: str
    params: Sequence[Any]  # a `Parameter`, or the value itself
    read: Callable[[Iterable[Sequence[Any]]], list[Any]]


class CompiledQuery(Generic[P, Row]):
    """What `compiled` makes of a function that builds a queryset. Called with the function's arguments, it returns the
    rows."""

    every: "list[CompiledQuery[..., Any]]" = []

    def __init__(self, build: Callable[P, QuerySet[Any, Row]]) -> None:
        update_wrapper(self, build)
        self.build = build
        self._statement: Statement | None = None
        self._of_caller: Statement | None = None
        self.every.append(self)

    def __call__(self, *args: P.args, **values: P.kwargs) -> list[Row]:
        """Raises what `Asked.rows` raises."""
        return self.asked(*args, **values).rows()

    def first(self, *args: P.args, **values: P.kwargs) -> Row | None:
        """The first row, None when there is none."""
        return self.asked(*args, **values).first()

    @property
    def statement(self) -> Statement:
        """Composed at the first use."""
        if self._statement is None:
            self._statement = _compose(self.build)
        return self._statement

    def asked(self, *args: P.args, **values: P.kwargs) -> "Asked[Row]":
        """The query with its arguments, for `together`."""
        return Asked(build=self.build, statement=self.statement, values=values)

    def of_caller(self, before: pipeline.Before) -> "Asked[Row]":
        """The query for whoever calls, run after what says who that is. Raises `KeyError` for an argument that is none
        of `ahead.OF_CALLER`."""
        if self._of_caller is None:
            self._of_caller = _with_keys_of_caller(self.statement)
        return Asked(build=self.build, statement=self._of_caller, values={}, before=before)


@dataclass(frozen=True, kw_only=True)
class Asked(Generic[Row]):
    """A query with its arguments, that has not been run, and what is run before it in its transaction."""

    build: Callable[..., Any]
    statement: Statement
    values: Mapping[str, Any]
    before: pipeline.Before | None = None
    is_repeatable: bool = True  # whether it may be run again when it is not known if it was

    def rows(self) -> list[Row]:
        """Run it. Raises what a queryset raises. A connection that was lost while it was idle is opened again."""
        return _read([self])[0]

    def first(self) -> Row | None:
        """The first row, None when there is none. Raises what `rows` raises."""
        return next(iter(self.rows()), None)

    def params(self, wrapper: BaseDatabaseWrapper) -> list[object]:
        """In the order of the statement, as the database takes them."""
        values, params = self.values, self.statement.params
        return [adapted(values[each.name] if isinstance(each, Parameter) else each, wrapper) for each in params]


def compiled(build: Callable[P, QuerySet[Any, Row]]) -> CompiledQuery[P, Row]:
    """Make a compiled query of a function with keyword-only arguments that returns a queryset."""
    return CompiledQuery(build)


def together(first: Asked[Row], second: Asked[Other]) -> tuple[list[Row], list[Other]]:
    """The rows of both queries, for which PostgreSQL is asked once. Raises what a queryset raises."""
    rows, others = _read([first, second])
    return rows, others


@contextmanager
def reading_ahead(*queries: Asked[Any]) -> Iterator[None]:
    """Inside it, whoever runs one of the queries with the same values gets its rows, once, without going to PostgreSQL,
    which was asked for all of them in one round trip. On SQLite, and where somebody watches the statements, each is
    run when it is wanted. Raises what a queryset raises."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.vendor != "postgresql" or prepared.is_watched(wrapper):
        yield
        return
    for each, rows in zip(queries, _ask(queries), strict=True):
        ahead.keep(each.build, ahead.keys_of(each.values), rows)
    try:
        yield
    finally:
        for each in queries:
            ahead.drop(each.build)


def with_rows_ahead(
    first: Asked[Row],
    wanted: Sequence[CompiledQuery[Any, Any]],
    before: Callable[[], pipeline.Before],
    keys: Callable[[Row], ahead.Keys],
) -> list[Row]:
    """The rows of the first query, and those of the others for the caller whom it finds, kept for when they are asked
    for. `before` tells the database who that is, `keys` tells it us. Where PostgreSQL can't be asked for all of that
    in one transaction of its own, the others are not read ahead."""
    if not wanted or not prepared.is_at_rest(connections[DEFAULT_DB_ALIAS]):
        return _read([first])[0]
    confining = before()
    found, *rows = _ask([first, *(each.of_caller(confining) for each in wanted)])
    if found:
        known = keys(found[0])
        for each, own in zip(wanted, rows, strict=True):
            ahead.keep(each.build, known, own)
    return found


def _read(queries: Sequence[Asked[Any]]) -> list[list[Any]]:
    """The rows of each, from what was read ahead where all of them were."""
    waiting = [ahead.take(each.build, each.values) for each in queries]
    if None in waiting:
        return _ask(queries)
    return cast(list[list[Any]], waiting)


def _ask(queries: Sequence[Asked[Any]]) -> list[list[Any]]:
    """The rows of each. A connection that was lost while it was idle is opened again."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    opened = wrapper.connection
    try:
        return _rows(wrapper, queries)
    except (DatabaseError, InterfaceError):
        is_lost = wrapper.vendor == "postgresql" and opened is not None and opened.closed
        if not is_lost or wrapper.in_atomic_block or not all(each.is_repeatable for each in queries):
            raise
    wrapper.close()
    return _rows(wrapper, queries)


def _rows(wrapper: BaseDatabaseWrapper, queries: Sequence[Asked[Any]]) -> list[list[Any]]:
    statements = [(each.statement.sql, each.params(wrapper), each.before) for each in queries]
    fetched = prepared.execute_all(wrapper, statements)
    return [each.statement.read(rows) for each, rows in zip(queries, fetched, strict=True)]


def adapted(value: object, wrapper: BaseDatabaseWrapper) -> object:
    """The value as the database takes it."""
    if type(value) in PLAIN:
        return value
    if isinstance(value, Model):
        return adapted(value.pk, wrapper)
    if isinstance(value, UUID) and not wrapper.features.has_native_uuid_field:
        return value.hex
    return wrapper.ops.adapt_datetimefield_value(value) if isinstance(value, datetime) else value


def _compose(build: Callable[..., QuerySet[Any, Any]]) -> Statement:
    queryset = build(**{name: Parameter(name) for name in inspect.signature(build).parameters})
    compiler = queryset.query.get_compiler(using=queryset.db)
    sql, params = compiler.as_sql()
    sql, params = with_literals(sql, params)
    return Statement(sql=sql, params=params, read=_reader(queryset, compiler))


def with_literals(sql: str, params: Iterable[Any]) -> tuple[str, Sequence[Any]]:
    """The statement with every value that is no parameter in its text, and the parameters; on other databases than
    PostgreSQL as it is."""
    params = tuple(params)
    if connection.vendor != "postgresql":
        return sql, params
    connection.ensure_connection()
    texts = ["%s" if isinstance(each, Parameter) else _literal(each) for each in params]
    return _filled(sql, texts), [each for each in params if isinstance(each, Parameter)]


def _with_keys_of_caller(statement: Statement) -> Statement:
    keys = [ahead.OF_CALLER[each.name] for each in statement.params]
    return replace(statement, sql=_filled(statement.sql, keys), params=())


def _filled(sql: str, texts: Sequence[str]) -> str:
    """The statement with each text in the place of a parameter."""
    parts = sql.split("%s")
    return parts[0] + "".join(text + part for text, part in zip(texts, parts[1:], strict=True))


def _literal(value: object) -> str:
    return Literal(value).as_string(connection.connection).replace("%", "%%")


def _reader(queryset: QuerySet[Any, Any], compiler: SQLCompiler) -> Callable[[Iterable[Sequence[Any]]], list[Any]]:
    """What makes instances of rows, or leaves them tuples, as the queryset has it."""
    select = cast(Any, compiler.select)
    converters = _quick(compiler.get_converters([column for column, *_ in select]))
    convert = compiler.apply_converters if converters else lambda rows, _: rows
    if queryset._iterable_class is not ModelIterable:
        return lambda rows: [tuple(row) for row in convert(rows, converters)]
    info = cast(dict[str, Any], compiler.klass_info)
    model, fields = info["model"], info["select_fields"]
    start, end = fields[0], fields[-1] + 1
    names = [column.target.attname for column, *_ in select[start:end]]
    populators = cast(Any, get_related_populators)(info, select, queryset.db)
    annotations = tuple((compiler.annotation_col_map or {}).items())

    def instance(row: Sequence[Any]) -> Any:
        found = model.from_db(queryset.db, names, row[start:end])
        for each in populators:
            each.populate(row, found)
        for name, position in annotations:
            setattr(found, name, row[position])
        return found

    return lambda rows: [instance(row) for row in convert(rows, converters)]


def _quick(converters: dict[int, tuple[list[Any], Any]]) -> dict[int, tuple[list[Any], Any]]:
    """The compiler's converters of columns, but for whole columns of JSON."""
    return {
        position: ([_json] if isinstance(column, Col) and _is_plain_json(found) else found, column)
        for position, (found, column) in converters.items()
    }


def _is_plain_json(converters: list[Any]) -> bool:
    field = getattr(converters[0], "__self__", None)
    return len(converters) == 1 and type(field) is JSONField and field.decoder is None


def _json(value: str | None, *_: object) -> Any:
    """As `JSONField.from_db_value`, in a third of the time, of what the database has written: no space around it."""
    return None if value is None else _decoder.raw_decode(value)[0]
