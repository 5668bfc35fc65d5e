"""The audit trail on PostgreSQL is partitioned by the month (UTC) of `at`, so that a month can be dropped as a whole.

The worker makes the months before they come. What no month takes goes to the default partition: no insert fails, and no
retention reaches it. The clock is the database's: by a worker's, which may be wrong, too much could be dropped. Docs:
PostgreSQL, "Table Partitioning"; docs/decisions/monthly-trail.md.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import CursorWrapper
from django.db.migrations.state import StateApps
from psycopg.errors import LockNotAvailable

from tenants.trail.append_only import truncation_trigger

TABLE = "tenants_auditevent"
DEFAULT = f"{TABLE}_default"
SEQUENCE = f"{TABLE}_id_seq"
AHEAD = 3  # months
# Whoever writes to the trail waits behind a lock that is waited for: a customer who logs in, for this long at most.
LOCK_TIMEOUT = timedelta(milliseconds=500)
_NAME = re.compile(rf"{TABLE}_([0-9]{{4}})_([0-9]{{2}})", re.ASCII)
_READ = f"""
SELECT (now() AT TIME ZONE 'UTC')::date, ARRAY(
    SELECT relname::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = parent.oid
) FROM pg_class parent WHERE parent.oid = to_regclass('{TABLE}') AND relkind = 'p'
"""
# Its columns are those of the model; indexes and foreign keys follow at the end of the migration.
_PARTITIONED = f"""
CREATE TABLE {TABLE}_partitioned (LIKE {TABLE} INCLUDING DEFAULTS) PARTITION BY RANGE (at);
DROP TABLE {TABLE};
ALTER TABLE {TABLE}_partitioned RENAME TO {TABLE};
CREATE SEQUENCE {SEQUENCE} OWNED BY {TABLE}.id;
ALTER TABLE {TABLE} ALTER id SET DEFAULT nextval('{SEQUENCE}'), ADD PRIMARY KEY (id, at);
"""

logger = logging.getLogger("patron.trail")


@dataclass(frozen=True, kw_only=True)
class Partitions:
    """The present month by the database's clock, as its first day, and the names of the partitions that there are."""

    month: date
    names: frozenset[str]

    def missing(self) -> list[str]:
        """Those that are to be made: the default one, and the present month and the next ones."""
        wanted = [DEFAULT, *(name_of(later(self.month, by)) for by in range(AHEAD + 1))]
        return [each for each in wanted if each not in self.names]

    def older_than(self, months: int) -> list[str]:
        """Those that lie wholly before so many months and the present one, oldest first."""
        first = later(self.month, -months)
        return sorted(each for each in self.names if (month := month_of(each)) is not None and month < first)


def name_of(month: date) -> str:
    """The name of the partition of a month."""
    return f"{TABLE}_{month:%Y_%m}"


def month_of(name: str) -> date | None:
    """The month, as its first day, of the partition of that name; None for the default one."""
    found = _NAME.fullmatch(name)
    return date(int(found[1]), int(found[2]), 1) if found else None


def later(month: date, by: int) -> date:
    """The first day of the month that is so many months later."""
    years, index = divmod(month.month - 1 + by, 12)
    return date(month.year + years, index + 1, 1)


def partition(state: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For a migration, right after the table was made: on PostgreSQL, make it anew as a partitioned one. Identity
    columns of such tables need PostgreSQL 17; `id` has a sequence."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_PARTITIONED, params=None)


def read(connection: BaseDatabaseWrapper) -> Partitions | None:
    """What there is; None where the trail is one table, or not there yet."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute(_READ)
        found = cursor.fetchone()
    return Partitions(month=found[0].replace(day=1), names=frozenset(found[1])) if found else None


def ensure(connection: BaseDatabaseWrapper) -> None:
    """Make the partitions that are missing. A month of which the default partition has lines stays there: it is
    logged, and `manage.py check` says so. Raises `OperationalError` where the trail is locked."""
    found = read(connection)
    for name in found.missing() if found else ():
        with _alone(connection, name) as (cursor, is_there):
            if not is_there:
                _make(cursor, name)


def drop_older(connection: BaseDatabaseWrapper, *, months: int) -> list[str]:
    """Drop the partitions that lie wholly before so many months and the present one; 0 keeps all. Returns their names.
    Raises `OperationalError` where the trail is locked."""
    found = read(connection) if months else None
    dropped = []
    for name in found.older_than(months) if found else ():
        with _alone(connection, name) as (cursor, is_there):
            if is_there:
                cursor.execute(f"DROP TABLE {name}")
                dropped.append(name)
    if dropped:
        logger.info("Dropped of the audit trail, which is kept for %s months: %s", months, ", ".join(dropped))
    return dropped


def look_after(connection: BaseDatabaseWrapper, *, months: int) -> None:
    """Make what is missing and drop what is too old: for the worker, of which several may run at once. While somebody
    reads the trail for long, that waits for another time."""
    try:
        ensure(connection)
        drop_older(connection, months=months)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        logger.info("The audit trail is in use: its partitions are looked after later")


def months_in_default(connection: BaseDatabaseWrapper) -> list[str]:
    """The months, such as 2026-11, that the default partition has lines of: no retention drops them."""
    found = read(connection)
    if found is None or DEFAULT not in found.names:
        return []
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM') FROM {DEFAULT} ORDER BY 1")
        return [month for (month,) in cursor.fetchall()]


@contextmanager
def _alone(connection: BaseDatabaseWrapper, name: str) -> Iterator[tuple[CursorWrapper, bool]]:
    """A transaction in which nobody else makes or drops partitions, and whether that one is there; the trail is read
    and written meanwhile. Raises `OperationalError` where a lock is not free soon."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_TIMEOUT.total_seconds() * 1000:.0f}ms"])
        cursor.execute(f"LOCK TABLE ONLY {TABLE} IN SHARE UPDATE EXCLUSIVE MODE")
        found = read(connection)
        yield cursor, found is None or name in found.names


def _make(cursor: CursorWrapper, name: str) -> None:
    """A month is made beside the trail and attached: `CREATE TABLE … PARTITION OF` would lock all of it."""
    month = month_of(name)
    if month is None:
        cursor.execute(f"CREATE TABLE {name} PARTITION OF {TABLE} DEFAULT")
    else:
        bounds = [f"{month} 00:00:00+00", f"{later(month, 1)} 00:00:00+00"]
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {DEFAULT} WHERE at >= %s AND at < %s)", bounds)
        if cursor.fetchone()[0]:
            logger.warning("The audit trail has lines of %s in %s, where they stay", f"{month:%Y-%m}", DEFAULT)
            return
        cursor.execute(f"CREATE TABLE {name} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
        cursor.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {name} FOR VALUES FROM (%s) TO (%s)", bounds)
    cursor.execute(truncation_trigger(TABLE, name))
