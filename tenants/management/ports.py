"""May the server listen here?"""

import errno
import os
import socket

from django.core.management.base import CommandError


def check_free(host: str, port: int) -> None:
    """Raises `CommandError`, in a sentence, where nobody can listen on that port."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # of connections that ended just now
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} on {host} is in use: stop what uses it, or name another port with PORT=…"
            ) from None
        reason = error.strerror or os.strerror(error.errno or errno.EINVAL)
        raise CommandError(f"Patron can't listen on {host}, port {port}: {reason}.") from None
