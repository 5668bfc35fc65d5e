"""A tenant is deleted with every row of it, and no row of another one."""

import pytest
from django.apps import apps

from tenants import isolation, tenant_deletion
from tenants.models import AuditEvent, Receipt, Tenant
from tenants.tenant_deletion import TenantActive
from tenants.trail import audit, receipts
from tests.neighbours import Neighbours


def rows_of(tenant: Tenant) -> dict[str, int]:
    """How many rows each table has of the tenant, the trail included."""
    return {
        model._meta.db_table: model._default_manager.filter(tenant=tenant.pk).count()
        for model in isolation.owned_models()
    }


def suspended(tenant: Tenant) -> Tenant:
    Tenant.objects.filter(pk=tenant.pk).update(is_active=False)
    return tenant


def test_all_rows_of_the_tenant_are_deleted_and_counted(
    neighbours: Neighbours, tenant: Tenant, other_tenant: Tenant
) -> None:
    for _ in range(2):
        audit.record(tenant=other_tenant, action="activate", customer_number="10000001")
    receipts.issue(tenant=other_tenant, kind=Receipt.Kind.ERASURE, stated=[({"number": "10000001"}, b"salt")])
    before, kept = rows_of(other_tenant), rows_of(tenant)
    assert before["tenants_auditevent"] >= 2
    assert all(before[table] for table in tenant_deletion.AFTERWARDS)
    assert tenant_deletion.delete(tenant=suspended(other_tenant)) == sum(before.values()) + 1
    assert set(rows_of(other_tenant).values()) == {0}
    assert rows_of(tenant) == kept
    assert list(Tenant.objects.all()) == [tenant]


def test_a_tenant_in_use_loses_nothing(neighbours: Neighbours, tenant: Tenant, other_tenant: Tenant) -> None:
    suspended(other_tenant)
    before = rows_of(tenant)
    with pytest.raises(TenantActive) as refused:
        tenant_deletion.delete(tenant=tenant)
    assert refused.value.message == "Suspend the tenant first."
    assert rows_of(tenant) == before
    assert Tenant.objects.filter(pk=tenant.pk).exists()


def test_whether_a_tenant_is_in_use_is_read_anew(tenant: Tenant) -> None:
    read_before = Tenant.objects.get(pk=tenant.pk)
    suspended(tenant)
    assert read_before.is_active
    tenant_deletion.delete(tenant=read_before)
    assert not Tenant.objects.exists()
    assert not AuditEvent.objects.exists()


def test_what_is_deleted_last_is_there() -> None:
    assert set(tenant_deletion.AFTERWARDS) <= {model._meta.db_table for model in apps.get_models()}
