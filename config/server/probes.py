"""What load balancers and orchestrators ask: does the process live, and can it serve?"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import DatabaseError, close_old_connections, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase

from config.server import outage

LIVE, READY = "/livez", ("/readyz", "/healthz")
DATABASE_SECONDS = 2.0  # a load balancer waits no longer: its usual limit is 5 s
logger = logging.getLogger(outage.LOGGER)
OK, UNAVAILABLE, NOT_MIGRATED = "ok", "unavailable", "not migrated"


class ProbeMiddleware:
    """Answers before anything looks at the host or asks for HTTPS: these questions come by address, inside the network.

    `/livez` is 200 while the process answers at all. `/readyz`, also called `/healthz`, is 200 while the database
    answers and has every migration, and 503 otherwise.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # A thread of its own: a database that hangs, hangs that one alone.
        self._database = ThreadPoolExecutor(1, thread_name_prefix="readyz")
        self._is_migrated = False  # and stays so once it was

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info != LIVE and request.path_info not in READY:
            return self.get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(("GET", "HEAD"))
        status = OK if request.path_info == LIVE else self._ask_in_time()
        return JsonResponse({"status": status}, status=200 if status == OK else 503)

    def _ask_in_time(self) -> str:
        asked = self._database.submit(self._ask)
        try:
            return asked.result(DATABASE_SECONDS)
        except TimeoutError:
            asked.cancel()
            logger.error("The database does not answer within %s s", DATABASE_SECONDS)
        except DatabaseError:
            logger.exception("The database can't be asked")
        return UNAVAILABLE

    def _ask(self) -> str:
        close_old_connections()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            self._is_migrated = self._is_migrated or _has_every_migration()
        finally:
            close_old_connections()
        return OK if self._is_migrated else NOT_MIGRATED


def _has_every_migration() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())
