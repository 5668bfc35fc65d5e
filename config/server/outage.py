"""A database that is away, or has no tables yet: told in one line, once a minute, and not with a traceback for each
request and each second."""

import logging
import threading
import time

from django.db import DatabaseError, InterfaceError

from tenants.compiled.connections import READ_ONLY

QUIET_SECONDS = 60.0
LOGGER = "patron.database"
# Of PostgreSQL (its appendix A): the classes of lost connections, of too many of them, of a server that shuts down, and
# the write on a standby; then what stands for tables and columns that no migration has made yet.
AWAY = ("08", "53", "57P", "58", READ_ONLY)
NOT_MIGRATED = ("42P01", "42703")
LOCKED = "55P03"  # a migration waited for longer than `tenants.apps.LOCK_TIMEOUT`
SQLITE_AWAY = (
    *("unable to open database file", "no such table", "no such column"),
    *("database or disk is full", "disk I/O error"),
    # Another process writes for longer than `timeout`; at once, where several first open a new file (WAL is turned on).
    "database is locked",
)


def sentence_of(error: BaseException | None) -> str | None:
    """What to say of an error that means such an outage, or a table in use, in one line; None for any other."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    lines = str(error).strip().splitlines() or [type(error).__name__]
    state = getattr(error.__cause__, "sqlstate", None)
    if state == LOCKED:
        return "A table is in use, and this would make everybody wait for it: nothing was changed. Try again later."
    if state is None:
        is_outage = type(error.__cause__).__module__.startswith("psycopg") or lines[0].startswith(SQLITE_AWAY)
    else:
        is_outage = state.startswith((*AWAY, *NOT_MIGRATED))
    return f"The database is not available: {lines[0]}" if is_outage else None


class OutageFilter(logging.Filter):
    """Lets one record of an outage through in a minute, as one line, and of the answers 503 meanwhile none."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet_until = 0.0
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to let it through: the same for every handler that asks."""
        if "is_told" not in vars(record):
            vars(record)["is_told"] = self._decide(record)
        return bool(vars(record)["is_told"])

    def _decide(self, record: logging.LogRecord) -> bool:
        if record.name == "django.request" and getattr(record, "status_code", 0) == 503:  # noqa: PLR2004 - RFC 9110
            return time.monotonic() >= self._quiet_until
        sentence = sentence_of(record.exc_info[1]) if record.exc_info else None
        if sentence is None and record.name != LOGGER:
            return True
        if not self._begins_quiet():
            return False
        if sentence is not None:
            record.msg, record.args, record.exc_info, record.exc_text = sentence, (), None, None
        return True

    def _begins_quiet(self) -> bool:
        """Whether it was not quiet before: of several threads that ask, one is told so."""
        with self._lock:
            now = time.monotonic()
            if now < self._quiet_until:
                return False
            self._quiet_until = now + QUIET_SECONDS
            return True
