"""`manage.py serve`: the production server and the worker beside it, until stopped."""

import json
import logging
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from auth_providers.management import metrics_port, ports, supervisor

STOP_SECONDS = 10

logger = logging.getLogger("patron.serve")


class Command(BaseCommand):
    help = "Serve HTTP with granian and run the worker beside it. What ends meanwhile is started again."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        # SQLite has one writer; more processes would only wait for each other.
        workers = 1 if connection.vendor == "sqlite" else os.cpu_count() or 1
        parser.add_argument("--workers", type=int, default=settings.WORKERS or workers)
        parser.add_argument("--no-worker", action="store_true", help="where `manage.py work` runs by itself")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        ports.check_free(host, port)
        logger.info("Patron %s serves on %s:%s", settings.VERSION, host, port)
        worker = {} if options["no_worker"] else {"worker": _worker()}
        words = (host, str(port), json.dumps({"server": _server(options), **worker}))
        if settings.METRICS_PORT:  # which asks the database, and so needs Django here
            with metrics_port.of_children(settings.METRICS_PORT):
                supervisor.main(*words)
            return
        connection.close()
        os.execv(sys.executable, [sys.executable, supervisor.__file__, *words])  # noqa: S606 - Python itself


def _server(options: dict[str, Any]) -> list[str]:
    """HTTP/1.1 alone: for that granian has a deadline for reading headers."""
    return [
        *(sys.executable, "-m", "granian", "config.server.rsgi:app", "--interface", "rsgi", "--http", "1", "--no-ws"),
        *("--host", options["host"], "--port", str(options["port"]), "--workers", str(options["workers"])),
        *("--http1-header-read-timeout", str(int(settings.REQUEST_SECONDS * 1000))),
        *("--respawn-failed-workers", "--workers-kill-timeout", str(STOP_SECONDS), "--log-level", "warning"),
    ]


def _worker() -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), "work", "--no-metrics"]
