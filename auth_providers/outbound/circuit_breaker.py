"""A shop's system that does not answer is not called for a while, so that no request waits for it in vain.

After `FAILURES` calls in a row without an answer nobody calls for `PAUSE`; then one caller tries, and either everybody
may again or the pause begins anew. All processes share the state through Django's cache. It is kept for
each system of each tenant: another tenant's calls to the same host are not concerned.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import TypeVar

from django.core.cache import cache

from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.outbound.not_imported import not_imported
from tenants import clocks
from tenants.models import Tenant
from tenants.telemetry import metrics

with not_imported("redis"):  # 21 MiB in each process, for a storage that is not used here
    from pybreaker import STATE_CLOSED, STATE_OPEN, CircuitBreaker, CircuitBreakerError, CircuitBreakerStorage

FAILURES = 5
PAUSE = timedelta(seconds=30)
# Longer than a call can take: a process that dies while trying does not block the others for good.
TRIAL_SECONDS = 20
# State that nobody asked for so long is dropped; without state, calls are made.
KEPT_SECONDS = 24 * 60 * 60

T = TypeVar("T")


def call(*, tenant: Tenant, system: str, act: Callable[[], T]) -> T:
    """What `act` returns. `system` names what it calls, once in the tenant.

    Every exception of `act` counts as a failure and is passed on. Raises `ProviderUnavailable`, with the seconds that
    are left of the pause, instead of calling.
    """
    memory = _Memory(f"breaker:{tenant.pk}:{system}")
    breaker = CircuitBreaker(
        fail_max=FAILURES,
        reset_timeout=PAUSE.total_seconds(),
        state_storage=memory,
        throw_new_error_on_trip=False,
    )
    if memory.state == STATE_CLOSED:
        return _through(breaker, memory, act)
    if memory.pause_left() or not memory.take_trial():
        raise _paused(memory)
    try:
        return _through(breaker, memory, act)
    finally:
        memory.end_trial()


def _through(breaker: CircuitBreaker, memory: "_Memory", act: Callable[[], T]) -> T:
    try:
        return breaker.call(act)
    except CircuitBreakerError as error:
        raise _paused(memory) from error


def _paused(memory: "_Memory") -> ProviderUnavailable:
    return ProviderUnavailable(retry_after=max(1, memory.pause_left()))


class _Memory(CircuitBreakerStorage):
    """Pybreaker's state of one system, in the cache. Its own storage for Redis would need Redis."""

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def _key(self, what: str) -> str:
        return f"{self.name}:{what}"

    def _get(self, what: str) -> float:
        return float(cache.get(self._key(what)) or 0)

    def _add_one(self, what: str) -> None:
        cache.add(self._key(what), 0, KEPT_SECONDS)
        try:
            cache.incr(self._key(what))
        except ValueError:  # evicted in between
            cache.set(self._key(what), 1, KEPT_SECONDS)

    @property
    def state(self) -> str:
        return str(cache.get(self._key("state")) or STATE_CLOSED)

    @state.setter
    def state(self, state: str) -> None:
        if state == STATE_OPEN:
            self._count_opening()
        cache.set(self._key("state"), state, KEPT_SECONDS)

    def _count_opening(self) -> None:
        kind = self.name.split(":")[2]  # of `breaker:tenant:kind:key`
        metrics.breaker_openings.labels(kind).inc()
        metrics.breaker_open_until.labels(kind).set((datetime.now(UTC) + PAUSE).timestamp())

    @property
    def counter(self) -> int:
        return int(self._get("failures"))

    def increment_counter(self) -> None:
        self._add_one("failures")

    def reset_counter(self) -> None:
        cache.delete(self._key("failures"))

    @property
    def success_counter(self) -> int:
        return int(self._get("successes"))

    def increment_success_counter(self) -> None:
        self._add_one("successes")

    def reset_success_counter(self) -> None:
        cache.delete(self._key("successes"))

    @property
    def opened_at(self) -> datetime | None:
        seconds = self._get("opened_at")
        moment = datetime.fromtimestamp(seconds, tz=UTC) if seconds else None
        # Before the clock was set back, which may be long ago.
        return None if moment and clocks.is_ahead(moment, datetime.now(UTC)) else moment

    @opened_at.setter
    def opened_at(self, moment: datetime) -> None:
        cache.set(self._key("opened_at"), moment.timestamp(), KEPT_SECONDS)

    def pause_left(self) -> int:
        """Whole seconds until somebody may try; 0 when nobody has to wait."""
        if self.state != STATE_OPEN or self.opened_at is None:
            return 0
        return max(0, ceil((self.opened_at + PAUSE - datetime.now(UTC)).total_seconds()))

    def take_trial(self) -> bool:
        """Whether the caller is the one who tries."""
        return bool(cache.add(self._key("trial"), 1, TRIAL_SECONDS))

    def end_trial(self) -> None:
        cache.delete(self._key("trial"))
