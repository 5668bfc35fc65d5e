"""Rows that belong to one tenant, and how they are read."""

from typing import Generic, TypeVar

from django.db import models

from tenants.compiled.instances import FromRow
from tenants.compiled.queries import Parameter
from tenants.models.tenant import Tenant

T = TypeVar("T", bound=models.Model)


class TenantQuerySet(models.QuerySet[T], Generic[T]):
    """Rows of tenants; every read names whose."""

    def for_tenant(self, tenant: Tenant) -> "TenantQuerySet[T]":
        """Only this tenant's rows. Raises `TypeError` for anything but a saved `Tenant`: a filter would take a code, an
        id or None, and could find another tenant's rows. A compiled query gets its tenant when it is run."""
        if isinstance(tenant, Parameter):
            return self.filter(tenant=tenant)
        if not isinstance(tenant, Tenant) or tenant.pk is None:
            raise TypeError(f"for_tenant() takes a saved Tenant, not {tenant!r}")
        return self.filter(tenant=tenant)


class TenantOwned(FromRow):
    """A row that belongs to one tenant. Unique constraints of subclasses start with `tenant`."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True
