"""Metrics on a port of their own, for Prometheus.

For the processes of `manage.py serve` one of them answers, `manage.py metrics`: each keeps its numbers in files of a
directory (prometheus_client's multiprocess mode), which also outlive a process that was killed. A `manage.py work` that
runs by itself answers for itself.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError
from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from tenants.management import ports
from tenants.management.backlog import BacklogCollector

SERVE_RUNS_IT = "`manage.py serve` runs this itself, where METRICS_PORT is set."


class BuildCollector(Collector):
    """Which version runs."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One number, which is always 1."""
        info = GaugeMetricFamily("patron_build_info", "The version that runs.", labels=["version"])
        info.add_metric([settings.VERSION], 1)
        yield info


@contextmanager
def of_directory(port: int) -> Iterator[None]:
    """Inside, answer on this port for the processes that keep their numbers in prometheus_client's directory. Raises
    `CommandError`."""
    try:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:  # nobody named one
        raise CommandError(SERVE_RUNS_IT) from None
    if not port:
        raise CommandError(SERVE_RUNS_IT)
    with _serving(port, registry):
        yield


@contextmanager
def of_this_process(port: int) -> Iterator[None]:
    """Inside, answer on this port (0: nowhere) for this process. Raises `CommandError`."""
    if not port:
        yield
        return
    with _serving(port, REGISTRY):
        yield


@contextmanager
def _serving(port: int, registry: CollectorRegistry) -> Iterator[None]:
    ports.check_free(settings.METRICS_HOST, port)
    for each in (BuildCollector(), BacklogCollector()):
        registry.register(each)
    server, thread = start_http_server(port, settings.METRICS_HOST, registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
