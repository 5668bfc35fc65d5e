"""`manage.py metrics`: what `serve` runs where METRICS_PORT is set."""

import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from tenants.management import metrics_port, stopping


class Command(BaseCommand):
    help = "Answer Prometheus for the processes of `serve`, which starts this one itself."

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = threading.Event()
        stopping.when_told(stopped.set)
        with metrics_port.of_directory(settings.METRICS_PORT):
            stopped.wait()
