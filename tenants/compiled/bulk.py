"""Many rows at once: PostgreSQL takes them by COPY, which costs a small part of an INSERT of the same rows; SQLite by
one statement that is planned once."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import NOT_PROVIDED, Field, Model, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.options import Options

from tenants.compiled.writes import is_plain

Column = Sequence[object]


def insert(rows: Sequence[Model]) -> None:
    """Insert new rows of one model, in the caller's transaction. They get no key but what `give_keys` gave them.

    Rows that are confined to a tenant go by Django's INSERT: PostgreSQL has no COPY under row level security. No signal
    is sent, and `save` is not called. Raises `django.db.IntegrityError` as `save` does.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    if not rows:
        return
    model = type(rows[0])
    if wrapper.execute_wrappers:
        model._base_manager.bulk_create(rows)
        return
    fields = _fields(model, has_keys=rows[0].pk is not None)
    names = ", ".join(wrapper.ops.quote_name(str(field.column)) for field in fields)
    table = wrapper.ops.quote_name(model._meta.db_table)
    values = zip(*(_column(field, rows, wrapper) for field in fields), strict=True)
    with wrapper.cursor() as cursor, wrapper.wrap_database_errors:
        if wrapper.vendor == "postgresql":
            _copy(cursor, f"COPY {table} ({names}) FROM STDIN", values)
        else:
            marks = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values))  # noqa: S608 - our own
    for row in rows:
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


def give_keys(rows: Sequence[Model]) -> None:
    """Give new rows of one model, whose keys are numbers, the keys that they will have, in their order. In the caller's
    transaction."""
    if not rows:
        return
    wrapper = connections[DEFAULT_DB_ALIAS]
    take = _from_sequence if wrapper.vendor == "postgresql" else _from_autoincrement
    keys = take(wrapper, type(rows[0])._meta, len(rows))
    for row, key in zip(rows, keys, strict=True):
        row.pk = key


def present(rows: "QuerySet[Any]", *, field: str, values: Collection[str]) -> set[str]:
    """Those of the values that one of the rows has in the field. An index that begins with what `rows` asks for and the
    field is looked at once for each value: PostgreSQL would read the whole table for a long list, or an index of
    trigrams."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.vendor != "postgresql":
        return set(rows.filter(**{f"{field}__in": values}).values_list(field, flat=True))
    one = rows.filter(**{field: RawSQL("wanted.value", ())}).order_by().values(field)[:1]
    sql, params = one.query.sql_with_params()
    with wrapper.cursor() as cursor:
        cursor.execute(
            f"SELECT wanted.value FROM unnest(%s::text[]) AS wanted(value) CROSS JOIN LATERAL ({sql}) AS found",  # noqa: S608
            [list(values), *params],
        )
        return {value for (value,) in cursor.fetchall()}


def count_rows(model: type[Model]) -> None:
    """Let PostgreSQL estimate anew how many rows there are, after many were added to few."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if wrapper.vendor == "postgresql":
        with wrapper.cursor() as cursor:
            cursor.execute(f"ANALYZE {wrapper.ops.quote_name(model._meta.db_table)}")


def _copy(cursor: Any, statement: str, values: Iterable[Sequence[object]]) -> None:
    with cursor.copy(statement) as copy:
        write = copy.write_row
        for row in values:
            write(row)


def _column(field: "Field[Any, Any]", rows: Sequence[Model], wrapper: BaseDatabaseWrapper) -> Column:
    """The field's values as the database takes them."""
    if wrapper.vendor == "postgresql" and is_plain(field):
        return [getattr(row, field.attname) for row in rows]
    given = [field.pre_save(row, True) for row in rows]
    first = given[0]
    if all(value is first for value in given):
        return [field.get_db_prep_save(first, wrapper)] * len(rows)
    return [field.get_db_prep_save(value, wrapper) for value in given]


@cache
def _fields(model: type[Model], *, has_keys: bool) -> "list[Field[Any, Any]]":
    """What is written of a row: not what the database says itself."""
    own = model._meta.auto_field
    return [
        field
        for field in model._meta.local_concrete_fields
        if not field.generated and field.db_default is NOT_PROVIDED and (has_keys or field is not own)
    ]


def _from_sequence(wrapper: BaseDatabaseWrapper, meta: "Options[Any]", count: int) -> Sequence[int]:
    with wrapper.cursor() as cursor:
        sql = "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)"
        cursor.execute(sql, [wrapper.ops.quote_name(meta.db_table), str(meta.pk.column), count])
        return [key for (key,) in cursor.fetchall()]


def _from_autoincrement(wrapper: BaseDatabaseWrapper, meta: "Options[Any]", count: int) -> Sequence[int]:
    """SQLite's own counter of a table; the statement locks the database for this transaction."""
    with wrapper.cursor() as cursor:
        sql = "UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s RETURNING seq"
        cursor.execute(sql, [count, meta.db_table])
        counted = cursor.fetchall()
        if not counted:  # there has never been a row
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [meta.db_table, count])
    last = counted[0][0] if counted else count
    return range(last - count + 1, last + 1)
