"""What `manage.py migrate` and `manage.py check --database default` warn of."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections


@register(Tags.database)
def check_statistics(*, databases: Sequence[str] | None = None, **options: object) -> list[CheckMessage]:
    """A warning for a database that nobody gathers statistics of: its statements stay planned for the tables' size of
    the first day, and read more the more customers there are. Docs: PostgreSQL, "Routine Vacuuming"."""
    return [
        Warning(
            "PostgreSQL's autovacuum is off.",
            hint="Set autovacuum = on, or run VACUUM (ANALYZE) after the first day, after an import, and every night.",
            obj=alias,
            id="tenants.W001",
        )
        for alias in databases or ()
        if connections[alias].vendor == "postgresql" and not _is_on(alias, "autovacuum")
    ]


def _is_on(alias: str, setting: str) -> bool:
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [setting])
        return bool(cursor.fetchone() == ("on",))
