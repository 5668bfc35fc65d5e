"""Connections that the database has closed while nobody used them."""

import select

from django.db import connection


def close_lost(**_: object) -> None:
    """Close this thread's connection if the database has: at the start of a request, so that the next statement opens
    another one.

    PostgreSQL says hardly anything on an idle connection but that it ends (its documentation, 55.2.6). So only where
    there is something to read it is asked, and not at every request, as with `CONN_HEALTH_CHECKS`.
    """
    opened = connection.connection
    if connection.vendor != "postgresql" or opened is None or connection.in_atomic_block:
        return
    socket = select.poll()
    socket.register(opened.pgconn.socket, select.POLLIN)
    if socket.poll(0) and not connection.is_usable():
        connection.close()
