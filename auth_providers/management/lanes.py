"""The worker's lanes: each is a thread that does what is due and sleeps until there may be something to do."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connection

from tenants import clocks
from tenants.outbox import leases, wake_up, worker

POLL_SECONDS = 1.0
# Where the database tells of new messages, how long to sleep at most: what was missed is late by no more.
LONGEST_SLEEP = 30.0
# Once the database is back, before anything is taken: who has sent something meanwhile notes it within `POLL_SECONDS`.
SECONDS_FOR_NOTES = 2.0
# Once the clock was set forward, before anything is taken: workers that are sending renew their leases meanwhile.
SECONDS_FOR_RENEWALS = 2 * leases.RENEWED_EVERY.total_seconds()

logger = logging.getLogger("patron.work")


@dataclass(frozen=True, kw_only=True)
class Lane:
    """`act` does what is due; `rest` tells afterwards in how many seconds something will be, None for not known. Unless
    the lane `is_regular`, there may be news before. `close` is called in the end."""

    name: str
    act: Callable[[], object]
    rest: Callable[[], float | None]
    is_regular: bool = False
    close: Callable[[], object] = lambda: None


class Lanes:
    """Runs lanes side by side until it is stopped."""

    def __init__(self, lanes: list[Lane], stopped: threading.Event) -> None:
        self._lanes = lanes
        self._stopped = stopped
        self._news = {lane.name: threading.Event() for lane in lanes}
        self._is_told = threading.Event()
        self._without_database: set[str] = set()  # lanes, by name
        self._watches = {lane.name: clocks.Watch() for lane in lanes}

    def run(self) -> None:
        """Returns when it was stopped and what every lane was doing is done."""
        threads = [threading.Thread(target=self._follow, args=[lane]) for lane in self._lanes]
        if settings.DIRECT_DATABASE_URL and connection.vendor == "postgresql":
            threads.append(threading.Thread(target=self._listen, daemon=True))
        for thread in threads:
            thread.start()
        self._stopped.wait()
        for news in self._news.values():
            news.set()
        for thread in threads:
            if not thread.daemon:
                thread.join()

    def _follow(self, lane: Lane) -> None:
        news = self._news[lane.name]
        while not self._stopped.is_set():
            news.clear()
            news.wait(self._turn(lane))
        self._close(lane)

    def _turn(self, lane: Lane) -> float:
        """One round. Returns how many seconds to sleep; a database that can't be reached is tried again then."""
        try:
            if lane.name in self._without_database:
                self._wait_for_notes(lane)
            self._heed_clock(lane)
            lane.act()
            return self._sleep(lane)
        except (DatabaseError, InterfaceError):
            logger.exception("This round of work failed")
            self._without_database.add(lane.name)
            return POLL_SECONDS
        except Exception:  # whatever it is: a lane that ended would be missed by nobody until a restart
            logger.exception("This round of work failed")
            return POLL_SECONDS
        finally:
            close_old_connections()

    def _close(self, lane: Lane) -> None:
        try:
            lane.close()
        except (DatabaseError, InterfaceError):
            logger.exception("What was being sent could not be noted")
        finally:
            close_old_connections()

    def _wait_for_notes(self, lane: Lane) -> None:
        """Leases of other workers may have ended meanwhile: what they have sent must not be taken before they say so.
        Raises while the database is still away."""
        connection.ensure_connection()
        worker.note_rest()
        worker.bring_forward()
        self._without_database.discard(lane.name)
        self._stopped.wait(SECONDS_FOR_NOTES)

    def _heed_clock(self, lane: Lane) -> None:
        step = self._watches[lane.name].step()
        if step is None or step < timedelta(0):
            worker.bring_forward()
        elif step:
            self._stopped.wait(SECONDS_FOR_RENEWALS)

    def _sleep(self, lane: Lane) -> float:
        due_in = lane.rest()
        if lane.is_regular and due_in is not None:
            return due_in
        longest = LONGEST_SLEEP if self._is_told.is_set() else POLL_SECONDS
        return longest if due_in is None else min(longest, due_in)

    def _listen(self) -> None:
        """Wake every lane when the database tells of news; while it can't, they look every second."""
        while not self._stopped.is_set():
            try:
                for _ in wake_up.news(settings.DIRECT_DATABASE_URL, on_ready=self._is_told.set):
                    self._wake()
            except psycopg.Error as error:
                logger.warning("The database tells of no news: %s", type(error).__name__)
            self._is_told.clear()
            self._wake()
            self._stopped.wait(POLL_SECONDS)

    def _wake(self) -> None:
        for lane in self._lanes:
            if not lane.is_regular:
                self._news[lane.name].set()
