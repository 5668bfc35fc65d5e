"""What `manage.py migrate` and `manage.py check --database default` warn of."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError

from tenants import codes
from tenants.models import Tenant


@register(Tags.database)
def check_defaults(*, databases: Sequence[str] | None = None, **options: object) -> list[CheckMessage]:
    """A warning for each tenant whose default currency or country no list has any more: a new version of the lists may
    retire one. Its customers are served all the same."""
    if not databases:
        return []
    try:
        tenants = list(Tenant.objects.values_list("code", "default_currency", "default_country"))
    except DatabaseError:  # no tables yet
        return []
    wrong = [(code, "currency", value) for code, value, _ in tenants if not codes.is_currency(value)]
    wrong += [(code, "country", value) for code, _, value in tenants if value not in codes.countries()]
    return [
        Warning(f"The default {what} {value} of tenant {code} is not in use any more.", id="customers.W001")
        for code, what, value in sorted(wrong)
    ]
