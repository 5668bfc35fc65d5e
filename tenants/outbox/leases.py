"""Whose a message is while it is being sent: its worker's, for a short time that is renewed until the sending ends.

A worker that dies renews nothing, so that another one sends its messages soon. One that lives keeps them, however long
a slow mail server takes: no timeout ends a server's answer that comes byte by byte.
"""

import logging
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from tenants.models import Message
from tenants.models.outbox import WAITING

# As long as somebody waits for a code before asking for another one; long enough for five renewals that fail, while the
# database is restarted, before the last one counts.
LEASE = timedelta(seconds=30)
RENEWED_EVERY = LEASE / 6
# Nothing is begun any more when so little is left: one silence of a mail server (`settings.EMAIL_TIMEOUT`).
LEASE_RESERVE = timedelta(seconds=10)

logger = logging.getLogger(__name__)


class Lease:
    """Messages that end at the same moment, `until`, to be this worker's. Inside the block a thread puts that off, on a
    connection of its own, which it opens only when it needs it. How long that is goes by a clock that nobody sets."""

    def __init__(self, keys: Collection[int], until: datetime) -> None:
        self._keys, self._until = keys, until
        self._ends = time.monotonic() + min(until - timezone.now(), LEASE).total_seconds()  # the clock may be set
        self._is_done = threading.Event()
        self._begun: tuple[int, float] | None = None  # the message that is being sent, and since when
        self._is_rest_left = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Lease":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_done.set()
        self._thread.join()

    def has_time(self) -> bool:
        """Whether there is enough left for beginning another message."""
        return not self._is_rest_left and time.monotonic() + LEASE_RESERVE.total_seconds() < self._ends

    def begin(self, key: int) -> bool:
        """For messages that are sent one after the other: begin this one, if there is time. Where one takes longer than
        a lease, those behind it are left to other workers."""
        with self._lock:
            if not self.has_time():
                return False
            self._begun = key, time.monotonic()
            return True

    def _keep(self) -> None:
        try:
            while not self._is_done.wait(RENEWED_EVERY.total_seconds()):
                self._renew()
        finally:
            connection.close()

    def _renew(self) -> None:
        """Those that are settled by now stay as they are. A lease that has ended is not renewed: others may have taken
        what it was about. Nor is one that another process has set another end, because the clock was set
        (`worker.bring_forward`): it lasts as long as it would have."""
        now, until = time.monotonic(), timezone.now() + LEASE
        if now >= self._ends:
            return
        try:
            ours = Message.objects.filter(WAITING, pk__in=self._kept(now), next_attempt_at=self._until)
            if ours.update(next_attempt_at=until):
                self._ends, self._until = now + LEASE.total_seconds(), until
        except (DatabaseError, InterfaceError) as error:
            logger.warning("A lease could not be renewed: %s", type(error).__name__)
            with suppress(DatabaseError, InterfaceError):
                connection.close()

    def _kept(self, now: float) -> Collection[int]:
        """The messages whose lease goes on."""
        with self._lock:
            if self._begun is None or now - self._begun[1] < LEASE.total_seconds():
                return self._keys
            self._is_rest_left = True
            return [self._begun[0]]
