"""Metrics on a port of their own, for Prometheus.

`manage.py serve` answers for all its processes: each keeps its numbers in files of a directory (prometheus_client's
multiprocess mode), which also outlive a process that was killed. A `manage.py work` that runs by itself answers for
itself.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from auth_providers.management import ports
from auth_providers.management.backlog import BacklogCollector

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's own variable, read when it is imported


class BuildCollector(Collector):
    """Which version runs."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One number, which is always 1."""
        info = GaugeMetricFamily("patron_build_info", "The version that runs.", labels=["version"])
        info.add_metric([settings.VERSION], 1)
        yield info


@contextmanager
def of_children(port: int) -> Iterator[None]:
    """Inside, answer on this port (0: nowhere) for the processes that are started. Raises `CommandError`."""
    if not port:
        yield
        return
    ports.check_free(settings.METRICS_HOST, port)
    own = tempfile.mkdtemp(prefix="patron-metrics-")
    directory = os.environ.setdefault(DIRECTORY, own)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=directory)  # type: ignore[no-untyped-call]
    with _serving(port, registry):
        try:
            yield
        finally:
            shutil.rmtree(own, ignore_errors=True)


@contextmanager
def of_this_process(port: int) -> Iterator[None]:
    """Inside, answer on this port (0: nowhere) for this process. Raises `CommandError`."""
    if not port:
        yield
        return
    ports.check_free(settings.METRICS_HOST, port)
    with _serving(port, REGISTRY):
        yield


@contextmanager
def _serving(port: int, registry: CollectorRegistry) -> Iterator[None]:
    for each in (BuildCollector(), BacklogCollector()):
        registry.register(each)
    server, thread = start_http_server(port, settings.METRICS_HOST, registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
