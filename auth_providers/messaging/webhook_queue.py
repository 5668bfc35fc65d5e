"""The worker's events: taken from the outbox as threads become free, so that an endpoint that hangs delays no other's.

What is being sent stays so from turn to turn; a turn takes what is due and notes what has come of the rest.
"""

import time
from contextlib import ExitStack
from functools import cached_property

from auth_providers.messaging import webhook_delivery
from auth_providers.messaging.webhook_threads import Endpoint, Threads, endpoint_of
from tenants.models import Message
from tenants.outbox import leases, worker
from tenants.outbox.worker import Lane, Result
from tenants.telemetry import metrics

TURN_SECONDS = 0.5  # so long until somebody looks whether there are new events, while something is being sent
TAKEN_AT_ONCE = 100
# What was taken by an endpoint is noted together, unless it has waited so long: the customer's next event waits for it.
NOTED_AT_ONCE, NOTED_AFTER_SECONDS = 25, 0.05


class _Taken:
    """Messages that were taken together, and whose lease is kept until each has a result."""

    def __init__(self, messages: list[Message]) -> None:
        self.left = {each.pk for each in messages}
        self._kept = ExitStack()
        self.lease = self._kept.enter_context(leases.Lease(list(self.left), messages[0].next_attempt_at))

    def end(self, key: int) -> None:
        """This one is settled."""
        self.left.discard(key)
        if not self.left:
            self._kept.close()


class EventQueue:
    """Sends events of the outbox, for one thread. `close` it in the end."""

    def __init__(self) -> None:
        self._taken: dict[int, _Taken] = {}
        self._sent: list[int] = []
        self._noted_at = time.monotonic()
        self.has_found = False  # anything to begin, when it looked last: what is due may be for endpoints that rest

    @cached_property
    def _deliveries(self) -> webhook_delivery.Deliveries:
        return webhook_delivery.Deliveries(Threads())

    @property
    def is_busy(self) -> bool:
        """Whether something is being sent."""
        return self._deliveries.threads.is_busy

    def turn(self) -> int:
        """Send what is due, for `TURN_SECONDS` at most; what takes longer goes on meanwhile. Returns how many arrived.
        Raises what the database raises."""
        worker.note_rest()
        self._release(self._deliveries.threads.take_back(only_late=True))
        is_more = self._take()
        until, count = time.monotonic() + TURN_SECONDS, 0
        try:
            while self.is_busy:  # once at least: what was taken is begun, however long taking it took
                left = max(0.0, until - time.monotonic())
                noted = self._note(self._deliveries.threads.results(min(left, NOTED_AFTER_SECONDS)))
                count, is_more = count + noted, is_more or noted > 0  # customers' next events are due
                if not left:
                    break
                if is_more and self._deliveries.threads.needs_more:
                    is_more = self._take()
        finally:
            count += self._record()
        if not self.is_busy:
            self._deliveries.hang_up()
        return count

    def close(self) -> None:
        """Wait for what is being sent, and leave the rest to others."""
        self._release(self._deliveries.threads.take_back())
        while self.is_busy:
            self._note(self._deliveries.threads.results(TURN_SECONDS))
        self._record()
        self._deliveries.close()
        del self._deliveries  # another turn would begin anew

    def _take(self) -> bool:
        """Take what there is room for. Returns whether there was anything."""
        threads, left = self._deliveries.threads, dict[Endpoint, int]()

        def has_room(message: Message) -> bool:
            if message.pk in self._taken:
                return False  # its lease was lost, or set back by an operator, and it is still being sent
            endpoint = endpoint_of(message)
            left[endpoint] = left.get(endpoint, threads.room(endpoint)) - 1
            return left[endpoint] >= 0

        taken = worker.claim(Lane.EVENTS, TAKEN_AT_ONCE, without=threads.full(), fits=has_room)
        self.has_found = bool(taken)
        if taken:
            self._begin(taken)
        return self.has_found

    def _begin(self, taken: list[Message]) -> None:
        group = _Taken(taken)
        self._taken |= dict.fromkeys(group.left, group)
        try:
            self._deliveries.begin(taken, is_ours=group.lease.has_time)
        except Exception:  # the database's: none was begun
            for each in taken:
                self._end(each.pk)
            raise

    def _note(self, results: list[Result]) -> int:
        sent = [each for each in results if each.is_sent]
        metrics.deliveries.labels(Message.Channel.WEBHOOK, "sent").inc(len(sent))
        self._sent += [each.message.pk for each in sent]
        self._settle([each for each in results if not each.is_sent])
        self._deliveries.note(results)
        is_due = time.monotonic() - self._noted_at > NOTED_AFTER_SECONDS
        return self._record() if is_due or len(self._sent) >= NOTED_AT_ONCE else 0

    def _settle(self, failed: list[Result]) -> None:
        try:
            for result in failed:
                if not isinstance(result.error, webhook_delivery.NotBegun):
                    worker.settle(result)
        finally:
            for result in failed:
                self._end(result.message.pk)

    def _record(self) -> int:
        keys = [*self._sent]
        self._noted_at = time.monotonic()
        try:
            return worker.record(self._sent)
        finally:
            for key in keys:
                self._end(key)

    def _end(self, key: int) -> None:
        self._taken.pop(key).end(key)

    def _release(self, messages: list[Message]) -> None:
        if not messages:
            return
        ours = [each for each in messages if self._taken[each.pk].lease.has_time()]
        worker.release(ours)
        for each in messages:
            self._end(each.pk)
