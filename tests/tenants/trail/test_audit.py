"""The trail is only ever added to, and tells what happened and nothing that was rolled back."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from tenants import clocks
from tenants.clients import Client
from tenants.models import AppendOnlyError, AuditEvent, Tenant
from tenants.trail import audit
from tenants.trail.event_types import EventType
from tests.factories import CLIENT

SECOND = timedelta(seconds=1)
FAILED = "customer.login_failed"


def test_record_keeps_who_what_and_where(tenant: Tenant) -> None:
    session_id = uuid.uuid4()
    audit.record(
        tenant=tenant,
        action="log_in",
        client=CLIENT,
        customer_number="10000001",
        session_id=session_id,
        staff_username="grace",
        method="password",
        is_success=False,
        reason="wrong password",
    )
    event = AuditEvent.objects.get()
    assert (event.tenant, event.action, event.customer_number) == (tenant, "log_in", "10000001")
    assert (event.session_id, event.staff_username, event.method) == (session_id, "grace", "password")
    assert (event.is_success, event.reason) == (False, "wrong password")
    assert (event.address, event.user_agent, event.device) == (CLIENT.address, CLIENT.user_agent, CLIENT.device)


def test_record_cuts_what_is_too_long(tenant: Tenant) -> None:
    audit.record(tenant=tenant, action="log_in", client=Client(user_agent="u" * 300), reason="r" * 300)
    event = AuditEvent.objects.get()
    assert (event.user_agent, event.reason, event.address) == ("u" * 255, "r" * 255, None)


def test_record_is_rolled_back_with_what_it_tells(tenant: Tenant) -> None:
    with transaction.atomic():
        audit.record(tenant=tenant, action="log_in")
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize("is_fresh", [True, False])
def test_event_cannot_be_changed(tenant: Tenant, is_fresh: bool) -> None:
    made = audit.record(tenant=tenant, action="log_in", reason="as it was")
    event = made if is_fresh else AuditEvent.objects.get()
    event.reason = "nothing happened"
    with pytest.raises(AppendOnlyError):
        event.save()
    assert AuditEvent.objects.get().reason == "as it was"


def test_event_cannot_be_deleted(tenant: Tenant) -> None:
    with pytest.raises(AppendOnlyError):
        audit.record(tenant=tenant, action="log_in").delete()
    assert AuditEvent.objects.exists()


def log_in(tenant: Tenant, number: str = "10000001", *, is_success: bool = False, **values: Any) -> AuditEvent:
    event = audit.record(tenant=tenant, action="log_in", customer_number=number, is_success=is_success, **values)
    return AuditEvent.objects.get(pk=event.pk)


def failed_before(tenant: Tenant, ago: timedelta = SECOND, **values: Any) -> None:
    """A failed log-in that was told, at a moment of the clock that stands still: `record` goes by the real one."""
    told: dict[str, Any] = {"customer_number": "10000001", "events": FAILED, "at": timezone.now() - ago}
    AuditEvent.objects.create(tenant=tenant, action="log_in", is_success=False, **told | values)


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(
    ("ago", "told"),
    [
        (audit.FAILURES_TOLD_EVERY, FAILED),
        (audit.FAILURES_TOLD_EVERY - SECOND, ""),
        (-clocks.TOLERANCE, ""),
        (-clocks.TOLERANCE - SECOND, FAILED),  # the clock was set back since
    ],
)
def test_a_failed_log_in_is_told_once_a_minute(tenant: Tenant, ago: timedelta, told: str) -> None:
    failed_before(tenant, ago)
    assert log_in(tenant).events == told


@pytest.mark.parametrize("other", [{"customer_number": "10000002"}, {"events": ""}, {"events": "customer.updated"}])
def test_a_failed_log_in_is_told_whatever_else_just_happened(
    tenant: Tenant, other_tenant: Tenant, other: dict[str, Any]
) -> None:
    failed_before(tenant, **other)
    failed_before(other_tenant)
    assert log_in(tenant).events == FAILED


def test_the_failed_log_in_of_nobody_is_not_told(tenant: Tenant) -> None:
    assert log_in(tenant, "").events == ""


def test_a_log_in_that_succeeds_after_a_failed_one_is_told(tenant: Tenant) -> None:
    log_in(tenant)
    assert log_in(tenant, is_success=True).events == "customer.logged_in session.started"


def test_what_a_caller_knows_of_is_told_once_and_after_the_actions_own(tenant: Tenant) -> None:
    also = (EventType.CONTACT_VERIFIED, EventType.CUSTOMER_LOGGED_IN, EventType.CONTACT_VERIFIED)
    row = log_in(tenant, is_success=True, also=also, details={"proof": "link"})
    assert row.events == "customer.logged_in session.started contact.verified"
    assert row.details == {"proof": "link"}


def test_addresses_of_failed_log_ins_are_one_customers_newest_first(tenant: Tenant, other_tenant: Tenant) -> None:
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1", ""):
        log_in(tenant, client=Client(address=address))
    log_in(tenant, client=Client(address="192.0.2.4"), is_success=True)
    log_in(tenant, "10000002", client=Client(address="192.0.2.5"))
    log_in(other_tenant, client=Client(address="192.0.2.6"))
    audit.record(
        tenant=tenant,
        action="reset_password",
        customer_number="10000001",
        is_success=False,
        client=Client(address="192.0.2.7"),
    )
    found = audit.failed_from(tenant=tenant, customer_number="10000001")
    assert found == ["192.0.2.1", "192.0.2.3", "192.0.2.2"]


def test_the_newest_fifty_failed_log_ins_count(tenant: Tenant) -> None:
    for number in range(51):
        log_in(tenant, client=Client(address=f"192.0.2.{number}"))
    found = audit.failed_from(tenant=tenant, customer_number="10000001")
    assert found == [f"192.0.2.{number}" for number in range(50, 0, -1)]


@pytest.mark.usefixtures("stopped_clock")
def test_many_customers_have_an_event_each(tenant: Tenant) -> None:
    numbers = ["10000001", "10000002", "10000003"]
    audit.record_many(tenant=tenant, action="activate", customer_numbers=numbers)
    audit.record(tenant=tenant, action="activate", customer_number="10000004")
    rows = AuditEvent.objects.order_by("pk")
    assert [each.customer_number for each in rows] == [*numbers, "10000004"]
    assert {(each.tenant, each.action, each.events) for each in rows} == {(tenant, "activate", "customer.updated")}
    assert [each.at for each in rows][:3] == [timezone.now()] * 3
    assert [each.details for each in rows] == [{"fields": ["is_active"]}] * 4
