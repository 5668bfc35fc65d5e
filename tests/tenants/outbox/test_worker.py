"""The queue's order, leases and ends, with a sender of the tests' own in place of a mail server."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from tenants.models import Message, Tenant
from tenants.outbox import drops, leases, queue, worker

pytestmark = pytest.mark.usefixtures("stopped_clock")

SECOND = timedelta(seconds=1)
PassTime = Callable[[timedelta], None]

SENT: list[str] = []
ANSWERS: dict[str, Exception] = {}
ARRIVING: list[Callable[[], object]] = []


def send_all(messages: Iterable[Message]) -> Iterator[worker.Result]:
    """What the settings name in these tests."""
    for message in messages:
        yield worker.attempt(message, send)


def send(message: Message) -> None:
    """Notes the recipient, and fails as the test wants."""
    SENT.append(message.recipient)
    while ARRIVING:
        ARRIVING.pop()()
    if failure := ANSWERS.get(message.recipient):
        raise failure


@pytest.fixture(autouse=True)
def sender(settings: Settings) -> Iterator[None]:
    settings.OUTBOX_SENDERS = dict.fromkeys(Message.Channel.values, f"{__name__}.send_all")
    for kept in (SENT, ANSWERS, ARRIVING):
        kept.clear()
    worker._sender.cache_clear()
    yield
    worker._sender.cache_clear()


def enqueue(tenant: Tenant, recipient: str, *, is_urgent: bool = False) -> Message:
    """By the clock that stands still: defaults of columns have the real one."""
    message = queue.enqueue(tenant=tenant, template="welcome", recipient=recipient, is_urgent=is_urgent)
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now(), next_attempt_at=timezone.now())
    message.refresh_from_db()
    return message


def state_of(recipient: str) -> tuple[bool, bool, bool, int]:
    """Whether it was sent, given up, dropped, and how often it was tried."""
    row = Message.objects.get(recipient=recipient)
    return row.sent_at is not None, row.failed_at is not None, row.dropped_at is not None, row.attempts


def test_urgent_messages_go_first_and_each_kind_in_its_order(tenant: Tenant, other_tenant: Tenant) -> None:
    enqueue(tenant, "a")
    enqueue(other_tenant, "b")
    enqueue(tenant, "c", is_urgent=True)
    enqueue(other_tenant, "d", is_urgent=True)
    assert worker.send_due() == 4
    assert SENT == ["c", "d", "a", "b"]


def test_an_urgent_message_that_arrives_meanwhile_is_sent_next(tenant: Tenant) -> None:
    enqueue(tenant, "a")
    enqueue(tenant, "b")
    ARRIVING.append(lambda: enqueue(tenant, "code", is_urgent=True))
    assert worker.send_due() == 3
    assert SENT == ["a", "code", "b"]


def test_no_more_than_the_limit_of_each_kind_are_sent(tenant: Tenant) -> None:
    for number in range(3):
        enqueue(tenant, f"a{number}")
        enqueue(tenant, f"urgent{number}", is_urgent=True)
    assert worker.send_due(limit=1) == 3  # the last is an urgent one, for which somebody waits
    assert SENT == ["urgent0", "a0", "urgent1"]


def test_a_message_is_due_at_its_moment_and_not_before(tenant: Tenant, pass_time: PassTime) -> None:
    message = enqueue(tenant, "a")
    Message.objects.filter(pk=message.pk).update(next_attempt_at=timezone.now() + SECOND)
    assert worker.send_due() == 0
    pass_time(SECOND)
    assert worker.send_due() == 1


def test_what_is_done_is_not_sent_again(tenant: Tenant, pass_time: PassTime) -> None:
    ANSWERS.update(
        dropped=worker.NothingToSend("the code had expired"), refused=worker.Undeliverable("no such mailbox")
    )
    for recipient in ("sent", "dropped", "refused"):
        enqueue(tenant, recipient)
    assert worker.send_due() == 1
    assert [state_of(each) for each in ("sent", "dropped", "refused")] == [
        (True, False, False, 1),
        (False, False, True, 1),
        (False, True, False, 1),
    ]
    assert set(Message.objects.values_list("context_encrypted", flat=True)) == {""}
    assert Message.objects.get(recipient="dropped").last_error == "the code had expired"
    pass_time(timedelta(days=1))
    assert worker.send_due() == 0
    assert len(SENT) == 3


def test_what_fails_waits_twice_as_long_each_time_and_keeps_what_it_says(tenant: Tenant, pass_time: PassTime) -> None:
    ANSWERS["a"] = ValueError("x" * 300)
    enqueue(tenant, "a")
    waits = []
    for _ in range(11):
        assert worker.send_due() == 0
        row = Message.objects.get()
        assert row.last_error == f"ValueError: {'x' * 243}"
        assert row.context_encrypted
        waits.append(int((row.next_attempt_at - timezone.now()).total_seconds()))
        pass_time(timedelta(seconds=waits[-1]))
    assert waits == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    ANSWERS.clear()
    assert worker.send_due() == 1
    assert Message.objects.get().last_error == ""


def enqueue_event(tenant: Tenant, customer_number: str) -> Message:
    message = queue.enqueue_event(
        tenant=tenant, endpoint_name="erp", event="customer.activated", payload={}, customer_number=customer_number
    )
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now(), next_attempt_at=timezone.now())
    return message


@pytest.mark.parametrize(
    ("failure", "customer_number", "is_waiting"),
    [(ValueError, "10000001", True), (worker.Undeliverable, "10000001", False), (ValueError, "", False)],
)
def test_events_of_a_customer_wait_with_the_one_that_failed_until_it_is_given_up(
    tenant: Tenant, failure: type[Exception], customer_number: str, is_waiting: bool
) -> None:
    ANSWERS["erp"] = failure("no")
    enqueue_event(tenant, customer_number)
    follower = enqueue_event(tenant, customer_number)
    enqueue_event(tenant, "10000002")
    worker.serve(worker.Lane.EVENTS, limit=1)
    waiting = set(Message.objects.filter(attempts=0, next_attempt_at__gt=timezone.now()))
    assert waiting == ({follower} if is_waiting else set())


def test_a_message_that_was_tried_often_waits_an_hour_and_no_longer(tenant: Tenant) -> None:
    ANSWERS["a"] = ValueError("no")
    enqueue(tenant, "a")
    Message.objects.update(attempts=10**6)
    worker.send_due()
    assert Message.objects.get().next_attempt_at == timezone.now() + worker.LONGEST_DELAY


@pytest.mark.parametrize(("age", "is_given_up"), [(worker.GIVE_UP_AFTER, False), (worker.GIVE_UP_AFTER + SECOND, True)])
def test_a_message_is_given_up_when_it_is_too_old(tenant: Tenant, age: timedelta, is_given_up: bool) -> None:
    ANSWERS["a"] = ValueError("no")
    enqueue(tenant, "a")
    Message.objects.update(created_at=timezone.now() - age)
    worker.send_due()
    row = Message.objects.get()
    assert (row.failed_at is not None, bool(row.context_encrypted)) == (is_given_up, not is_given_up)


def test_a_claimed_message_is_left_to_its_worker_until_the_lease_ends(tenant: Tenant, pass_time: PassTime) -> None:
    message, other = enqueue(tenant, "a"), enqueue(tenant, "b")
    assert worker.claim(worker.Lane.NOTICES, 1) == [message]
    assert worker.send_due() == 1
    assert [other.recipient] == SENT
    pass_time(leases.LEASE - SECOND)
    assert worker.send_due() == 0
    pass_time(SECOND)
    assert worker.send_due() == 1


@pytest.mark.parametrize("done", ["sent_at", "failed_at", "dropped_at"])
def test_a_message_that_is_done_meanwhile_is_not_claimed(tenant: Tenant, done: str) -> None:
    enqueue(tenant, "a")
    Message.objects.update(**{done: timezone.now()})
    assert worker.claim(worker.Lane.NOTICES, 1) == []


@pytest.mark.django_db(transaction=True)
def test_what_was_sent_while_the_database_was_away_is_not_sent_again(
    tenant: Tenant, pass_time: PassTime, outage: Callable[[str], AbstractContextManager[None]]
) -> None:
    for recipient in ("ada@example.com", "grace@example.com"):
        enqueue(tenant, recipient)
    with outage('SET "sent_at"'), pytest.raises(OperationalError):
        worker.serve(worker.Lane.NOTICES)
    assert SENT == ["ada@example.com"]
    assert worker.serve(worker.Lane.NOTICES) == 0
    assert state_of("ada@example.com") == (True, False, False, 1)
    pass_time(leases.LEASE)
    worker.serve(worker.Lane.NOTICES)
    assert SENT == ["ada@example.com", "grace@example.com"]


@pytest.mark.parametrize("failure", [None, ValueError("no"), worker.Undeliverable("no"), worker.NothingToSend("over")])
def test_what_staff_drop_while_it_is_being_sent_stays_dropped_unless_it_arrives(
    tenant: Tenant, failure: Exception | None
) -> None:
    message = enqueue(tenant, "a")
    if failure:
        ANSWERS["a"] = failure
    ARRIVING.append(lambda: drops.drop(tenant=tenant, keys=[message.pk]))
    worker.send_due()
    is_sent = failure is None
    assert state_of("a") == (is_sent, False, not is_sent, 1)
    assert Message.objects.get().last_error == ("" if is_sent else drops.BY_STAFF)
