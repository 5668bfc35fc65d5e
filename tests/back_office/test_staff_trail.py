"""The staff's own trail: superusers read it, nobody changes it, and the API has no access to it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from tenants import isolation
from tenants.clients import Client as Caller
from tenants.models import AppendOnlyError, AuditEvent, Role, StaffEvent, Tenant
from tenants.trail import audit, staff_trail
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import STAFF_TRAIL, TRAIL

CALLER = Caller(address="192.0.2.1", user_agent="browser/1")


@pytest.fixture
def event(db: None) -> StaffEvent:
    staff_trail.record(action=staff_trail.LOG_IN, username="mallory", client=CALLER, is_success=False, reason="wrong")
    return StaffEvent.objects.get()


def test_superusers_read_it_and_change_nothing(event: StaffEvent, clerk: Client) -> None:
    assert "mallory" in clerk.get(STAFF_TRAIL).content.decode()
    assert clerk.get(f"{STAFF_TRAIL}{event.pk}/change/").status_code == 200
    assert clerk.post(f"{STAFF_TRAIL}{event.pk}/change/", {"reason": "another"}).status_code == 403
    assert clerk.get(f"{STAFF_TRAIL}add/").status_code == 403
    assert clerk.post(f"{STAFF_TRAIL}{event.pk}/delete/", {"post": "yes"}).status_code == 403


def test_nobody_else_sees_it_whatever_role_they_have(event: StaffEvent, tenant: Tenant) -> None:
    other = log_in_as(tenant, Role.OWNER)
    assert other.get(STAFF_TRAIL).status_code == 403
    assert other.get(f"{STAFF_TRAIL}{event.pk}/change/").status_code == 403
    assert STAFF_TRAIL not in other.get("/admin/").content.decode()


@pytest.mark.parametrize(("term", "count"), [("mallory", 1), ("192.0.2.1", 1), ("mallor", 0), ("192.0.2.2", 0)])
def test_it_is_searched_by_name_and_by_address(event: StaffEvent, clerk: Client, term: str, count: int) -> None:
    assert len(clerk.get(STAFF_TRAIL, {"q": term}).context["cl"].result_list) == count


def test_the_model_and_the_database_refuse_to_rewrite_it(event: StaffEvent) -> None:
    with pytest.raises(AppendOnlyError):
        event.save()
    with pytest.raises(AppendOnlyError):
        event.delete()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        StaffEvent.objects.update(username="someone else")


@pytest.mark.postgres
@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM tenants_staffevent", "DELETE FROM tenants_staffevent", "UPDATE tenants_staffevent SET reason = ''"],
)
def test_a_request_of_the_api_does_not_reach_it(event: StaffEvent, tenant: Tenant, sql: str) -> None:
    refused = pytest.raises(DatabaseError, match="permission denied")
    with isolation.Confinement(tenant), refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("conditions", "index"),
    [({"staff_username": "clara"}, "audit_by_staff"), ({"is_success": False}, "audit_failures")],
)
def test_the_few_audit_events_among_many_are_found_by_an_index(
    tenant: Tenant, conditions: dict[str, Any], index: str
) -> None:
    for number in range(200):
        audit.record(tenant=tenant, action="log_in", is_success=number % 100 > 0)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = AuditEvent.objects.filter(**conditions).order_by("-pk")[:50].explain(format="json")
    assert _trails_indexes(re.findall(r'"Index Name": "(\w+)"', plan)) == {index}


def _trails_indexes(found: list[str]) -> set[str]:
    """The indexes of the trail that these of its months belong to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhparent::regclass::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
            "WHERE relname = ANY(%s)",
            [found],
        )
        return {name for (name,) in cursor.fetchall()}


def test_the_list_of_failures_costs_the_same_for_1_and_10(
    tenant: Tenant, clerk: Client, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    def failures() -> Any:
        return clerk.get(TRAIL, {"is_success__exact": "0"}).context["cl"].result_list

    audit.record(tenant=tenant, action="log_in", is_success=False)
    failures()  # Django asks for content types once a process
    one = len(statements(failures))
    for _ in range(9):
        audit.record(tenant=tenant, action="log_in", is_success=False)
    assert len(failures()) == 10
    assert len(statements(failures)) == one
