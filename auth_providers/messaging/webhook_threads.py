"""Threads for calls to many endpoints, in which none waits for another one that is slow.

Each endpoint has some of the threads at most. One whose calls take longer than `SLOW_SECONDS` shares a part of them
with all others that are slow, until it answers in time again: the rest is always there for those that do. One that the
circuit breaker has taken out rests: its events would fail one by one without having been tried.
"""

import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import TracebackType
from typing import TypeAlias

from auth_providers.outbound.http_client import ProviderUnavailable
from tenants.models import Message
from tenants.outbox.worker import Result, attempt

AT_ONCE = 30
FOR_ONE = 10  # as many connections as requests keeps open to one host
FOR_SLOW = 10  # together
SLOW_SECONDS = 1.0
# How many messages of one endpoint wait here at most, and with how many left there is room for others again: then all
# threads that it may have are at work, and no more than those are free.
WAITING, LEFT = 100, AT_ONCE - FOR_ONE

Endpoint: TypeAlias = tuple[int, str]  # its tenant's key, and its name
Send: TypeAlias = Callable[[Message], bool]


def endpoint_of(message: Message) -> Endpoint:
    """Where it goes."""
    return message.tenant_id, message.recipient


@dataclass(frozen=True, kw_only=True)
class _Call:
    endpoint: Endpoint
    begun: float


class Threads:
    """For one caller, who puts messages in and asks for what has become of them; ends its threads after the block."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._waiting: dict[Endpoint, deque[tuple[Message, Send]]] = {}
        self._running: dict[Future[Result], _Call] = {}
        self._held = Counter[Endpoint]()
        self._slow: set[Endpoint] = set()
        self._resting: dict[Endpoint, float] = {}  # until when

    def __enter__(self) -> "Threads":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()

    @property
    def is_busy(self) -> bool:
        """Whether there is anything that has no result yet."""
        return bool(self._running or self._waiting)

    @property
    def needs_more(self) -> bool:
        """Whether threads may soon have nothing to do."""
        return len(self._running) + sum(len(each) for each in self._waiting.values()) < AT_ONCE

    def put(self, message: Message, send: Send) -> None:
        """Have the message sent by `send` as soon as its endpoint may have a thread."""
        self._waiting.setdefault(endpoint_of(message), deque()).append((message, send))

    def results(self, seconds: float) -> list[Result]:
        """What there is to tell, after so many seconds at most. Nothing, where nothing is being sent."""
        self._begin()
        done, _ = wait(self._running, timeout=seconds, return_when=FIRST_COMPLETED)
        results = [self._end(each) for each in done]
        self._begin()  # whoever asked has something to note first
        return results

    def room(self, endpoint: Endpoint) -> int:
        """How many more messages for the endpoint are worth putting in: of a slow one, what can begin soon."""
        if self._rests(endpoint):
            return 0
        waiting = len(self._waiting.get(endpoint, ()))
        if endpoint in self._slow:
            return max(0, self._share() - self._held[endpoint] - waiting)
        return WAITING - waiting if waiting <= LEFT else 0

    def full(self) -> list[Endpoint]:
        """Those for which there is no room."""
        return [each for each in {*self._waiting, *self._held, *self._resting} if not self.room(each)]

    def take_back(self, *, only_late: bool = False) -> list[Message]:
        """The messages that were not begun, and are not sent any more; `only_late` those of endpoints that are slow or
        rest, by whose turn they would be signed too long ago."""
        back = {each for each in self._waiting if not only_late or each in self._slow or self._rests(each)}
        return [message for each in back for message, _ in self._waiting.pop(each)]

    def _begin(self) -> None:
        """In turn, so that every endpoint gets a thread before one gets a second."""
        late = time.monotonic() - SLOW_SECONDS
        self._slow |= {call.endpoint for call in self._running.values() if call.begun < late}
        while startable := [each for each in self._waiting if self._may_begin(each)]:
            for endpoint in startable:
                if self._may_begin(endpoint):
                    self._begin_one(endpoint)

    def _may_begin(self, endpoint: Endpoint) -> bool:
        if len(self._running) >= AT_ONCE:
            return False
        if endpoint not in self._slow:
            return self._held[endpoint] < FOR_ONE
        return self._held[endpoint] < self._share() and sum(self._held[each] for each in self._slow) < FOR_SLOW

    def _rests(self, endpoint: Endpoint) -> bool:
        if self._resting.get(endpoint, 0.0) <= time.monotonic():
            self._resting.pop(endpoint, None)
            return False
        return True

    def _share(self) -> int:
        """How many threads each slow endpoint may have."""
        return max(1, FOR_SLOW // max(1, len(self._slow & {*self._waiting, *self._held})))

    def _begin_one(self, endpoint: Endpoint) -> None:
        queue = self._waiting.pop(endpoint)
        message, send = queue.popleft()
        if queue:
            self._waiting[endpoint] = queue  # behind the others
        future = self._pool.submit(attempt, message, send)
        self._running[future] = _Call(endpoint=endpoint, begun=time.monotonic())
        self._held[endpoint] += 1

    def _end(self, future: Future[Result]) -> Result:
        """One that answers in time is not slow. A failure says nothing: it may be the circuit breaker's."""
        call, result = self._running.pop(future), future.result()
        self._held[call.endpoint] -= 1
        if not self._held[call.endpoint]:
            del self._held[call.endpoint]
        if time.monotonic() - call.begun > SLOW_SECONDS:
            self._slow.add(call.endpoint)
        elif result.is_sent:
            self._slow.discard(call.endpoint)
        if isinstance(result.error, ProviderUnavailable) and result.error.retry_after:
            self._resting[call.endpoint] = time.monotonic() + result.error.retry_after
        return result
