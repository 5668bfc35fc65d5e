"""Customer numbers: `NUMBER_DIGITS` digits, counted for each tenant, each assigned once.

A number is taken in a statement of its own, before the sign-up's transaction: the counter's row is locked for that one
statement only, and a sign-up that fails leaves a gap, which does no harm.
"""

from django.db import connection

from customers.models import NUMBER_DIGITS, CustomerNumber
from tenants.models import Tenant

FIRST_NUMBER = 10 ** (NUMBER_DIGITS - 1) + 1
ANONYMOUS_NUMBER = "0" * NUMBER_DIGITS  # of visitors who are not logged in


def take(*, tenant: Tenant) -> str:
    """Return the next number of the tenant, never returned before and never to be returned again."""
    return take_many(tenant=tenant, count=1)[0]


def take_many(*, tenant: Tenant, count: int) -> list[str]:
    """Return the next `count` numbers of the tenant, each as `take` would."""
    table = connection.ops.quote_name(CustomerNumber._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (tenant_id, last) VALUES (%s, %s) "  # noqa: S608 - the name is our own
            f"ON CONFLICT (tenant_id) DO UPDATE SET last = {table}.last + %s RETURNING last",
            [tenant.pk, FIRST_NUMBER + count - 1, count],
        )
        last: int = cursor.fetchone()[0]
    return [str(number) for number in range(last - count + 1, last + 1)]
