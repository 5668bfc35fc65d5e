"""Messages that staff drop: they are not sent any more."""

from collections.abc import Iterable

from django.utils import timezone

from tenants.models import Message, Tenant
from tenants.models.outbox import WAITING

BY_STAFF = "staff dropped it"


def drop(*, tenant: Tenant, keys: Iterable[int]) -> int:
    """Send none of these messages that wait. What is being sent at the moment may arrive all the same, and is then
    noted as sent. Returns how many there were."""
    waiting = Message.objects.for_tenant(tenant).filter(WAITING, pk__in=keys)
    return waiting.update(dropped_at=timezone.now(), context_encrypted="", last_error=BY_STAFF)
