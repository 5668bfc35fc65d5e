"""Running something many times at once, with real threads and a database connection each."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, connections, transaction

from tests.server_process import until

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


def behind(hold: Callable[[], object], act: Callable[[], T]) -> T | Exception:
    """Call `act` in a thread while a transaction is open that has called `hold`, and commit once that holds `act` up.
    Returns the result or the exception. Fails unless `act` waits, which only PostgreSQL shows."""
    result, has_waited = _meanwhile(hold, act)
    assert has_waited, "it waits for nobody"
    return result


def beside(hold: Callable[[], object], act: Callable[[], T]) -> T | Exception:
    """Call `act` as `behind` does. Fails if `act` waits."""
    result, has_waited = _meanwhile(hold, act)
    assert not has_waited, "it waits"
    return result


def _meanwhile(hold: Callable[[], object], act: Callable[[], T]) -> tuple[T | Exception, bool]:
    """The result or the exception of `act`, and whether it had to wait for the end of the transaction."""

    def run() -> T | Exception:
        try:
            return act()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            hold()
            later = pool.submit(run)
            until(lambda: later.done() or _holds_somebody_up())
            has_waited = not later.done()
        return later.result(), has_waited


def _holds_somebody_up() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))")
        return cursor.fetchone() is not None
