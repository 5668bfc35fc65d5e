"""Events are CloudEvents whose data keeps to the published schema of its type."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.conf import settings
from django.test import Client

from tenants.models import Tenant
from tenants.outbox import cloud_events
from tenants.trail import audit
from tenants.trail.event_types import BY_ACTION, EventType
from tests.factories import CLIENT

PUBLISHED = Path(__file__).with_name("schemas")


@pytest.mark.parametrize("kind", EventType)
def test_a_schema_that_was_published_stays_as_it_is(kind: EventType) -> None:
    """Readers have it: a change that is not an optional field more is a new version, with a file of its own."""
    stored = json.loads((PUBLISHED / f"{kind}.{cloud_events.SCHEMA_VERSION}.json").read_text())
    assert cloud_events.schema(kind) == stored
    jsonschema_rs.meta.validate(stored)


@pytest.mark.parametrize("kind", EventType)
def test_a_schema_is_where_the_event_says(kind: EventType) -> None:
    path = cloud_events.schema_address(kind).removeprefix(settings.PUBLIC_URL)
    answer = Client().get(path)
    assert answer.json() == cloud_events.schema(kind)
    assert answer["Content-Type"] == "application/schema+json"


@pytest.mark.parametrize("path", ["customer.created/2", "customer.created/0", "customer.exploded/1"])
def test_a_schema_that_is_not_there(path: str) -> None:
    assert Client().get(f"/docs/events/schemas/{path}.json").status_code == 404


@pytest.mark.parametrize("action", BY_ACTION)
def test_what_an_action_tells_keeps_to_the_schema(tenant: Tenant, action: str) -> None:
    row = audit.record(
        tenant=tenant,
        action=action,
        client=CLIENT,
        customer_number="10000001",
        method="password",
        details={
            "fields": ["title"],
            "purposes": ["sms"],
            "address": "home",
            "flow": "activation",
            "steps": [],
            "merged": "10000002",
        },
    )
    events = cloud_events.events_of(row, tenant)
    assert events
    for event in events:
        check(event)


def check(event: dict[str, Any]) -> None:
    """Raises for what is no CloudEvent, or not of its schema."""
    assert event["specversion"] == "1.0"
    assert event["source"].endswith("/tenants/acme")
    assert event["dataschema"] == cloud_events.schema_address(event["type"])
    jsonschema_rs.validate(cloud_events.schema(EventType(event["type"])), event["data"])


def test_staff_are_told_from_customers_and_not_named(tenant: Tenant) -> None:
    row = audit.record(tenant=tenant, action="deactivate", customer_number="10000001", staff_username="clara")
    event: Any = cloud_events.events_of(row, tenant)[0]
    assert event["data"]["actor"] == "staff"
    assert "clara" not in json.dumps(event)


def test_an_event_says_where_nobody_called_from(tenant: Tenant) -> None:
    row = audit.record(tenant=tenant, action="log_in", client=CLIENT, customer_number="10000001", method="password")
    told = json.dumps(cloud_events.events_of(row, tenant))
    assert CLIENT.address not in told
    assert CLIENT.user_agent not in told
