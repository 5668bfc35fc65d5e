"""Whose a message is while it is being sent: with real threads, and leases that last a second."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

import pytest
from django.db import OperationalError, connections
from django.db.models import QuerySet
from django.utils import timezone

from auth_providers import limits
from tenants.models import Message
from tenants.outbox import leases, queue, worker
from tenants.outbox.worker import Lane, Result
from tests import factories

LEASE, RENEWED_EVERY = leases.LEASE, leases.RENEWED_EVERY  # as they are in production
LEASE_SECONDS = 1.0
PATIENCE = 30.0
Sender = Callable[[Iterable[Message]], Iterator[Result]]


@pytest.fixture(autouse=True)
def short_lease(monkeypatch: pytest.MonkeyPatch, transactional_db: None) -> None:
    lease = timedelta(seconds=LEASE_SECONDS)
    monkeypatch.setattr(leases, "LEASE", lease)
    monkeypatch.setattr(leases, "RENEWED_EVERY", lease / 6)
    monkeypatch.setattr(leases, "LEASE_RESERVE", lease / 3)


def enqueue_code(count: int = 1) -> None:
    tenant = factories.make_tenant()
    for index in range(count):
        queue.enqueue(
            tenant=tenant, template="log_in_code", recipient=f"{index}@example.com", context={}, is_urgent=True
        )


def in_thread(act: Callable[[], object]) -> threading.Thread:
    def run() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


class SlowServer:
    """Takes what it is given after some seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.begun = threading.Event()
        self.taken: list[str] = []

    def send(self, messages: Iterable[Message]) -> Iterator[Result]:
        for message in messages:
            self.begun.set()
            time.sleep(self._seconds)
            self.taken.append(message.recipient)
            yield Result(message=message, is_sent=True)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Sender], None]:
    """Has this send every message."""
    return lambda send: monkeypatch.setattr(worker, "_sender", lambda channel: send)


def test_a_code_of_a_dead_worker_is_sent_before_its_reader_may_ask_for_another() -> None:
    assert LEASE == limits.CODE_COOLDOWN


def test_five_renewals_may_fail_before_a_lease_ends() -> None:
    assert 5 * RENEWED_EVERY < LEASE <= 6 * RENEWED_EVERY


def test_a_live_worker_keeps_a_message_for_longer_than_its_lease(use: Callable[[Sender], None]) -> None:
    server = SlowServer(3 * LEASE_SECONDS)
    use(server.send)
    enqueue_code()
    slow = in_thread(lambda: worker.serve(Lane.URGENT))
    assert server.begun.wait(PATIENCE)
    while slow.is_alive():
        worker.serve(Lane.URGENT)
        time.sleep(0.02)
    slow.join()
    assert server.taken == ["0@example.com"]
    assert Message.objects.get().sent_at is not None


def test_the_rest_of_a_batch_is_kept_while_it_goes_on(use: Callable[[Sender], None]) -> None:
    """Also where the whole takes longer than a lease."""
    server = SlowServer(0.7 * LEASE_SECONDS)
    use(server.send)
    enqueue_code(3)
    slow = in_thread(lambda: worker.serve(Lane.URGENT))
    assert server.begun.wait(PATIENCE)
    while slow.is_alive():
        assert worker.serve(Lane.URGENT) == 0
        time.sleep(0.02)
    slow.join()
    assert sorted(server.taken) == [f"{index}@example.com" for index in range(3)]


def test_the_rest_of_a_batch_is_anothers_while_one_of_it_takes_longer_than_a_lease(
    use: Callable[[Sender], None],
) -> None:
    """A mail server may take ten minutes to say that it has taken one, and the other is not told how long it will."""
    slow_server, server = SlowServer(6 * LEASE_SECONDS), SlowServer(0)
    use(slow_server.send)
    enqueue_code(3)
    slow = in_thread(lambda: worker.serve(Lane.URGENT))
    assert slow_server.begun.wait(PATIENCE)
    use(server.send)
    while slow.is_alive() and len(server.taken) < 2:
        worker.serve(Lane.URGENT)
        time.sleep(0.02)
    assert slow.is_alive()
    slow.join()
    worker.serve(Lane.URGENT)
    assert (slow_server.taken, server.taken) == (["0@example.com"], ["1@example.com", "2@example.com"])


def test_a_code_of_a_dead_worker_is_sent_when_its_lease_ends(use: Callable[[Sender], None]) -> None:
    server = SlowServer(0)
    use(server.send)
    enqueue_code()
    in_thread(lambda: worker.claim(Lane.URGENT, 1)).join()
    claimed = time.monotonic()
    while not server.taken and time.monotonic() < claimed + PATIENCE:
        worker.serve(Lane.URGENT)
        time.sleep(0.02)
    assert LEASE_SECONDS - 0.2 < time.monotonic() - claimed < LEASE_SECONDS + 5
    assert server.taken == ["0@example.com"]


def test_what_is_settled_or_taken_by_another_is_not_renewed() -> None:
    enqueue_code(3)
    ours, settled, other = worker.claim(Lane.URGENT, 3)
    now = timezone.now()
    Message.objects.filter(pk=settled.pk).update(sent_at=now)
    Message.objects.filter(pk=other.pk).update(next_attempt_at=now + timedelta(hours=1))
    with leases.Lease([ours.pk, settled.pk, other.pk], ours.next_attempt_at):
        time.sleep(LEASE_SECONDS / 2)
    after = dict(Message.objects.values_list("pk", "next_attempt_at"))
    assert after[ours.pk] > ours.next_attempt_at
    assert after[settled.pk] == settled.next_attempt_at
    assert after[other.pk] == now + timedelta(hours=1)


def test_a_lease_that_has_ended_is_not_renewed() -> None:
    enqueue_code()
    (message,) = worker.claim(Lane.URGENT, 1)
    ended = timezone.now() - timedelta(seconds=1)
    Message.objects.update(next_attempt_at=ended)
    with leases.Lease([message.pk], ended) as lease:
        time.sleep(LEASE_SECONDS / 2)
        assert not lease.has_time()
    assert Message.objects.get().next_attempt_at == ended


def test_a_lease_that_was_brought_forward_lasts_no_longer() -> None:
    """The clock was set back, and another process has noticed first."""
    enqueue_code()
    (message,) = worker.claim(Lane.URGENT, 1)
    sooner = timezone.now() + timedelta(seconds=LEASE_SECONDS / 2)
    Message.objects.update(next_attempt_at=sooner)
    with leases.Lease([message.pk], message.next_attempt_at) as lease:
        assert lease.has_time()
        time.sleep(LEASE_SECONDS)
        assert not lease.has_time()
    assert Message.objects.get().next_attempt_at == sooner


def test_a_lease_lasts_no_longer_where_the_clock_was_set_back_meanwhile() -> None:
    enqueue_code()
    (message,) = worker.claim(Lane.URGENT, 1)
    with leases.Lease([], message.next_attempt_at + timedelta(days=1)) as lease:
        assert lease.has_time()
        time.sleep(LEASE_SECONDS)
        assert not lease.has_time()


def test_nothing_is_begun_where_the_lease_could_not_be_renewed(
    use: Callable[[Sender], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker may take it any moment."""
    server = SlowServer(LEASE_SECONDS)
    use(server.send)
    monkeypatch.setattr(leases, "RENEWED_EVERY", timedelta(minutes=1))  # as if the machine had stood still
    enqueue_code(2)
    assert worker.serve(Lane.URGENT, limit=2) == 1


def test_a_failed_renewal_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    enqueue_code()
    (message,) = worker.claim(Lane.URGENT, 1)
    failures: list[str] = []
    update = QuerySet.update

    def fail_once(self: QuerySet[Message], **values: object) -> int:
        if not failures:
            failures.append("The connection is lost.")
            raise OperationalError(failures[0])
        return update(self, **values)

    monkeypatch.setattr(QuerySet, "update", fail_once)
    with leases.Lease([message.pk], message.next_attempt_at):
        time.sleep(LEASE_SECONDS / 2)
    assert failures
    assert Message.objects.get().next_attempt_at > message.next_attempt_at
