"""Deleting a tenant with everything that belongs to it, the trail and the receipts included."""

from django.db import transaction
from django.db.models import Model, QuerySet

from tenants import isolation
from tenants.errors import DomainError, Kind, Reason
from tenants.models import AuditEvent, Tenant
from tenants.trail import maintenance

# What the database lets go of only once the tenant is gone (`append_only`), by table.
AFTERWARDS = ("customers_consent", "tenants_receipt")


class TenantActive(DomainError):
    """A tenant whose API is in use is not deleted: it is suspended first."""

    kind = Kind.CONFLICT
    reason = Reason.TENANT_ACTIVE
    default_message = "Suspend the tenant first."


@transaction.atomic
def delete(*, tenant: Tenant) -> int:
    """Delete the tenant and every row of it, in all tables. Returns the number of rows. Raises `TenantActive`.

    References are checked at the end, so that the order of the tables is free; users of the back office stay.
    """
    locked = Tenant.objects.select_for_update().get(pk=tenant.pk)
    if locked.is_active:
        raise TenantActive
    models = [model for model in isolation.owned_models() if model is not AuditEvent]
    first = [model for model in models if model._meta.db_table not in AFTERWARDS]
    rows = sum(_delete(model._default_manager.filter(tenant=tenant.pk)) for model in first)
    rows += _delete(Tenant.objects.filter(pk=tenant.pk))
    rows += sum(_delete(model._default_manager.filter(tenant=tenant.pk)) for model in models if model not in first)
    return rows + maintenance.remove_events_of(tenant_id=tenant.pk)


def _delete(rows: QuerySet[Model]) -> int:
    """Without looking for what refers to them: that goes as well."""
    return rows._raw_delete(rows.db)
