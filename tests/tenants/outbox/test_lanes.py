"""Lanes, claims and leases: codes go first, several workers share the rest, a worker that died loses nothing."""

import threading
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection

from tenants.models import Tenant
from tenants.outbox import leases, queue, wake_up, worker
from tenants.outbox.worker import Lane
from tests import factories
from tests.races import at_once


def enqueue(tenant: Tenant, count: int, **fields: object) -> None:
    for index in range(count):
        queue.enqueue(tenant=tenant, template="activated", recipient=f"ada{index}@example.com", **fields)  # type: ignore[arg-type]


def test_lanes_know_their_own_only(tenant: Tenant) -> None:
    enqueue(tenant, 2)
    enqueue(tenant, 1, is_urgent=True)
    enqueue(tenant, 3, is_urgent=True, channel="sms")
    queue.enqueue_event(tenant=tenant, endpoint_name="erp", event="test", payload={})
    taken = {lane: len(worker.claim(lane, 10)) for lane in Lane}
    assert taken == {Lane.URGENT: 1, Lane.URGENT_TEXTS: 3, Lane.NOTICES: 2, Lane.EVENTS: 1}


def test_a_lane_tells_when_something_is_due(tenant: Tenant) -> None:
    assert worker.seconds_until_due(Lane.NOTICES) is None
    enqueue(tenant, 1)
    assert worker.seconds_until_due(Lane.NOTICES) == 0
    worker.claim(Lane.NOTICES, 1)
    due_in = worker.seconds_until_due(Lane.NOTICES)
    assert due_in is not None
    assert leases.LEASE - timedelta(seconds=20) < timedelta(seconds=due_in) <= leases.LEASE


@pytest.mark.postgres
def test_workers_pass_over_what_others_have_locked(transactional_db: None) -> None:
    tenant = factories.make_tenant()
    enqueue(tenant, 40)
    taken = at_once(4, lambda _: [each.pk for each in worker.claim(Lane.NOTICES, 10)])
    keys = [key for each in taken if isinstance(each, list) for key in each]
    assert len(keys) == len(set(keys)) == 40


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("lane", "index"),
    [
        (Lane.URGENT, "message_urgent"),
        (Lane.URGENT_TEXTS, "message_urgent"),
        (Lane.NOTICES, "message_notices"),
        (Lane.EVENTS, "message_events"),
    ],
)
def test_a_lane_has_an_index(tenant: Tenant, lane: Lane, index: str) -> None:
    enqueue(tenant, 50)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert index in worker._due(lane)[:10].explain()


@pytest.mark.postgres
def test_an_events_place_in_the_order_is_looked_up_by_its_customer(tenant: Tenant) -> None:
    """By its endpoint alone, each look would read the endpoint's whole backlog: seconds for some thousand events."""
    for number in range(500):
        customer = f"{10_000_000 + number}"
        queue.enqueue_event(tenant=tenant, endpoint_name="erp", event="test", payload={}, customer_number=customer)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tenants_message")
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = worker._due(Lane.EVENTS)[:10].explain()
    assert "message_event_order" in plan
    assert "message_by_recipient" not in plan


@pytest.mark.postgres
def test_the_database_tells_of_new_messages(transactional_db: None) -> None:
    tenant = factories.make_tenant()
    heard, ready, second = [], threading.Event(), threading.Event()

    def listen() -> None:
        url = psycopg.conninfo.make_conninfo(**_parameters())
        for _ in wake_up.news(url, on_ready=ready.set):
            heard.append(time.monotonic())
            if len(heard) == 2:
                second.set()
                return

    thread = threading.Thread(target=listen)
    thread.start()
    assert ready.wait(20)
    enqueue(tenant, 3)
    assert second.wait(20)
    thread.join()


def _parameters() -> dict[str, Any]:
    own = connection.settings_dict
    return {"dbname": own["NAME"], "host": own["HOST"], "port": own["PORT"], "user": own["USER"]}
