"""The table of postal codes, filled from GeoNames' files (https://download.geonames.org/export/zip/readme.txt).

Rows are collected in a temporary table first; then each country is brought up to date in one transaction that writes
only what differs. A look-up meanwhile finds the old rows or the new ones, never none. It is in SQL because there
are 1.8 million rows, and Django's ORM knows neither COPY nor temporary tables.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import CharField

from customers.models import PostalCode
from customers.postal_codes.localities import stored_code

COLUMNS = 12  # country, code, place, name and code of three divisions each, latitude, longitude, accuracy
COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)
BATCH = 20_000  # rows in memory at a time, where the database does not take a stream

Row = tuple[str, str, str, str, str]  # country, code, locality, region, region_code

FIELDS = "country, code, locality, region, region_code"
TABLE = f'"{PostalCode._meta.db_table}"'
STAGE = "staged_postal_codes"

# One row of each place: GeoNames names one again for each of its smaller divisions.
UPSERT = f"""
INSERT INTO {TABLE} AS stored ({FIELDS})
SELECT {FIELDS} FROM {STAGE} WHERE id IN (SELECT MIN(id) FROM {STAGE} WHERE country = %s GROUP BY code, locality)
ON CONFLICT (country, code, locality) DO UPDATE SET region = excluded.region, region_code = excluded.region_code
WHERE stored.region <> excluded.region OR stored.region_code <> excluded.region_code
"""  # noqa: S608 # names of ours
PRUNE = f"""
DELETE FROM {TABLE} WHERE country = %s AND NOT EXISTS (
    SELECT 1 FROM {STAGE} AS staged WHERE staged.country = {TABLE}.country
    AND staged.code = {TABLE}.code AND staged.locality = {TABLE}.locality
)
"""  # noqa: S608


LIMITS: dict[str, int] = {
    field.name: field.max_length
    for field in PostalCode._meta.concrete_fields
    if isinstance(field, CharField) and field.max_length is not None
}


class BadLine(ValueError):
    """A line that is not GeoNames'; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The result of an import: rows read, countries brought up to date, rows written (new or changed) and removed."""

    rows: int
    countries: int
    written: int
    removed: int


def parse(line: bytes) -> Row:
    """A line of the file, without its end. Raises `BadLine`."""
    try:
        columns = unicodedata.normalize("NFC", line.decode()).split("\t")
    except UnicodeDecodeError as error:
        raise BadLine("it is not UTF-8") from error
    if len(columns) != COLUMNS:
        raise BadLine(f"it has {len(columns)} columns and not {COLUMNS}")
    country, code, *rest = (column.strip() for column in columns[:5])
    row = (country, stored_code(code), *rest)
    if not COUNTRY.fullmatch(country):
        raise BadLine("its first column is no country code of ISO 3166")
    for name, value in zip(("code", "locality"), row[1:3], strict=True):
        if not value:
            raise BadLine(f"its {name} is empty")
    for name, value, limit in zip(LIMITS, row, LIMITS.values(), strict=True):
        if len(value) > limit or "\0" in value:
            raise BadLine(f"its {name} is longer than {limit} characters, or holds a NUL")
    return row[0], row[1], row[2], row[3], row[4]


def load(rows: Iterable[Row], *, on_country: Callable[[int, int], None] = lambda done, of: None) -> Loaded:
    """Replace the rows of every country that `rows` name; other countries' rows stay. When reading fails, nothing has
    changed.

    `rows` are read once, in bounded memory. `on_country` is called with the number of countries that are done and with
    the number of all.
    """
    with connection.cursor() as cursor:
        is_postgres = connection.vendor == "postgresql"
        key = "bigserial" if is_postgres else "integer"
        texts = ", ".join(f"{name} text NOT NULL" for name in FIELDS.split(", "))
        cursor.execute(f"DROP TABLE IF EXISTS {STAGE}")
        cursor.execute(f"CREATE TEMPORARY TABLE {STAGE} (id {key} PRIMARY KEY, {texts})")
        count = (_copy if is_postgres else _insert)(cursor, rows)
        loaded = _bring_up_to_date(cursor, count, on_country)
        cursor.execute(f"DROP TABLE {STAGE}")
        return loaded


def _copy(cursor: CursorWrapper, rows: Iterable[Row]) -> int:
    count = 0
    with transaction.atomic(), cursor.copy(f"COPY {STAGE} ({FIELDS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _insert(cursor: CursorWrapper, rows: Iterable[Row]) -> int:
    """A savepoint of its own for each batch: unlike a transaction of Django's it does not lock the database."""
    waiting, count = iter(rows), 0
    while batch := list(islice(waiting, BATCH)):
        cursor.execute("SAVEPOINT staging")
        cursor.executemany(f"INSERT INTO {STAGE} ({FIELDS}) VALUES (%s, %s, %s, %s, %s)", batch)  # noqa: S608
        cursor.execute("RELEASE SAVEPOINT staging")
        count += len(batch)
    return count


def _bring_up_to_date(cursor: CursorWrapper, count: int, on_country: Callable[[int, int], None]) -> Loaded:
    cursor.execute(f"CREATE INDEX staged_by_place ON {STAGE} (country, code, locality)")
    cursor.execute(f"ANALYZE {STAGE}")
    cursor.execute(f"SELECT DISTINCT country FROM {STAGE} ORDER BY country")  # noqa: S608
    countries = [country for (country,) in cursor.fetchall()]
    written = removed = 0
    for done, country in enumerate(countries, start=1):
        with transaction.atomic():
            cursor.execute(UPSERT, [country])
            written += cursor.rowcount
            cursor.execute(PRUNE, [country])
            removed += cursor.rowcount
        on_country(done, len(countries))
    return Loaded(rows=count, countries=len(countries), written=written, removed=removed)
