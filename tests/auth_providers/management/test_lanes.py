"""The worker's lanes, when the database has been away."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from auth_providers.management import lanes
from auth_providers.management.commands import work
from auth_providers.management.lanes import Lane, Lanes
from auth_providers.models import WebhookEndpoint
from tenants.models import Message
from tenants.outbox import queue, worker
from tests import factories

PATIENCE = 20.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds by which the clock was set."""
    real, ahead = time.time, [0.0]
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0])
    return ahead


def run_until(stopped: threading.Event, act: Callable[[], None]) -> None:
    thread = threading.Thread(target=Lanes([Lane(name="codes", act=act, rest=lambda: None)], stopped).run)
    thread.start()
    assert stopped.wait(PATIENCE)
    thread.join(PATIENCE)


def test_what_was_sent_is_noted_before_anything_is_taken_again(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And others have the time to do so, too."""
    monkeypatch.setattr(lanes, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(lanes, "SECONDS_FOR_NOTES", 0.5)
    message = queue.enqueue(tenant=factories.make_tenant(), template="activated", recipient="ada@example.com")
    monkeypatch.setattr(worker, "_unrecorded", {message.pk})
    stopped, rounds = threading.Event(), []

    def act() -> None:
        rounds.append((time.monotonic(), Message.objects.get().sent_at))
        if len(rounds) == 1:
            raise OperationalError("The connection is lost.")
        stopped.set()

    run_until(stopped, act)
    (failed_at, not_noted), (back_at, noted_at) = rounds
    assert not_noted is None
    assert noted_at is not None
    assert back_at - failed_at > 0.5


def test_a_lane_goes_on_after_any_error(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that ended would be missed by nobody until a restart."""
    monkeypatch.setattr(lanes, "POLL_SECONDS", 0.05)
    stopped, rounds = threading.Event(), list[int]()

    def act() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise KeyError(2)
        stopped.set()

    run_until(stopped, act)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [KeyError]


def test_nothing_is_taken_just_after_the_clock_was_set_forward(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    """Other workers' leases seem to have ended: who lives renews them."""
    monkeypatch.setattr(lanes, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(lanes, "SECONDS_FOR_RENEWALS", 0.5)
    stopped, rounds = threading.Event(), list[float]()

    def act() -> None:
        rounds.append(time.monotonic())
        if len(rounds) == 3:
            clock[0] += 86_400
        if len(rounds) == 4:
            stopped.set()

    run_until(stopped, act)
    assert rounds[2] - rounds[0] < 0.5
    assert rounds[3] - rounds[2] > 0.5


def test_what_waits_for_a_clock_that_was_set_back_is_due(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    monkeypatch.setattr(lanes, "POLL_SECONDS", 0.05)
    message = queue.enqueue(tenant=factories.make_tenant(), template="activated", recipient="ada@example.com")
    later = timezone.now() + timedelta(hours=1)
    stopped, waiting = threading.Event(), list[bool]()

    def act() -> None:
        waiting.append(worker.seconds_until_due(worker.Lane.NOTICES) != 0)
        if len(waiting) == 1:  # now, by the clock that was
            Message.objects.filter(pk=message.pk).update(created_at=later, next_attempt_at=later)
            clock[0] -= 3600
        if len(waiting) == 2:
            stopped.set()

    run_until(stopped, act)
    assert waiting == [False, False]


@pytest.mark.parametrize(
    ("settings_of_endpoint", "seconds"),
    [
        ({"event_types": "customer.activated"}, lanes.POLL_SECONDS),
        ({"event_types": "customer.activated", "is_enabled": False}, None),
        ({"event_types": ""}, None),
    ],
)
def test_the_trail_is_looked_at_where_an_endpoint_is_told_of_it(
    db: None, settings_of_endpoint: dict[str, object], seconds: float | None
) -> None:
    """Elsewhere nothing is done until a message wakes the worker."""
    [events] = [lane for lane in work.LANES if lane.name == "events"]
    assert events.rest() is None
    WebhookEndpoint.objects.create(
        tenant=factories.make_tenant(), name="erp", url="https://shop.example", **settings_of_endpoint
    )
    assert events.rest() == seconds
