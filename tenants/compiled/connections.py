"""Connections that the database has closed while nobody used them, or that lead to a standby by now."""

import select

from django.core.cache import close_caches
from django.core.signals import request_finished, request_started
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connections,
    reset_queries,
)

# PostgreSQL's word for a write on a standby (its appendix A): while a primary is replaced, a pooler, or an open
# connection, can still lead to the one that was.
READ_ONLY = "25006"


def is_away(error: Exception) -> bool:
    """Whether the error means that the database can't be asked, or can't be written to, at the moment."""
    return isinstance(error, OperationalError | InterfaceError) or _is_read_only(error)


def leave_standby(error: Exception) -> None:
    """After such an error: close the connection that leads to a standby, so that the next statement opens another."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if _is_read_only(error) and not wrapper.in_atomic_block:
        wrapper.close()


def _is_read_only(error: Exception) -> bool:
    return isinstance(error, DatabaseError) and getattr(error.__cause__, "sqlstate", None) == READ_ONLY


def look_after_once() -> None:
    """Do at the start of a request alone what Django does at its end, too: see whether connections are broken or too
    old. And forget no log of statements at each request, since none is kept, and close no caches: nothing of them is a
    request's (`BaseCache.close` does nothing, and no cache that can be set has its own)."""
    request_started.disconnect(reset_queries)
    request_finished.disconnect(close_old_connections)
    request_finished.disconnect(close_caches)
    request_started.connect(close_lost)


def close_lost(**_: object) -> None:
    """Close this thread's connection if the database has: at the start of a request, so that the next statement opens
    another one.

    PostgreSQL says hardly anything on an idle connection but that it ends (its documentation, 55.2.6). So only where
    there is something to read it is asked, and not at every request, as with `CONN_HEALTH_CHECKS`.
    """
    wrapper = connections[DEFAULT_DB_ALIAS]
    opened = wrapper.connection
    if wrapper.vendor != "postgresql" or opened is None or wrapper.in_atomic_block:
        return
    if opened.closed:  # by ourselves, after an error that was none of the database's
        wrapper.close()
        return
    socket = select.poll()
    socket.register(opened.pgconn.socket, select.POLLIN)
    if socket.poll(0) and not wrapper.is_usable():
        wrapper.close()
