"""What the trails keep no longer: from where and with what something was done. The database lets nothing else pass
(`append_only`)."""

from django.db import connection

from tenants.models import Tenant
from tenants.trail import append_only


def blank_due() -> int:
    """Blank what is past the period of its tenant. Returns the number of events. The database's clock counts."""
    total = 0
    while done := _maintain():
        total += done
    return total


def blank_erased(*, tenant: Tenant, customer_number: str) -> int:
    """Blank the events of a customer who was erased. Returns their number."""
    if connection.vendor == "postgresql":
        return _call(tenant.pk, customer_number)
    with connection.cursor() as cursor:
        cursor.execute(append_only.erasure("%s", "%s"), [tenant.pk, customer_number])
        return int(cursor.rowcount)


def remove_events_of(*, tenant_id: int) -> int:
    """Remove the events of a tenant that is deleted in this transaction. Returns their number. The database raises an
    error while the tenant is there."""
    if connection.vendor == "postgresql":
        return _call(tenant_id, None)
    with connection.cursor() as cursor:
        cursor.execute(append_only.removal("%s"), [tenant_id])
        return int(cursor.rowcount)


def _maintain() -> int:
    if connection.vendor == "postgresql":
        return _call(None, None)
    with connection.cursor() as cursor:
        return sum(cursor.execute(statement).rowcount for statement in append_only.maintenance(append_only.SQLITE))


def _call(tenant_id: int | None, customer_number: str | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {append_only.FUNCTION}(%s, %s)", [tenant_id, customer_number])
        return int(cursor.fetchone()[0])
