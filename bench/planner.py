"""The planner's statistics, kept as autovacuum keeps them, on a PostgreSQL server whose autovacuum is off.

Statements are planned for tables of the size that they had when a connection first sent them, and prepared plans last
until the next `ANALYZE`. Without one a server that began with empty tables goes on reading all rows of a tenant for
each profile, and what is measured falls while the tables grow.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import sql

INTERVAL = 60.0  # seconds, `autovacuum_naptime`
# The defaults of `autovacuum_analyze_threshold` and `autovacuum_analyze_scale_factor`.
CHANGED = """
SELECT pg_class.relname FROM pg_stat_user_tables JOIN pg_class ON pg_class.oid = relid
WHERE n_mod_since_analyze > 50 + 0.1 * greatest(reltuples, 0)
"""


@contextmanager
def kept_statistics(url: str) -> Iterator[None]:
    """Every minute, for as long as the `with` lasts, tables that changed by more than a tenth are analyzed. Does
    nothing where autovacuum is on."""
    with _connected(url) as connection:
        if connection.execute("SHOW autovacuum").fetchone() == ("on",):
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=_keep, args=(connection, ended), name="statistics", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def analyze_changed(url: str) -> None:
    """Analyze what changed since it was last analyzed; on SQLite nothing, whose plans don't depend on it."""
    if url.startswith("sqlite"):
        return
    with _connected(url) as connection:
        _analyze_changed(connection)


def _connected(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("postgres://", "postgresql://"), autocommit=True)


def _analyze_changed(connection: psycopg.Connection) -> None:
    for (table,) in connection.execute(CHANGED).fetchall():
        connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))


def _keep(connection: psycopg.Connection, ended: threading.Event) -> None:
    with suppress(psycopg.Error):  # the database is dropped, or away: the measurement says so
        while not ended.wait(INTERVAL):
            _analyze_changed(connection)
