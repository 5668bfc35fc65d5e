"""Events are CloudEvents whose data keeps to the published schema of its type."""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from django.conf import settings
from django.test import Client

from tenants.models import AuditEvent, Tenant
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


def row_of(tenant: Tenant, action: str, **values: Any) -> AuditEvent:
    return audit.record(tenant=tenant, action=action, client=CLIENT, **values)


def test_a_profile_goes_with_the_types_that_have_a_place_for_it(tenant: Tenant) -> None:
    row = row_of(tenant, "activate", customer_number="10000001")
    profile = {"first_name": "Ada", "last_name": None}
    for kind in EventType:
        data: Any = cloud_events.event_of(row, tenant, kind, profile)["data"]
        assert data.get("profile") == (profile if kind in cloud_events.WITH_PROFILE else None)
        assert "profile" not in cloud_events.event_of(row, tenant, kind)["data"]  # type: ignore[operator]
    empty: Any = cloud_events.event_of(row, tenant, EventType.CUSTOMER_UPDATED, {})
    assert empty["data"]["profile"] == {}


@pytest.mark.parametrize("session_id", [None, uuid.UUID("5f1d7a84-0000-4000-8000-000000000001")])
def test_a_session_is_named_where_there_is_one(tenant: Tenant, session_id: uuid.UUID | None) -> None:
    row = row_of(tenant, "log_in", customer_number="10000001", session_id=session_id, method="password")
    for event in cloud_events.events_of(row, tenant):
        data: Any = event["data"]
        assert data["session"] == (str(session_id) if session_id else None)
        assert (data["customer"], data["cause"], data["actor"]) == ("10000001", "log_in", "customer")
        assert (event["subject"], event["time"]) == ("10000001", row.at.isoformat())


def test_an_event_about_nobody_has_no_subject(tenant: Tenant) -> None:
    event = cloud_events.envelope(
        event_id="1", tenant=tenant, kind="test", at=datetime(2026, 11, 28, tzinfo=UTC), subject="", data={"a": 1}
    )
    assert event == {
        "specversion": "1.0",
        "id": "1",
        "source": f"{settings.PUBLIC_URL}/tenants/acme",
        "type": "test",
        "time": "2026-11-28T00:00:00+00:00",
        "datacontenttype": "application/json",
        "data": {"a": 1},
    }


@pytest.mark.parametrize(
    ("method", "credential"), [("password", "password"), ("otp", "one_time_code"), ("google", "external")]
)
def test_a_credential_is_called_by_its_kind(tenant: Tenant, method: str, credential: str) -> None:
    row = row_of(tenant, "activate", customer_number="10000001", method=method)
    data: Any = cloud_events.event_of(row, tenant, EventType.CREDENTIAL_ADDED)["data"]
    assert (data["credentials"], data["method"]) == ([credential], method)
