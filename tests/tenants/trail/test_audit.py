"""The trail is only ever added to, and tells what happened and nothing that was rolled back."""

import uuid

import pytest
from django.db import transaction

from tenants.clients import Client
from tenants.models import AppendOnlyError, AuditEvent, Tenant
from tenants.trail import audit
from tests.factories import CLIENT


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
