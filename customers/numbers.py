"""Assigning customer numbers (`tenants.customer_numbers`): counted for each tenant, each assigned once.

A number is taken in a statement of its own, before the sign-up's transaction: the counter's row is locked for that one
statement only, and a sign-up that fails leaves a gap, which does no harm.
"""

from django.db import DEFAULT_DB_ALIAS, connections

from customers.models import CustomerNumber
from tenants.compiled import prepared
from tenants.customer_numbers import FIRST_NUMBER
from tenants.models import Tenant


def take(*, tenant: Tenant) -> str:
    """Return the next number of the tenant, never returned before and never to be returned again."""
    return take_many(tenant=tenant, count=1)[0]


def take_many(*, tenant: Tenant, count: int) -> list[str]:
    """Return the next `count` numbers of the tenant, each as `take` would."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    table = wrapper.ops.quote_name(CustomerNumber._meta.db_table)
    sql = (
        f"INSERT INTO {table} (tenant_id, last) VALUES (%s, %s) "  # noqa: S608 - the name is our own
        f"ON CONFLICT (tenant_id) DO UPDATE SET last = {table}.last + %s RETURNING last"
    )
    [(last,)] = prepared.execute(wrapper, sql, [tenant.pk, FIRST_NUMBER + count - 1, count]).rows
    return [str(number) for number in range(last - count + 1, last + 1)]
