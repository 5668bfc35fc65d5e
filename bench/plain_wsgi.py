"""Patron's application for servers that are not granian with our own reading of bodies (`bench/servers.py`)."""

from typing import Any

from django.utils.module_loading import import_string

from config.server.rsgi import THREADS, start_worker
from config.wsgi import application as wsgi

start_worker()
application = wsgi


def asgi() -> Any:
    """The same behind ASGI, with as many threads."""
    return import_string("a2wsgi.WSGIMiddleware")(wsgi, workers=THREADS)  # only the servers' environment has it
