"""What waits, asked of the database when Prometheus asks: the outbox, and PostgreSQL's own connections."""

import logging
from collections.abc import Iterator

from django.db import DatabaseError, InterfaceError, connection
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tenants.outbox import worker

# Ours, but for the connection that asks: what they do, or what they wait for.
CONNECTIONS = """
SELECT coalesce(state, 'unknown'), coalesce(CASE WHEN state = 'active' THEN wait_event_type END, ''), count(*),
       coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)
FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
GROUP BY 1, 2
"""
Row = tuple[str, str, int, float]

logger = logging.getLogger("patron.database")


class BacklogCollector(Collector):
    """Two statements for each lane of the outbox, each answered by an index, and one for the connections."""

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing is asked before the first scrape."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Where the database is away, that and nothing else."""
        up = GaugeMetricFamily("patron_database_up", "Whether the database answers.")
        try:
            families = [*_of_outbox(), *_of_connections()]
            up.add_metric([], 1)
        except (DatabaseError, InterfaceError):
            logger.exception("The database can't be asked")
            families = []
            up.add_metric([], 0)
        finally:
            if not connection.in_atomic_block:
                connection.close()  # each scrape has a thread, and a connection, of its own
        yield from (up, *families)


def _of_outbox() -> Iterator[GaugeMetricFamily]:
    waiting = GaugeMetricFamily("patron_outbox_waiting", "Messages to be sent.", labels=["kind"])
    overdue = GaugeMetricFamily(
        "patron_outbox_overdue_seconds", "Since when the first of them should have been sent.", labels=["kind"]
    )
    for lane in worker.Lane:
        depth = worker.depth(lane)
        waiting.add_metric([lane], depth.waiting)
        overdue.add_metric([lane], depth.overdue_seconds)
    yield from (waiting, overdue)


def _of_connections() -> Iterator[GaugeMetricFamily]:
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(CONNECTIONS)
        rows: list[Row] = cursor.fetchall()
    count = GaugeMetricFamily(
        "patron_database_connections", "Connections to PostgreSQL, and what they wait for.", labels=["state", "wait"]
    )
    longest = GaugeMetricFamily("patron_database_longest_transaction_seconds", "Of the transactions that are open.")
    for state, wait, number, _ in rows:
        count.add_metric([state, wait], number)
    longest.add_metric([], float(max((row[3] for row in rows), default=0)))
    yield from (count, longest)
