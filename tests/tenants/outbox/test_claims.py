"""What a worker takes, gives back and counts of a lane."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tenants import clocks
from tenants.models import Message, Tenant
from tenants.outbox import leases, worker
from tenants.outbox.worker import Depth, Lane

pytestmark = pytest.mark.usefixtures("stopped_clock")

SECOND = timedelta(seconds=1)
OF_LANE: dict[Lane, dict[str, Any]] = {
    Lane.URGENT: {"is_urgent": True},
    Lane.URGENT_TEXTS: {"is_urgent": True, "channel": "sms"},
    Lane.NOTICES: {},
    Lane.EVENTS: {"channel": "webhook"},
}


def message(tenant: Tenant, recipient: str = "ada@example.com", *, due_in: int = 0, **values: Any) -> Message:
    now = timezone.now()
    return Message.objects.create(
        tenant=tenant,
        template="welcome",
        recipient=recipient,
        created_at=now,
        next_attempt_at=now + due_in * SECOND,
        **values,
    )


def event(tenant: Tenant, recipient: str, customer_number: str, **values: Any) -> Message:
    return message(tenant, recipient, channel="webhook", customer_number=customer_number, **values)


def kept(row: Message) -> tuple[int, float]:
    """How often it was tried, and in how many seconds it is due."""
    row.refresh_from_db()
    return row.attempts, (row.next_attempt_at - timezone.now()).total_seconds()


def test_a_claim_notes_one_attempt_and_one_lease_in_the_rows_and_in_what_it_returns(tenant: Tenant) -> None:
    first, second, third = message(tenant, attempts=4), message(tenant), message(tenant)
    taken = worker.claim(Lane.NOTICES, 2)
    until = timezone.now() + leases.LEASE
    assert [(each.pk, each.attempts, each.next_attempt_at) for each in taken] == [
        (first.pk, 5, until),
        (second.pk, 1, until),
    ]
    assert [kept(each) for each in (first, second, third)] == [(5, 30.0), (1, 30.0), (0, 0.0)]


def test_what_is_due_first_is_claimed_first(tenant: Tenant) -> None:
    later, first, same = message(tenant, due_in=-1), message(tenant, due_in=-9), message(tenant, due_in=-9)
    message(tenant, due_in=1)
    assert worker.claim(Lane.NOTICES, 9) == [first, same, later]


def test_receivers_that_are_left_out_are_those_of_one_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    rows = [event(each, name, "") for each in (tenant, other_tenant) for name in ("erp", "crm", "shop")]
    without = [(tenant.pk, "erp"), (other_tenant.pk, "crm")]
    taken = worker.claim(Lane.EVENTS, 9, without=without)
    assert taken == [rows[1], rows[2], rows[3], rows[5]]


def test_what_does_not_fit_stays_as_it_is_and_counts_for_the_limit(tenant: Tenant) -> None:
    rows = [message(tenant, f"{number}@example.com") for number in range(4)]
    taken = worker.claim(Lane.NOTICES, 3, fits=lambda each: each.pk != rows[1].pk)
    assert taken == [rows[0], rows[2]]
    assert [kept(each) for each in rows] == [(1, 30.0), (0, 0.0), (1, 30.0), (0, 0.0)]


def test_an_event_waits_for_an_earlier_one_of_the_same_customer_endpoint_and_tenant(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    first = event(tenant, "erp", "10000001")
    event(tenant, "erp", "10000001")
    others = [
        event(tenant, "crm", "10000001"),
        event(tenant, "erp", "10000002"),
        event(other_tenant, "erp", "10000001"),
    ]
    assert worker.claim(Lane.EVENTS, 9) == [first, *others]


def test_events_of_no_customer_wait_for_nothing(tenant: Tenant) -> None:
    rows = [event(tenant, "erp", "") for _ in range(2)]
    assert worker.claim(Lane.EVENTS, 9) == rows


@pytest.mark.parametrize("done", ["sent_at", "failed_at", "dropped_at"])
def test_an_event_waits_for_none_that_is_settled(tenant: Tenant, done: str) -> None:
    event(tenant, "erp", "10000001", **{done: timezone.now()})
    second = event(tenant, "erp", "10000001")
    assert worker.claim(Lane.EVENTS, 9) == [second]


def test_a_mail_to_the_same_customer_holds_no_event_up(tenant: Tenant) -> None:
    message(tenant, "erp", customer_number="10000001")
    row = event(tenant, "erp", "10000001")
    assert worker.claim(Lane.EVENTS, 9) == [row]


def test_what_is_given_back_is_due_now_and_was_not_tried(tenant: Tenant) -> None:
    rows = [message(tenant, attempts=2), message(tenant), message(tenant)]
    taken = worker.claim(Lane.NOTICES, 3)
    worker.release(taken[:2])
    assert [kept(each) for each in rows] == [(2, 0.0), (0, 0.0), (1, 30.0)]


@pytest.mark.parametrize("done", ["sent_at", "failed_at", "dropped_at"])
def test_what_is_settled_meanwhile_is_not_given_back(tenant: Tenant, done: str) -> None:
    row = message(tenant)
    taken = worker.claim(Lane.NOTICES, 1)
    Message.objects.update(**{done: timezone.now()})
    worker.release(taken)
    assert kept(row) == (1, 30.0)


@pytest.mark.parametrize("lane", Lane)
def test_the_depth_of_a_lane_is_how_many_wait_and_since_when_the_first_is_due(tenant: Tenant, lane: Lane) -> None:
    of_lane = OF_LANE[lane]
    assert worker.depth(lane) == Depth(waiting=0, overdue_seconds=0.0)
    for due_in in (7, -40, -90):
        message(tenant, due_in=due_in, **of_lane)
    for done in ("sent_at", "failed_at", "dropped_at"):
        message(tenant, due_in=-200, **of_lane | {done: timezone.now()})
    for other in (each for each in Lane if each is not lane):
        message(tenant, due_in=-300, **OF_LANE[other])
    assert worker.depth(lane) == Depth(waiting=3, overdue_seconds=90.0)


def test_a_lane_whose_messages_are_due_later_is_not_overdue(tenant: Tenant) -> None:
    message(tenant, due_in=30)
    assert worker.depth(Lane.NOTICES) == Depth(waiting=1, overdue_seconds=0.0)


def test_an_event_that_waits_for_another_one_counts_for_the_depth(tenant: Tenant) -> None:
    for _ in range(2):
        event(tenant, "erp", "10000001")
    assert worker.depth(Lane.EVENTS).waiting == 2


def test_a_lane_says_in_how_many_seconds_its_first_message_is_due(tenant: Tenant) -> None:
    for due_in in (50, 20, 70):
        message(tenant, due_in=due_in)
    message(tenant, due_in=-5, is_urgent=True)
    message(tenant, due_in=3, sent_at=timezone.now())
    assert worker.seconds_until_due(Lane.NOTICES) == 20.0
    assert worker.seconds_until_due(Lane.URGENT) == 0.0
    assert worker.seconds_until_due(Lane.EVENTS) is None


def test_what_was_written_ahead_of_the_clock_and_is_due_soon_stays_as_it_is(tenant: Tenant) -> None:
    ahead = timezone.now() + 2 * clocks.TOLERANCE
    for due_in in (0, clocks.TOLERANCE.total_seconds()):
        row = message(tenant, due_in=int(due_in))
        Message.objects.update(created_at=ahead)
        assert worker.bring_forward() == 0
        row.refresh_from_db()
        assert (row.created_at, kept(row)) == (ahead, (0, due_in))


def test_only_what_was_written_ahead_of_the_clock_is_brought_forward(tenant: Tenant) -> None:
    """Messages that were tried, or wait, by this clock stay as they are."""
    tolerance = int(clocks.TOLERANCE.total_seconds())
    others = [message(tenant, due_in=2 * tolerance), message(tenant, due_in=2 * tolerance, attempts=9)]
    Message.objects.update(created_at=timezone.now() - SECOND)
    ahead, on_time = (message(tenant, due_in=2 * tolerance) for _ in range(2))
    edge = timezone.now() + clocks.TOLERANCE
    Message.objects.filter(pk=ahead.pk).update(created_at=edge + SECOND)
    Message.objects.filter(pk=on_time.pk).update(created_at=edge)
    assert worker.bring_forward() == 1
    ahead.refresh_from_db()
    on_time.refresh_from_db()
    assert (ahead.created_at, on_time.created_at) == (timezone.now(), edge)
    assert [kept(each) for each in (ahead, *others, on_time)] == [
        (0, 0.0),
        (0, 2.0 * tolerance),
        (9, 2.0 * tolerance),
        (0, 2.0 * tolerance),
    ]


def test_only_what_was_brought_forward_is_logged(tenant: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    message(tenant)
    worker.bring_forward()
    assert not caplog.records
    Message.objects.update(next_attempt_at=timezone.now() + timedelta(days=9))
    worker.bring_forward()
    assert [each.getMessage() for each in caplog.records] == [
        "1 messages were noted ahead of the clock: they are sent now"
    ]
