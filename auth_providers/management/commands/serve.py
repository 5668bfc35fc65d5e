"""`manage.py serve`: the production server and the worker beside it, until stopped."""

import logging
import os
import signal
import subprocess
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

# Measured on a view with one SELECT: more threads than this gain nothing under the interpreter's lock.
BLOCKING_THREADS = 4
STOP_SECONDS = 10

logger = logging.getLogger("patron.serve")


class Command(BaseCommand):
    help = "Serve HTTP with granian and run the worker beside it."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=settings.PORT)
        # SQLite has one writer; more processes would only wait for each other.
        workers = 1 if connection.vendor == "sqlite" else os.cpu_count() or 1
        parser.add_argument("--workers", type=int, default=int(os.environ.get("WORKERS", workers)))

    def handle(self, *args: Any, **options: Any) -> None:
        logger.info("Patron %s serves on %s:%s", settings.VERSION, options["host"], options["port"])
        processes = [subprocess.Popen(command) for command in (_web(options), _worker())]  # noqa: S603 - our own words

        def stop(*_: object) -> None:
            for process in processes:
                process.terminate()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        self.stdout.write(f"\nServing on http://{options['host']}:{options['port']}/ - stop with Ctrl-C")
        self.stdout.flush()
        while all(process.poll() is None for process in processes):
            time.sleep(0.2)
        stop()
        sys.exit(max(abs(_wait(process)) for process in processes) and 1)


def _web(options: dict[str, Any]) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "config.wsgi:application", "--interface", "wsgi", "--no-ws"),
        *("--host", options["host"], "--port", str(options["port"])),
        *("--workers", str(options["workers"]), "--blocking-threads", str(BLOCKING_THREADS)),
        *("--log-level", "warning", "--workers-kill-timeout", str(STOP_SECONDS)),
    ]


def _worker() -> list[str]:
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), "work"]


def _wait(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait(STOP_SECONDS + 5)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
