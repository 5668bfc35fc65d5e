"""What other queries find, as columns of one statement's rows: each column is a statement less."""

from datetime import UTC, datetime

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import IntegerField, JSONField, Model, QuerySet, Subquery
from django.db.models.functions import JSONArray
from django.db.models.sql.compiler import SQLCompiler
from django.utils.dateparse import parse_datetime


class CountOf(Subquery):
    """How many rows the query has, up to `most`."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Model], *, most: int) -> None:
        super().__init__(rows.order_by().values("pk")[:most])


class RowsOf(Subquery):
    """The query's rows in its order, each as the list of these fields. Moments are text (`moment`)."""

    template = "(SELECT JSON_GROUP_ARRAY(JSON(nested.item)) FROM (%(subquery)s) nested)"
    output_field = JSONField()

    def __init__(self, rows: QuerySet[Model], *fields: str) -> None:
        super().__init__(rows.values(item=JSONArray(*fields)))

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **extra: object
    ) -> tuple[str, tuple[object, ...]]:
        template = "(SELECT COALESCE(JSONB_AGG(nested.item), '[]'::jsonb) FROM (%(subquery)s) nested)"
        return self.as_sql(compiler, connection, template=template, **extra)


def moment(text: str) -> datetime:
    """The moment that a row of `RowsOf` has as text, which is in UTC where it doesn't say."""
    read = parse_datetime(text)
    if read is None:
        raise ValueError(f"{text!r} is no moment")
    return read if read.tzinfo else read.replace(tzinfo=UTC)
