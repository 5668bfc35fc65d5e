"""What `manage.py migrate` and `manage.py check --database default` warn of on the audit trail."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections

from tenants.trail import partitions


@register(Tags.database)
def check_partitions(*, databases: Sequence[str] | None = None, **options: object) -> list[CheckMessage]:
    """A warning for months that are in the default partition: the worker did not run when they came, a clock was wrong,
    or rows were copied from elsewhere."""
    return [
        Warning(
            f"The default partition of the audit trail has lines of {', '.join(months)}.",
            hint="AUDIT_TRAIL_MONTHS does not reach them. Let the worker run, and look at the servers' clocks.",
            obj=alias,
            id="tenants.W002",
        )
        for alias in databases or ()
        if (months := partitions.months_in_default(connections[alias]))
    ]
