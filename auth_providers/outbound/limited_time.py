"""A limit for how long another system may take to begin its answer. The timeouts of HTTP libraries are for one silence:
who sends a byte of the headers every few seconds keeps a thread for hours. (Of TLS, Python limits the whole.)"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

SECONDS = 5.0  # for status and headers


class _Limit:
    """When a connection is to end, by the clock that nobody sets."""

    def __init__(self, connected: socket.socket, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self.is_over = False
        self._handle = socket.socket(fileno=os.dup(connected.fileno()))  # beside TLS, which would want to say goodbye

    def end(self) -> None:
        """Whoever reads from the connection reads no more."""
        self.is_over = True
        with suppress(OSError):
            self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._handle.close()


class _Watch:
    """One thread that ends the connections whose time is over: starting one for each takes longer than most answers. It
    is woken only for what ends sooner than all that it knows."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._limits = set[_Limit]()
        self._wakes_at = inf
        self._thread: threading.Thread | None = None

    def add(self, limit: _Limit) -> None:
        with self._changed:
            self._limits.add(limit)
            if self._thread is None or not self._thread.is_alive():  # after a fork there is none
                self._thread = threading.Thread(target=self._serve, name="time-limits", daemon=True)
                self._thread.start()
            elif limit.ends_at < self._wakes_at:
                self._changed.notify()

    def remove(self, limit: _Limit) -> None:
        with self._changed:
            self._limits.discard(limit)

    def _serve(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for each in [each for each in self._limits if each.ends_at <= now]:
                    self._limits.discard(each)
                    each.end()
                self._wakes_at = min((each.ends_at for each in self._limits), default=inf)
                self._changed.wait(None if self._wakes_at == inf else self._wakes_at - now)


_watch = _Watch()


@contextmanager
def in_time(connected: socket.socket, seconds: float) -> Iterator[None]:
    """Ends the connection after so many seconds, whoever reads from it. Raises `TimeoutError` then: what has come so
    far is no answer."""
    limit = _Limit(connected, seconds)
    _watch.add(limit)
    try:
        yield
    except Exception as error:
        if limit.is_over:
            raise TimeoutError("it takes too long") from error
        raise
    finally:
        _watch.remove(limit)
        limit.close()
    if limit.is_over:
        raise TimeoutError("it takes too long")


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        """Status and headers."""
        with in_time(self.sock, SECONDS):
            return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 has it
        """Status and headers."""
        with in_time(self.sock, SECONDS):
            return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


def limit(session: requests.Session) -> requests.Session:
    """The same session, whose calls raise `requests.Timeout` where an answer does not begin in time."""
    for adapter in session.adapters.values():
        if isinstance(adapter, HTTPAdapter):
            adapter.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
    return session
