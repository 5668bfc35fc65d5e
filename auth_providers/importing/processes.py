"""Processes that import beside each other. Nothing of Django's models is imported here: a process imports this module
before it has set Django up."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import django

R = TypeVar("R")
AHEAD = 2  # pieces of work for each process that are under way or wait for it, so that none is idle


class ProcessEnded(Exception):
    """A process was killed or ran out of memory."""


@dataclass(frozen=True, kw_only=True)
class Work(Generic[R]):
    """Something to do, and what it is about: two pieces about the same are done one after the other."""

    about: Collection[str]
    submit: Callable[[], "Future[R]"]


@contextmanager
def pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes, for as long as the `with` lasts; what has not begun by then is not done. They end with this
    process, however it ends."""
    executor = ProcessPoolExecutor(count, multiprocessing.get_context("spawn"), initializer=_prepare)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def in_order(works: Iterable[Work[R]], *, processes: int) -> Iterator[R]:
    """Do the work by several processes, with the results that doing one after the other would have, in that order.
    Raises `ProcessEnded`."""
    waiting: deque[tuple[Future[R], set[str]]] = deque()
    try:
        for work in works:
            about = set(work.about)
            while waiting and (
                len(waiting) >= AHEAD * processes or not all(about.isdisjoint(theirs) for _, theirs in waiting)
            ):
                yield waiting.popleft()[0].result()
            waiting.append((work.submit(), about))
        while waiting:
            yield waiting.popleft()[0].result()
    except BrokenProcessPool as error:
        raise ProcessEnded("One of the processes was killed or ran out of memory.") from error


def available() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _prepare() -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    django.setup()


def _end_with_parent() -> None:
    """A parent that is killed tells nobody; the database rolls back what has not been committed."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)
