"""A limit for how long another system may take to begin its answer. The timeouts of HTTP libraries are for one silence:
who sends a byte of the headers every few seconds keeps a thread for hours. (Of TLS, Python limits the whole.)"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

SECONDS = 5.0  # for status and headers


@contextmanager
def in_time(connected: socket.socket, seconds: float) -> Iterator[None]:
    """Ends the connection after so many seconds, whoever reads from it. Raises `TimeoutError` then: what has come so
    far is no answer."""
    handle = socket.socket(fileno=os.dup(connected.fileno()))  # beside TLS, which would want to say goodbye
    ended: list[bool] = []

    def end() -> None:
        ended.append(True)
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except Exception as error:
        if ended:
            raise TimeoutError("it takes too long") from error
        raise
    finally:
        timer.cancel()
        handle.close()
    if ended:
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
