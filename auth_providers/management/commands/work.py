"""`manage.py work`: what no request waits for. Finishes erasures, sends what is in the outbox and deletes what is past
its time."""

import logging
import threading
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from auth_providers import retention
from auth_providers.management.lanes import POLL_SECONDS, Lane, Lanes
from auth_providers.messaging import webhook_endpoints
from auth_providers.messaging.webhook_queue import EventQueue
from auth_providers.selfservice import deletion
from tenants.management import metrics_port, stopping
from tenants.outbox import worker
from tenants.trail import receipts

PURGE_SECONDS = 600.0
CLOCK_SECONDS = 10.0  # until what another machine, whose clock was ahead, has noted is looked for again

logger = logging.getLogger("patron.work")


class Command(BaseCommand):
    help = "Send outgoing mail and delete what is past its time, until stopped. Several may run at once."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--once", action="store_true", help="do what is due now and stop")
        parser.add_argument("--no-metrics", action="store_true", help="where another process answers for this one")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            work_once()
            return
        logger.info("Patron %s sends what is in the outbox", settings.VERSION)
        stopped = threading.Event()
        stopping.when_told(stopped.set)
        with metrics_port.of_this_process(0 if options["no_metrics"] else settings.WORKER_METRICS_PORT):
            Lanes(LANES, stopped).run()


def work_once() -> None:
    """Everything that is due now."""
    worker.bring_forward()
    deletion.finish_due()
    receipts.chain_due()
    while worker.send_due() or webhook_endpoints.enqueue_due():
        pass  # it sends so many at a time; a mail server that is down sends none and ends this
    retention.purge()


def _send_notices() -> None:
    deletion.finish_due()  # first, so that no mail is sent to an erased customer
    receipts.chain_due()
    worker.serve(worker.Lane.NOTICES)


_events = EventQueue()


def _send_events() -> None:
    webhook_endpoints.enqueue_due()
    _events.turn()


def _until_events() -> float | None:
    """The trail tells nobody that it has news: where somebody wants to hear of it, it is looked at every second. So it
    is where all that is due is for endpoints that rest."""
    if _events.is_busy:
        return 0
    due_in = worker.seconds_until_due(worker.Lane.EVENTS)
    if due_in is not None and not _events.has_found:
        due_in = max(due_in, POLL_SECONDS)
    if not webhook_endpoints.has_listeners():
        return due_in
    return POLL_SECONDS if due_in is None else min(due_in, POLL_SECONDS)


LANES = [
    *(
        Lane(name=each, act=partial(worker.serve, each), rest=partial(worker.seconds_until_due, each))
        for each in (worker.Lane.URGENT, worker.Lane.URGENT_TEXTS)
    ),
    Lane(name="notices", act=_send_notices, rest=partial(worker.seconds_until_due, worker.Lane.NOTICES)),
    Lane(name="events", act=_send_events, rest=_until_events, close=_events.close),
    Lane(name="clock", act=worker.bring_forward, rest=lambda: CLOCK_SECONDS, is_regular=True),
    Lane(name="clean-up", act=retention.purge, rest=lambda: PURGE_SECONDS, is_regular=True),
]
