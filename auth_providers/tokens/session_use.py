"""When a customer's session was last used.

A request notes it in memory, and a thread writes what was noted, many sessions in one statement: no request waits for
that or costs a statement more. What a process notes and never writes, because it was killed, makes sessions idle a
little earlier (`session_limits`), never later.
"""

import atexit
import logging
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError, InterfaceError, close_old_connections, transaction
from django.db.models import Q
from django.utils import timezone

from auth_providers.models import Session
from tenants import clocks

logger = logging.getLogger(__name__)

# A session that is used all the time is written once in so long.
NOTED_EVERY = timedelta(minutes=1)
WRITTEN_EVERY = timedelta(seconds=15)
MOST_NOTED = 100_000  # beyond, while the database is away, nothing more is noted
SESSIONS_A_STATEMENT = 1000

_noted: dict[UUID, datetime] = {}
_lock = threading.Lock()
_ended = threading.Event()
_writers: list[threading.Thread] = []  # one, once it is started


def note(session: Session) -> None:
    """Remember that the session is used now, unless that is known."""
    now = timezone.now()
    is_known = now - session.last_used_at < NOTED_EVERY and not clocks.is_ahead(session.last_used_at, now)
    if not is_known and len(_noted) < MOST_NOTED:
        with _lock:
            _noted.setdefault(session.pk, now)


def write() -> int:
    """Write what was noted since the last time; the number of sessions. What could not be written stays noted."""
    with _lock:
        taken = dict(_noted)
        _noted.clear()
    try:
        return sum(_write(dict(part)) for part in _parts(taken))
    except (DatabaseError, InterfaceError) as error:
        logger.warning("The last use of %d sessions is not written yet: %s", len(taken), error)
        with _lock:
            _noted.update(taken)
        return 0


def start() -> None:
    """Let a thread of this process write what is noted, until the process ends. Without effect the second time."""
    if _writers:
        return
    with _lock:
        if _writers:
            return
        _writers.append(threading.Thread(target=_keep_writing, name="session-use", daemon=True))
    _writers[0].start()
    atexit.register(_end)


def _keep_writing() -> None:
    while not _ended.wait(WRITTEN_EVERY.total_seconds()):
        close_old_connections()
        write()


def _end() -> None:
    _ended.set()
    write()


def _parts(noted: dict[UUID, datetime]) -> Iterator[tuple[tuple[UUID, datetime], ...]]:
    items = sorted(noted.items())
    return (tuple(items[at : at + SESSIONS_A_STATEMENT]) for at in range(0, len(items), SESSIONS_A_STATEMENT))


@transaction.atomic
def _write(noted: dict[UUID, datetime]) -> int:
    """Of all tenants. All get the earliest moment, so that none is said to be used later than it was. Rows that another
    transaction has locked are left out: whoever never waits is in no deadlock."""
    moment = min(noted.values())
    is_news = Q(last_used_at__lt=moment) | Q(last_used_at__gt=moment + clocks.TOLERANCE)  # the clock was set back
    free = Session.objects.filter(is_news, pk__in=noted, ended_at=None)
    keys = list(free.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True))
    return Session.objects.filter(pk__in=keys).update(last_used_at=moment)
