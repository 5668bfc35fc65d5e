"""An audit trail can't be changed, not even by a query that bypasses the model."""

import pytest
from django.db import DatabaseError, transaction

from tenants import audit
from tenants.models import AuditEvent, Tenant


def test_an_update_of_audit_events_is_refused_by_the_database(tenant: Tenant) -> None:
    audit.record(tenant=tenant, action="log_in")
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        AuditEvent.objects.update(action="nothing happened")
