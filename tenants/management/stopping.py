"""Being told to stop, by SIGTERM or SIGINT, in a process of several threads."""

import signal
import threading
from collections.abc import Callable

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def when_told(stop: Callable[[], object]) -> None:
    """Call this in a thread of its own once a signal comes; threads that are started later don't get it. A handler
    would interrupt the main thread, and to set an event there may wait for a lock that the interrupted code has."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    threading.Thread(target=_wait_and, args=[stop], daemon=True).start()


def _wait_and(stop: Callable[[], object]) -> None:
    signal.sigwait(SIGNALS)
    stop()
