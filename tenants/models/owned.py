"""Rows that belong to one tenant, and how they are read."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Generic, TypeVar

from django.db import models

from tenants.compiled.instances import FromRow
from tenants.compiled.queries import Parameter
from tenants.models.tenant import Tenant

T = TypeVar("T", bound=models.Model)


class TenantQuerySet(models.QuerySet[T], Generic[T]):
    """Rows of tenants; every read names whose."""

    def for_tenant(self, tenant: Tenant, any_of: Iterable[models.Q] | None = None) -> "TenantQuerySet[T]":
        """Only this tenant's rows, and with `any_of` only those that meet one of its conditions. Raises `TypeError` for
        anything but a saved `Tenant`: a filter would take a code, an id or None, and could find another tenant's rows.
        A compiled query gets its tenant when it is run."""
        if not isinstance(tenant, Parameter) and (not isinstance(tenant, Tenant) or tenant.pk is None):
            raise TypeError(f"for_tenant() takes a saved Tenant, not {tenant!r}")
        if any_of is None:
            return self.filter(tenant=tenant)
        # The tenant is said in each condition and nowhere else: SQLite looks each up in an index that begins with it,
        # where it would else read all rows of the tenant.
        return self.filter(reduce(or_, (models.Q(each, tenant=tenant) for each in any_of), models.Q(pk__in=())))


class TenantOwned(FromRow):
    """A row that belongs to one tenant. Unique constraints of subclasses start with `tenant`."""

    # No index of its own: those that subclasses declare begin with the tenant. As long as a table has no statistics,
    # the database would take an index of the tenant alone, and read all its rows to find one (`bench/mixed.py`).
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True
