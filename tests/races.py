"""Running something many times at once, with real threads and a database connection each."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def at_once(times: int, act: Callable[[int], T]) -> list[T | Exception]:
    """Call `act(0)` … `act(times - 1)` in as many threads, released together. Returns results and exceptions."""
    barrier = threading.Barrier(times)

    def run(index: int) -> T | Exception:
        barrier.wait()
        try:
            return act(index)
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))
