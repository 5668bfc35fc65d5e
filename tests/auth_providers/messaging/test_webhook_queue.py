"""Events of many endpoints at once, over real sockets: one that hangs delays no other's, and nothing is lost."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
import requests
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from auth_providers.messaging import webhook_queue, webhook_threads
from auth_providers.messaging.webhook_queue import EventQueue
from auth_providers.models import WebhookEndpoint
from auth_providers.outbound import http_client
from tenants.models import Message, Tenant
from tenants.outbox import leases, queue, worker
from tenants.secrets.encryption import encrypt
from tests import openid_issuer
from tests.openid_issuer import Conversation, Issuer
from tests.shop_endpoint import SECRET

PATIENCE = 20.0
TAKES, HANGS = "/takes", "/hangs"


@pytest.fixture
def receiver(settings: Settings, transactional_db: None) -> Iterator[Issuer]:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    with openid_issuer.running() as running:
        running.answers[TAKES] = (200, {})
        yield running


@pytest.fixture
def events(receiver: Issuer) -> Iterator[EventQueue]:
    own = EventQueue()
    yield own
    own.close()


@pytest.fixture
def hanging(receiver: Issuer, events: EventQueue) -> Iterator[threading.Event]:
    """Answers nothing until it is set."""
    well = threading.Event()

    def hang(asked: Conversation) -> None:
        well.wait(PATIENCE)
        asked.answer(200, {})

    receiver.answers[HANGS] = hang
    yield well
    well.set()


def register(tenant: Tenant, receiver: Issuer, path: str, name: str = "") -> str:
    name = name or path.strip("/")
    WebhookEndpoint.objects.create(tenant=tenant, name=name, url=receiver.url + path, secret_encrypted=encrypt(SECRET))
    return name


def enqueue(tenant: Tenant, endpoint: str, count: int = 1, customer: str = "") -> None:
    for _ in range(count):
        queue.enqueue_event(
            tenant=tenant, endpoint_name=endpoint, event="customer.activated", payload={}, customer_number=customer
        )


def turn_until(events: EventQueue, is_done: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_done():
        assert time.monotonic() < until
        events.turn()


def arrived(endpoint: str) -> int:
    return Message.objects.filter(recipient=endpoint, sent_at__isnull=False).count()


def test_an_endpoint_that_hangs_delays_no_others(
    tenant: Tenant, other_tenant: Tenant, receiver: Issuer, events: EventQueue, hanging: threading.Event
) -> None:
    register(tenant, receiver, HANGS)
    register(tenant, receiver, TAKES)
    register(other_tenant, receiver, TAKES)
    enqueue(tenant, "hangs", webhook_queue.TAKEN_AT_ONCE + 50)
    enqueue(tenant, "takes")
    turn_until(events, lambda: receiver.asked[HANGS] > 0)
    begun = time.monotonic()
    for number in range(1, 4):
        enqueue(tenant, "takes", 2)
        enqueue(other_tenant, "takes", 2)
        turn_until(events, lambda number=number: arrived("takes") == 1 + 4 * number)  # type: ignore[misc]
    assert time.monotonic() - begun < http_client.TIMEOUT[1], "the first call that hangs has not even ended"
    assert receiver.asked[HANGS] <= webhook_threads.FOR_ONE
    assert arrived("hangs") == 0


def test_nothing_is_looked_for_again_while_nothing_comes_of_what_is_being_sent(
    tenant: Tenant,
    receiver: Issuer,
    events: EventQueue,
    hanging: threading.Event,
    statements: Callable[[Callable[[], object]], list[str]],
) -> None:
    """However often a turn looks for results: an idle worker asks the table once."""
    register(tenant, receiver, HANGS)
    enqueue(tenant, "hangs")
    events.turn()
    assert events.is_busy
    asked = [each for each in statements(events.turn) if "tenants_message" in each]
    assert len(asked) == 1


def test_what_hung_arrives_in_the_end(
    tenant: Tenant, receiver: Issuer, events: EventQueue, hanging: threading.Event
) -> None:
    register(tenant, receiver, HANGS)
    enqueue(tenant, "hangs", 40)
    events.turn()
    assert events.is_busy
    hanging.set()
    turn_until(events, lambda: arrived("hangs") == 40)
    assert receiver.asked[HANGS] == 40


def test_a_customers_events_keep_their_order(tenant: Tenant, receiver: Issuer, events: EventQueue) -> None:
    register(tenant, receiver, TAKES)
    for number in range(5):
        enqueue(tenant, "takes", customer="00000001")
        enqueue(tenant, "takes", customer=f"0000001{number}")
    turn_until(events, lambda: arrived("takes") == 10)
    own = [str(each.reference.hex) for each in Message.objects.filter(customer_number="00000001").order_by("pk")]
    assert [each for each in (_id(form) for form in receiver.forms) if each in own] == own


def test_a_customers_next_event_is_sent_in_the_same_turn(
    tenant: Tenant, receiver: Issuer, events: EventQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_queue, "TURN_SECONDS", PATIENCE)
    monkeypatch.setattr(webhook_queue, "NOTED_AT_ONCE", 1)
    register(tenant, receiver, TAKES)
    enqueue(tenant, "takes", 3, customer="00000001")
    assert events.turn() == 3


def test_one_event_that_was_taken_is_enough_to_look_for_the_customers_next(
    tenant: Tenant, receiver: Issuer, events: EventQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_queue, "TURN_SECONDS", PATIENCE)
    monkeypatch.setattr(webhook_queue, "NOTED_AT_ONCE", 1)

    def wait_until_nothing_more_was_found(asked: Conversation) -> None:
        until = time.monotonic() + PATIENCE
        while events.has_found and time.monotonic() < until:
            time.sleep(0.01)
        asked.answer(200, {})

    receiver.answers[TAKES] = wait_until_nothing_more_was_found
    register(tenant, receiver, TAKES)
    enqueue(tenant, "takes", 2, customer="00000001")
    assert events.turn() == 2


def test_no_connection_and_no_lease_is_kept_where_nothing_is_being_sent(
    tenant: Tenant,
    receiver: Issuer,
    events: EventQueue,
    hanging: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed, close = list[requests.Session](), requests.Session.close

    def note(session: requests.Session) -> None:
        closed.append(session)
        close(session)

    def count_leases() -> int:
        return sum("_keep" in each.name for each in threading.enumerate())

    monkeypatch.setattr(requests.Session, "close", note)
    register(tenant, receiver, HANGS)
    register(tenant, receiver, TAKES)
    enqueue(tenant, "takes", 2)
    enqueue(tenant, "hangs", 2)
    turn_until(events, lambda: arrived("takes") == 2)
    assert (closed, count_leases() > 0) == ([], True)
    hanging.set()
    turn_until(events, lambda: not events.is_busy)
    assert (len(closed), count_leases()) == (1, 0)


def _id(form: bytes) -> str:
    return form.decode().split('"id": "')[1].split('"')[0]


def test_two_queues_send_each_event_once(tenant: Tenant, receiver: Issuer, events: EventQueue) -> None:
    other = EventQueue()
    register(tenant, receiver, TAKES)
    enqueue(tenant, "takes", 60)
    while arrived("takes") < 60:
        events.turn()
        other.turn()
    other.close()
    assert max(Counter(_id(form) for form in receiver.forms).values()) == 1


def test_what_was_not_begun_is_left_to_others_at_the_end(
    tenant: Tenant, receiver: Issuer, events: EventQueue, hanging: threading.Event
) -> None:
    register(tenant, receiver, HANGS)
    enqueue(tenant, "hangs", 20)
    events.turn()
    threading.Timer(0.5, hanging.set).start()
    events.close()
    begun = receiver.asked[HANGS]
    assert begun == webhook_threads.FOR_ONE
    assert arrived("hangs") == begun
    left = Message.objects.filter(sent_at=None, attempts=0, next_attempt_at__lte=timezone.now())
    assert left.count() == 20 - begun


def test_what_waits_for_an_endpoint_that_is_slow_is_left_to_others(
    tenant: Tenant,
    receiver: Issuer,
    events: EventQueue,
    hanging: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook_threads, "SLOW_SECONDS", 0.1)
    monkeypatch.setattr(webhook_queue, "TURN_SECONDS", 0.2)
    register(tenant, receiver, HANGS)
    enqueue(tenant, "hangs", 20)
    left = Message.objects.filter(sent_at=None, attempts=0)
    events.turn()
    turn_until(events, lambda: left.filter(next_attempt_at__lte=timezone.now()).exists())
    assert left.filter(next_attempt_at__lte=timezone.now()).count() == 20 - webhook_threads.FOR_ONE
    hanging.set()
    turn_until(events, lambda: arrived("hangs") == 20)
    assert receiver.asked[HANGS] == 20


def test_what_arrived_while_the_database_was_away_is_not_sent_again(
    tenant: Tenant, receiver: Issuer, events: EventQueue, outage: Callable[[str], AbstractContextManager[None]]
) -> None:
    register(tenant, receiver, TAKES)
    enqueue(tenant, "takes", 3)
    with outage('SET "sent_at"'), pytest.raises(OperationalError):
        turn_until(events, lambda: False)
    assert arrived("takes") == 0
    turn_until(events, lambda: not events.is_busy)
    Message.objects.filter(sent_at=None).update(next_attempt_at=timezone.now())
    turn_until(events, lambda: arrived("takes") == 3)
    assert receiver.asked[TAKES] == 3


def test_an_event_whose_lease_has_ended_is_not_begun(
    tenant: Tenant, receiver: Issuer, events: EventQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LEASE", leases.LEASE_RESERVE)
    register(tenant, receiver, TAKES)
    enqueue(tenant, "takes")
    events.turn()
    assert not receiver.asked[TAKES]
    assert Message.objects.get().failed_at is None
    assert worker.depth(worker.Lane.EVENTS).waiting == 1


def test_what_was_taken_is_begun_however_long_taking_it_took(
    tenant: Tenant, receiver: Issuer, events: EventQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn whose time is over by then once sent nothing, and neither did the next one."""
    monkeypatch.setattr(webhook_queue, "TURN_SECONDS", 0.0)
    enqueue(tenant, register(tenant, receiver, TAKES), 3)
    turn_until(events, lambda: arrived("takes") == 3)


def test_a_backlog_of_an_endpoint_that_fails_is_not_tried_event_by_event(
    tenant: Tenant, receiver: Issuer, events: EventQueue
) -> None:
    """It comes first in the queue, and each of its events would fail at once without having been tried: the events of
    all others would wait until each had."""
    receiver.answers["/fails"] = (500, {})
    register(tenant, receiver, TAKES)
    enqueue(tenant, register(tenant, receiver, "/fails"), 3 * webhook_queue.TAKEN_AT_ONCE)
    enqueue(tenant, "takes", 5)
    turn_until(events, lambda: arrived("takes") == 5)
    for _ in range(3):
        events.turn()
    tried = Message.objects.filter(recipient="fails", attempts__gt=0)
    assert tried.count() <= webhook_queue.TAKEN_AT_ONCE
    assert receiver.asked["/fails"] <= 2 * webhook_threads.FOR_ONE
    assert not events.has_found, "the worker may sleep"
    assert not Message.objects.filter(recipient="fails", failed_at__isnull=False).exists()


def test_what_is_being_sent_is_not_taken_again_where_its_lease_is_lost(
    tenant: Tenant, receiver: Issuer, events: EventQueue, hanging: threading.Event
) -> None:
    """As by the statement of docs/operations.md that makes everything due now."""
    enqueue(tenant, register(tenant, receiver, HANGS), 5)
    turn_until(events, lambda: receiver.asked[HANGS] == 5)
    for _ in range(2):
        Message.objects.update(next_attempt_at=timezone.now())
        events.turn()
    hanging.set()
    turn_until(events, lambda: arrived("hangs") == 5)
    assert receiver.asked[HANGS] == 5
    assert not events.is_busy
