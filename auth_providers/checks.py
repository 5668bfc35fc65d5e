"""What `manage.py migrate` and `manage.py check --database default` warn of."""

from collections.abc import Sequence

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError

from auth_providers.messaging import template_overrides
from auth_providers.models import MessageTemplate


@register(Tags.database)
def check_overrides(*, databases: Sequence[str] | None = None, **options: object) -> list[CheckMessage]:
    """A warning for each mail of a tenant's own words that shows a bare token, which its reader can't follow."""
    if not databases:
        return []
    try:
        overrides = list(MessageTemplate.objects.select_related("tenant").order_by("pk"))
    except DatabaseError:  # no tables yet
        return []
    return [
        Warning(
            f"The mail {each} of tenant {each.tenant.code} shows a token without its link.",
            hint="Write {{ link }} in its template: where the shop has no page of its own, it leads to ours.",
            id="auth_providers.W001",
        )
        for each in overrides
        if template_overrides.lacks_link(each)
    ]
