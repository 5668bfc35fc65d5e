"""Rows that are inserted and updated by statements that are composed once a process, as those of `queries` are."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial, update_wrapper
from typing import Any, Generic, ParamSpec, TypeAlias, cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    NOT_PROVIDED,
    BigAutoField,
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    ForeignKey,
    GenericIPAddressField,
    Model,
    QuerySet,
    TextField,
    UUIDField,
)
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery, UpdateQuery

from tenants.compiled import prepared
from tenants.compiled.queries import Parameter, adapted, with_literals

P = ParamSpec("P")
PLAIN = (BigAutoField, BooleanField, CharField, GenericIPAddressField, TextField, UUIDField)
# What to update, and the columns' new values by name.
Change: TypeAlias = tuple[QuerySet[Any, Any], Mapping[str, object]]


def insert(*rows: Model, waits: bool = False) -> None:
    """Insert new rows of one model in one statement. They get the keys that the database assigns.

    One that `waits` is sent with a later statement where `transactions.brief` says so: then keys and errors come later.
    No signal is sent, and `save` is not called. Raises `django.db.IntegrityError` as `save` does.
    """
    _insert(rows, waits=waits)
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def upsert(row: Model, *, unique: Sequence[str], update: Sequence[str], waits: bool = False) -> None:
    """Insert the row, or where one with the same values of `unique` is there, change the fields `update` of that."""
    _insert((row,), tuple(unique), tuple(update), waits=waits)


def store(row: Model, *names: str, waits: bool = False) -> None:
    """Write these fields of a row that is there, all of them when none is named; `waits` is that of `insert`.

    No signal is sent, and `save` is not called. Raises `django.db.IntegrityError` as `save` does.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    statement = _storing(type(row), names)
    prepared.run(wrapper, statement.sql, [*statement.values(row, wrapper), adapted(row.pk, wrapper)], waits=waits)


def _insert(rows: Sequence[Model], unique: tuple[str, ...] = (), update: tuple[str, ...] = (), *, waits: bool) -> None:
    wrapper = connections[DEFAULT_DB_ALIAS]
    model = type(rows[0])
    statement = _insertion(model, len(rows), unique, update)
    params = [value for row in rows for value in statement.values(row, wrapper)]
    has_keys = model._meta.auto_field is not None and not update
    prepared.run(wrapper, statement.sql, params, partial(_give_keys, rows) if has_keys else None, waits=waits)


class _Statement:
    """A composed statement, and the fields whose values it takes of a row."""

    def __init__(self, sql: str, fields: Sequence[Field[Any, Any]]) -> None:
        self.sql = sql
        self._fields = fields
        self._names = [field.attname for field in fields]
        self._others = [(position, field) for position, field in enumerate(fields) if not is_plain(field)]

    def values(self, row: Model, wrapper: BaseDatabaseWrapper) -> list[object]:
        """The fields' values as the database takes them."""
        if wrapper.vendor != "postgresql":
            return [_prepared(row, field, wrapper) for field in self._fields]
        found = [getattr(row, name) for name in self._names]
        for position, field in self._others:
            found[position] = _prepared(row, field, wrapper)
        return found


def _prepared(row: Model, field: Field[Any, Any], wrapper: BaseDatabaseWrapper) -> object:
    return field.get_db_prep_save(field.pre_save(row, row._state.adding), wrapper)


@cache
def is_plain(field: Field[Any, Any]) -> bool:
    """Whether psycopg writes what the field holds just as Django would have it, which asks eight functions."""
    if isinstance(field, ForeignKey):
        return is_plain(field.target_field)
    is_moment = type(field) is DateTimeField and not (field.auto_now or field.auto_now_add)
    return is_moment or type(field) in PLAIN


def _give_keys(rows: Sequence[Model], keys: Sequence[tuple[Any]]) -> None:
    for row, (key,) in zip(rows, keys, strict=True):
        row.pk = key


@cache
def _insertion(model: type[Model], count: int, unique: tuple[str, ...], update: tuple[str, ...]) -> _Statement:
    """For so many rows."""
    meta = model._meta
    fields = [field for field in meta.local_concrete_fields if not _is_of_database(field)]
    row: Any = type("Row", (), {field.attname: Parameter(field.attname) for field in fields})
    query = InsertQuery(
        model,
        on_conflict=OnConflict.UPDATE if update else None,
        update_fields=[meta.get_field(name) for name in update],
        unique_fields=[meta.get_field(name) for name in unique],
    )
    query.insert_values(fields, [row] * count, raw=True)
    compiler: Any = query.get_compiler(using=DEFAULT_DB_ALIAS)
    [(sql, _)] = compiler.as_sql()
    ending = f' RETURNING "{meta.auto_field.column}"' if meta.auto_field is not None else ""
    return _Statement(sql + ending, fields)


def _is_of_database(field: Field[Any, Any]) -> bool:
    """Whether the database says what a new row has there: a key, a generated text, a default of its own."""
    return field.generated or field is field.model._meta.auto_field or field.db_default is not NOT_PROVIDED


@cache
def _storing(model: type[Model], names: tuple[str, ...]) -> _Statement:
    """It takes the key after the fields' values."""
    meta = model._meta
    every = [each for each in meta.local_concrete_fields if not each.generated and not each.primary_key]
    fields = [each for each in every if each.name in names] if names else every
    query = cast(UpdateQuery, model._base_manager.filter(pk=Parameter("pk")).query.chain(UpdateQuery))
    query.add_update_values({field.name: Parameter(field.attname) for field in fields})
    return _Statement(query.get_compiler(using=DEFAULT_DB_ALIAS).as_sql()[0], fields)


class Changed:
    """How many rows an update changed that may wait."""

    def __init__(self) -> None:
        self._count: int | None = None

    @property
    def count(self) -> int:
        """Known once the update was sent, which is done now if need be. Raises Django's errors."""
        if self._count is None:
            prepared.send_gathered(connections[DEFAULT_DB_ALIAS])
        if self._count is None:
            raise RuntimeError("the update waited for a transaction that is over")
        return self._count

    def keep(self, count: int) -> None:
        """The database has said so."""
        self._count = count


class CompiledUpdate(Generic[P]):
    """What `compiled_update` makes of a function. Called with its arguments, it returns how many rows it changed."""

    every: "list[CompiledUpdate[...]]" = []

    def __init__(self, build: Callable[P, Change]) -> None:
        update_wrapper(self, build)
        self.build = build
        self._statement: tuple[str, Sequence[Any], dict[str, Field[Any, Any]]] | None = None
        self.every.append(self)

    def __call__(self, *args: P.args, **values: P.kwargs) -> int:
        wrapper, sql, params = self._bound(values)
        return prepared.execute(wrapper, sql, params).rowcount

    def wait(self, *args: P.args, **values: P.kwargs) -> None:
        """The same, sent with a later statement where `transactions.brief` says so."""
        prepared.run(*self._bound(values), waits=True)

    def later(self, *args: P.args, **values: P.kwargs) -> Changed:
        """The same, for a caller who asks only after other statements how many rows it changed."""
        changed = Changed()
        prepared.run(*self._bound(values), counted=changed.keep, waits=True)
        return changed

    @property
    def statement(self) -> tuple[str, Sequence[Any], dict[str, Field[Any, Any]]]:
        """Composed at the first use: the text, its parameters, and the fields by the parameter that is their value."""
        if self._statement is None:
            self._statement = _compose(self.build)
        return self._statement

    def _bound(self, values: Mapping[str, object]) -> tuple[BaseDatabaseWrapper, str, list[object]]:
        """The connection, the statement and its parameters."""
        sql, params, fields = self.statement
        wrapper = connections[DEFAULT_DB_ALIAS]
        is_postgresql = wrapper.vendor == "postgresql"
        given: dict[str, object] = {
            name: fields[name].get_db_prep_save(value, wrapper)
            if name in fields and not (is_postgresql and is_plain(fields[name]))
            else adapted(value, wrapper)
            for name, value in values.items()
        }
        return wrapper, sql, [given[each.name] if isinstance(each, Parameter) else each for each in params]


def compiled_update(build: Callable[P, Change]) -> CompiledUpdate[P]:
    """Make a compiled update of a function with keyword-only arguments that returns a queryset and what it is to be
    updated with. A parameter is used for one thing only: to find rows, or as the value of one column."""
    return CompiledUpdate(build)


def _compose(build: Callable[..., Change]) -> tuple[str, Sequence[Any], dict[str, Field[Any, Any]]]:
    """The statement, its parameters, and the columns' fields by the name of the parameter that is their value."""
    queryset, values = build(**{name: Parameter(name) for name in inspect.signature(build).parameters})
    query = cast(UpdateQuery, queryset.query.chain(UpdateQuery))
    query.add_update_values(dict(values))
    sql, params = query.get_compiler(using=queryset.db).as_sql()
    meta = queryset.model._meta
    fields = {value.name: meta.get_field(name) for name, value in values.items() if isinstance(value, Parameter)}
    return (*with_literals(sql, params), fields)
