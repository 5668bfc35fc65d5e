"""Where password hashes are computed: a few at a time, in threads of their own, for whoever waits in a fair order.

A hash takes a core for some 30 ms and 19 MiB. Computed wherever it is needed, a storm of log-ins would take every
thread that answers requests, and as much memory as there are of them.
"""

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self, TypeVar, cast

from tenants.clients import Client
from tenants.errors import DomainError, Kind, Reason
from tenants.telemetry import metrics

T = TypeVar("T")
# A worker has about one core, and one hash fills it.
THREADS = 1
# How many may wait: each holds one of the threads that answer requests (`config.server.rsgi`), and waits for all that
# are in front, 0.3 s at most.
LONGEST_QUEUE = 10
RETRY_AFTER = 2  # seconds
NICENESS = 5  # by how much the system prefers other threads of the process (sched(7)): a third of the weight


class Overloaded(DomainError):
    """So many passwords wait to be hashed that this one would wait too long."""

    kind = Kind.UNAVAILABLE
    reason = Reason.OVERLOADED
    default_message = "Too many log-ins at once. Try again."


@dataclass(frozen=True, kw_only=True)
class Asker:
    """For whom a hash is computed: an address, or a network of one line, "" for nobody in particular; and whether
    the customer has used this device before."""

    subscriber: str = ""
    is_known: bool = False

    @classmethod
    def of(cls, client: Client, *, is_known: bool = False) -> Self:
        """A caller over the network."""
        return cls(subscriber=client.subscriber, is_known=is_known)


NOBODY = Asker()


@dataclass(frozen=True, kw_only=True, eq=False)
class _Job:
    asker: Asker
    work: Callable[[], object]
    future: Future[object] = field(default_factory=Future)
    since: float = field(default_factory=time.perf_counter)


def _overloaded() -> Overloaded:
    metrics.hash_refused.inc()
    return Overloaded(retry_after=RETRY_AFTER)


class HashQueue:
    """Jobs that wait for one of a few threads. Known devices come first; among the others addresses take turns, so that
    one that sends many waits for its own."""

    def __init__(self, *, threads: int = THREADS, longest: int = LONGEST_QUEUE) -> None:
        self._longest = longest
        self._threads = threads
        self._started = 0
        self._idle = 0
        self._waiting: list[_Job] = []
        self._served: Counter[str] = Counter()  # how often, of those addresses that wait
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def askers(self) -> list[Asker]:
        """Who waits."""
        return [each.asker for each in self._waiting]

    def run(self, work: Callable[[], T], asker: Asker) -> T:
        """The result of the work. Raises `Overloaded`, and what the work raises."""
        job = _Job(asker=asker, work=work)
        with self._changed:
            self._make_room(job)
            self._waiting.append(job)
            self._start_thread()
            self._changed.notify()
        return cast(T, job.future.result())

    def _make_room(self, job: _Job) -> None:
        """Raises `Overloaded` when the queue is full, unless somebody in it has less of a claim to a place."""
        if len(self._waiting) < self._longest:
            return
        last = max(reversed(self._waiting), key=self._claim)
        if self._claim(last) <= self._claim(job):
            raise _overloaded()
        self._waiting.remove(last)
        last.future.set_exception(_overloaded())

    def _claim(self, job: _Job) -> tuple[bool, int]:
        """The greater, the less claim has a job to a place: of who is not known, from an address with many."""
        of_address = sum(each.asker.subscriber == job.asker.subscriber for each in self._waiting if each is not job)
        return not job.asker.is_known, of_address

    def _start_thread(self) -> None:
        if self._started < self._threads and len(self._waiting) > self._idle:
            self._started += 1
            threading.Thread(target=self._serve, name="hashing", daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):  # a container may forbid it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while True:
            job = self._next()
            started = time.perf_counter()
            metrics.hash_wait_seconds.observe(started - job.since)
            try:
                result = job.work()
            except BaseException as error:
                job.future.set_exception(error)
            else:
                metrics.hash_seconds.observe(time.perf_counter() - started)
                job.future.set_result(result)

    def _next(self) -> _Job:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting)
            self._idle -= 1
            job = min(self._waiting, key=self._turn)
            self._waiting.remove(job)
            self._served[job.asker.subscriber] += 1
            still = {each.asker.subscriber for each in self._waiting}
            self._served = Counter({each: count for each, count in self._served.items() if each in still})
            return job

    def _turn(self, job: _Job) -> tuple[bool, int]:
        """The smaller, the sooner; of equal ones the one that came first."""
        return not job.asker.is_known, self._served[job.asker.subscriber]


queue = HashQueue()
