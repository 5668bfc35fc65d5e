"""Events that were given up, and sending them again: one, or a range, once the endpoint works."""

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from tenants.models import Message, Tenant, TenantQuerySet


def find(
    *,
    tenant: Tenant,
    endpoint_name: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
) -> TenantQuerySet[Message]:
    """The tenant's events that were given up: of one endpoint or, "", of all, and written from `since` until before
    `until`, in the order in which they happened."""
    found = Message.objects.for_tenant(tenant).filter(channel=Message.Channel.WEBHOOK, failed_at__isnull=False)
    if endpoint_name:
        found = found.filter(recipient=endpoint_name)
    if since:
        found = found.filter(created_at__gte=since)
    if until:
        found = found.filter(created_at__lt=until)
    return found.order_by("pk")


def replay(*, tenant: Tenant, keys: Iterable[int]) -> int:
    """Let the worker try these events again, as long as at first and under the same ids. Those that are not given up
    stay as they are. Returns how many there were."""
    now = timezone.now()
    return (
        find(tenant=tenant)
        .filter(pk__in=keys)
        .update(failed_at=None, attempts=0, next_attempt_at=now, replayed_at=now, last_error="")
    )
