"""An audit trail can't be changed, not even by a query that bypasses the model."""

import pytest
from django.db import DatabaseError, connection, transaction

from tenants import append_only, audit, staff_trail
from tenants.models import AuditEvent, StaffEvent, Tenant
from tests.factories import CLIENT


def test_an_update_of_audit_events_is_refused_by_the_database(tenant: Tenant) -> None:
    audit.record(tenant=tenant, action="log_in")
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        AuditEvent.objects.update(action="nothing happened")


@pytest.mark.postgres
@pytest.mark.parametrize("table", append_only.TRAILS)
@pytest.mark.parametrize(
    "sql", ["UPDATE {table} SET reason = 'none'", "DELETE FROM {table}", "TRUNCATE {table}", "TRUNCATE {table} CASCADE"]
)
def test_not_even_the_owner_of_a_trail_rewrites_it(tenant: Tenant, table: str, sql: str) -> None:
    audit.record(tenant=tenant, action="log_in")
    staff_trail.record(action=staff_trail.LOG_IN, username="clara", client=CLIENT)
    connection.check_constraints()  # PostgreSQL truncates no table that still has to be checked
    refused = pytest.raises(DatabaseError, match="never changed")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(table=table))
    assert AuditEvent.objects.count() == StaffEvent.objects.count() == 1
