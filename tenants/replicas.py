"""Reading from replicas of the database (`DATABASE_REPLICA_URLS`) what may be some seconds old: staff's lists, exports.

Inside `reading` this thread's connection is one to a replica, for everything that asks the database: a read can't be
half of one and half of the other, row level security confines it as on the primary, and a write is refused by
PostgreSQL. A replica is asked only when it has what its reader has seen or written, and is not further behind than
`BEHIND`. Otherwise, and where none answers, the primary is asked. Tokens and whatever decides who may do what are
always read from the primary.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

BEHIND = 5  # seconds
# How long a replica that did not answer is left alone, in seconds.
LEFT_ALONE = 10
NOWHERE = ""  # a position that every replica has

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)


class _Positions:
    """Where the primary's write-ahead log was, and when, as far as this process has asked. Nobody waits for another
    thread's question: it may take as long as the primary does not answer."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[tuple[float, str]] = deque(maxlen=2 * BEHIND)
        self._asked_at = -math.inf

    def needed(self) -> str:
        """The position that a replica has to have to be no further behind than `BEHIND`: the newest that is as old as
        that, or the oldest since then; the present one where this process has not asked for longer."""
        known = self._known()
        return known if known is not None else self._ask()

    def _known(self) -> str | None:
        """None for whom it falls to ask: one thread a second, and everybody where nothing is known."""
        with self._lock:
            now = time.monotonic()
            if now - self._asked_at >= 1:
                self._asked_at = now
                return None
            return self._at(now)

    def _at(self, now: float) -> str | None:
        recent = [(at, where) for at, where in self._seen if now - at <= BEHIND + 1]
        old = [where for at, where in recent if now - at >= BEHIND]
        return old[-1] if old else next((where for _, where in recent), None)

    def _ask(self) -> str:
        """It counts as old as the question."""
        asked_at, where = time.monotonic(), position()
        with self._lock:
            self._seen.append((asked_at, where))
            return self._at(time.monotonic()) or where


_positions = _Positions()
_turns = count()
_away: dict[str, float] = {}  # until when each replica is left alone, on the monotonic clock


def position() -> str:
    """Where the primary's write-ahead log is: what is committed by now is before it. `NOWHERE` without replicas."""
    if not settings.DATABASE_REPLICAS:
        return NOWHERE
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_flush_lsn()::text")
        return str(cursor.fetchone()[0])


def read(act: Callable[[], Answer], *, after: str = NOWHERE) -> Answer:
    """What `act` returns, which only reads; from a replica that has the position `after`, if there is one. It is called
    a second time, for the primary, where the replica fails or refuses it."""
    replica = _current(after)
    if replica is None:
        return act()
    try:
        with _instead(replica):
            return act()
    except (OperationalError, InterfaceError) as error:
        _leave_alone(replica, error)
    except DatabaseError as error:
        logger.warning("The replica %s refused a read, and the primary is asked: %s", replica.alias, error)
    return act()


@contextmanager
def reading(*, after: str = NOWHERE) -> Iterator[None]:
    """Inside, this thread reads from a replica that has the position `after`, if there is one. Errors of the replica
    are the reader's."""
    replica = _current(after)
    if replica is None:
        yield
        return
    with _instead(replica):
        yield


@contextmanager
def _instead(replica: BaseDatabaseWrapper) -> Iterator[None]:
    primary = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = replica
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS] = primary


def _current(after: str) -> BaseDatabaseWrapper | None:
    """A replica that answers and has both positions; None inside a transaction, which is the primary's."""
    now = time.monotonic()
    names = [name for name in settings.DATABASE_REPLICAS if _away.get(name, now) <= now]
    if not names or connection.in_atomic_block:
        return None
    needed = [where for where in (after, _positions.needed()) if where]
    turn = next(_turns) % len(names)
    for name in names[turn:] + names[:turn]:
        replica = connections[name]
        try:
            if _has(replica, needed):
                return replica
        except (OperationalError, InterfaceError) as error:
            _leave_alone(replica, error)
    return None


def _has(replica: BaseDatabaseWrapper, needed: list[str]) -> bool:
    """Whether it has replayed the log as far as that. One that has become the primary has everything."""
    if replica.connection is not None and not replica.is_usable():
        replica.close()
    with replica.cursor() as cursor:
        cursor.execute(
            "SELECT NOT pg_is_in_recovery() OR pg_last_wal_replay_lsn() >= ALL(%s::text[]::pg_lsn[])", [needed]
        )
        return bool(cursor.fetchone()[0])


def _leave_alone(replica: BaseDatabaseWrapper, error: Exception) -> None:
    logger.warning("The replica %s does not answer, and is left alone for %s s: %s", replica.alias, LEFT_ALONE, error)
    _away[replica.alias] = time.monotonic() + LEFT_ALONE
    replica.close()
