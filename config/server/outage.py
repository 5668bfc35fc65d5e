"""A database that is away, or has no tables yet: told in one line, once a minute, and not with a traceback for each
request and each second."""

import logging
import time

from django.db import DatabaseError, InterfaceError

QUIET_SECONDS = 60.0
LOGGER = "patron.database"
# Of PostgreSQL (its appendix A): the classes of lost connections, of too many of them and of a server that shuts down;
# and what stands for tables and columns that no migration has made yet.
AWAY = ("08", "53", "57P", "58")
NOT_MIGRATED = ("42P01", "42703")
SQLITE_AWAY = ("unable to open database file", "no such table", "no such column")


def sentence_of(error: BaseException | None) -> str | None:
    """What to say of an error that means such an outage, in one line; None for any other."""
    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    lines = str(error).strip().splitlines() or [type(error).__name__]
    state = getattr(error.__cause__, "sqlstate", None)
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

    def filter(self, record: logging.LogRecord) -> bool:
        is_quiet = time.monotonic() < self._quiet_until
        if record.name == "django.request" and getattr(record, "status_code", 0) == 503:  # noqa: PLR2004 - RFC 9110
            return not is_quiet
        sentence = sentence_of(record.exc_info[1]) if record.exc_info else None
        if sentence is None and record.name != LOGGER:
            return True
        if is_quiet:
            return False
        self._quiet_until = time.monotonic() + QUIET_SECONDS
        if sentence is not None:
            record.msg, record.args, record.exc_info, record.exc_text = sentence, (), None, None
        return True
