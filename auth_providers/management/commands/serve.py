"""`manage.py serve`: the production server and the worker beside it, until stopped.

It reads the settings and starts others, which import the apps: to do so here as well took a third of the time to the
first answer (`docs/performance.md`). So it may not import a model, and Django's checks of the code are left to
`manage.py check`, `migrate` and `work`.
"""

import json
import os
import sys
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from auth_providers.management import allocator, supervisor
from tenants.management import metrics_directory, ports

STOP_SECONDS = 10


class Command(BaseCommand):
    help = "Serve HTTP with granian and run the worker beside it. What ends meanwhile is started again."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        # SQLite has one writer; more processes would only wait for each other.
        is_sqlite = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
        workers = 1 if is_sqlite else os.cpu_count() or 1
        parser.add_argument("--workers", type=int, default=settings.WORKERS or workers)
        parser.add_argument("--no-worker", action="store_true", help="where `manage.py work` runs by itself")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = options["host"], options["port"]
        ports.check_free(host, port)
        processes = {"server": _server(options)}
        if not options["no_worker"]:
            processes["worker"] = _manage("work", "--no-metrics")
        temporary = []
        if settings.METRICS_PORT:
            ports.check_free(settings.METRICS_HOST, settings.METRICS_PORT)
            processes["metrics"] = _manage("metrics")
            temporary.append(metrics_directory.create())
        allocator.set_for_children()
        plan = supervisor.Plan(host=host, port=port, version=settings.VERSION, processes=processes, temporary=temporary)
        os.execv(sys.executable, [sys.executable, supervisor.__file__, json.dumps(asdict(plan))])  # noqa: S606 - Python


def _server(options: dict[str, Any]) -> list[str]:
    """HTTP/1.1 alone: for that granian has a deadline for reading headers."""
    return [
        *(sys.executable, "-m", "granian", "config.server.rsgi:app", "--interface", "rsgi", "--http", "1", "--no-ws"),
        *("--host", options["host"], "--port", str(options["port"]), "--workers", str(options["workers"])),
        *("--http1-header-read-timeout", str(int(settings.REQUEST_SECONDS * 1000))),
        *("--respawn-failed-workers", "--workers-kill-timeout", str(STOP_SECONDS), "--log-level", "warning"),
    ]


def _manage(*words: str) -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]
