"""The events of a tenant in the order in which they were committed, for whoever reads them page by page.

Rows are numbered when they are written, and committed later, in another order: a reader that went by numbers would pass
one that is not committed yet, and never see it. On PostgreSQL a row is told only once every transaction that began to
write before its own has ended (`pg_snapshot_xmin`), and rows are in the order of their transactions. So nothing can
appear before a cursor that was given out. A cursor whose own row is gone is refused: it was dropped with its month
(`tenants.trail.partitions`), and so may be rows after it.
"""

import re
from dataclasses import dataclass

from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, Func, OuterRef, Q
from django.db.models.sql.compiler import SQLCompiler

from tenants.errors import DomainError, InvalidInput, Kind, Reason
from tenants.models import AuditEvent, Tenant, TenantQuerySet
from tenants.outbox import cloud_events

DEFAULT_LIMIT, MAX_LIMIT = 100, 1000  # rows of the trail
_CURSOR = re.compile(r"([0-9]{1,18})-([0-9]{1,18})", re.ASCII)


class EventsGone(DomainError):
    """Events after the cursor may have been dropped with their month."""

    kind = Kind.GONE
    reason = Reason.EVENTS_GONE
    default_message = "The place of this cursor was deleted by now: begin anew, and ignore ids that you know."


@dataclass(frozen=True, order=True)
class Cursor:
    """A place in the feed: after the row of this transaction and this key."""

    transaction_id: int
    key: int

    @property
    def is_of_row(self) -> bool:
        """Whether it is after a certain row, as those of pages are: not the beginning, and not what `end` says."""
        return 0 < self.key < BigIntegerField.MAX_BIGINT

    def __str__(self) -> str:
        return f"{self.transaction_id}-{self.key}"


START = Cursor(0, 0)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Events and the cursor after them; `is_last` says that there was nothing more when it was read."""

    events: list[dict[str, object]]
    cursor: Cursor
    is_last: bool


class Horizon(Func):
    """Every transaction with a lower id has ended, as seen by the statement that this stands in."""

    template = "1"  # every row has 0: what can be read is committed, in the order of its numbers
    output_field = models.BigIntegerField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        return self.as_sql(compiler, connection, template="pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


def parse_cursor(text: str) -> Cursor:
    """The cursor that a reader shows, "" for the beginning. Raises `InvalidInput`."""
    found = _CURSOR.fullmatch(text)
    if text and not found:
        raise InvalidInput.field("after", "This is no cursor that was given out here.")
    return Cursor(int(found[1]), int(found[2])) if found else START


def read(*, tenant: Tenant, after: Cursor, limit: int = DEFAULT_LIMIT) -> Page:
    """The tenant's events after the cursor, oldest first, of up to `limit` rows of the trail. Raises `InvalidInput` for
    a cursor of a time that the database has been set back from, and `EventsGone` for one whose row is not there any
    more: events would be left out."""
    rows = list(rows_after(tenant=tenant, after=Cursor(after.transaction_id, after.key - 1))[: limit + 2])
    if not rows and after.transaction_id > end().transaction_id:
        raise InvalidInput.field("after", "The database was restored since: begin anew, and ignore ids that you know.")
    if after.is_of_row:
        if not rows or cursor_of(rows[0]) != after:
            raise EventsGone
        rows = rows[1:]
    shown = rows[:limit]
    return Page(
        events=[event for row in shown for event in cloud_events.events_of(row, tenant)],
        cursor=cursor_of(shown[-1]) if shown else after,
        is_last=len(rows) <= limit,
    )


def rows_after(*, tenant: Tenant, after: Cursor) -> TenantQuerySet[AuditEvent]:
    """The rows that are events, after the cursor and in the feed's order, as far as that is known."""
    found = AuditEvent.objects.for_tenant(tenant).exclude(events="")
    return found.filter(known_after(after.transaction_id, after.key)).order_by("transaction_id", "pk")


def known_after(transaction_id: int | OuterRef, key: int | OuterRef) -> Q:
    """For rows of the trail: those after this place that nothing can come before any more."""
    later = Q(transaction_id__gt=transaction_id) | Q(pk__gt=key)
    return later & Q(transaction_id__gte=transaction_id, transaction_id__lt=Horizon())


def cursor_of(row: AuditEvent) -> Cursor:
    """The place after this row."""
    return Cursor(row.transaction_id, row.pk)


def end() -> Cursor:
    """The place after all that is known by now, for who wants to hear of what comes."""
    if connection.vendor != "postgresql":
        newest = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first()
        return Cursor(0, newest or 0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1")
        return Cursor(cursor.fetchone()[0], BigIntegerField.MAX_BIGINT)
