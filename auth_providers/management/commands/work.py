"""`manage.py work`: what no request waits for. Finishes erasures, sends what is in the outbox and deletes what is past
its time."""

import logging
import signal
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, InterfaceError, close_old_connections

from auth_providers import retention
from auth_providers.selfservice import deletion
from tenants import receipts
from tenants.outbox import worker

POLL_SECONDS = 1.0
PURGE_SECONDS = 600.0

logger = logging.getLogger("patron.work")


class Command(BaseCommand):
    help = "Send outgoing mail and delete what is past its time, until stopped. Several may run at once."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now and stop")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            deletion.finish_due()
            receipts.chain_due()
            while worker.send_due():
                pass  # it sends so many at a time; a mail server that is down sends none and ends this
            retention.purge()
            return
        logger.info("Patron %s sends what is in the outbox", settings.VERSION)
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        next_purge = time.monotonic()
        while not stopped.is_set():
            next_purge = _turn(next_purge)
            stopped.wait(POLL_SECONDS)


def _turn(next_purge: float) -> float:
    """One round; a database that can't be reached is tried again in the next one."""
    try:
        # First, so that no mail is sent to an erased customer.
        deletion.finish_due()
        receipts.chain_due()
        worker.send_due()
        if time.monotonic() >= next_purge:
            retention.purge()
            return time.monotonic() + PURGE_SECONDS
    except (DatabaseError, InterfaceError):
        logger.exception("This round of work failed")
    finally:
        close_old_connections()
    return next_purge
