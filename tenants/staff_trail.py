"""The audit trail of staff: log-ins, log-outs and refused log-ins in the back office."""

from datetime import timedelta

from django.utils import timezone

from tenants.clients import Client
from tenants.models import StaffEvent

LOG_IN = "log_in"
LOG_OUT = "log_out"
THROTTLED = "throttled"
USERNAME_MAX_LENGTH = 150  # of the column; what is typed may be longer


def record(*, action: str, username: str, client: Client, is_success: bool = True, reason: str = "") -> None:
    """Add an event. What was typed as a password or a code never enters it."""
    StaffEvent(
        action=action,
        username=username[:USERNAME_MAX_LENGTH],
        is_success=is_success,
        reason=reason,
        address=client.address or None,
        user_agent=client.user_agent[:255],
    ).save(force_insert=True)


def names_that_failed(*, client: Client, within: timedelta, at_most: int) -> list[str]:
    """The user names, lower-case, of the newest failed log-ins from the caller's address; throttled ones were not
    compared and don't count."""
    failed = StaffEvent.objects.filter(
        address=client.address or None, at__gt=timezone.now() - within, action=LOG_IN, is_success=False
    ).exclude(reason=THROTTLED)
    return [name.lower() for name in failed.order_by("-at").values_list("username", flat=True)[:at_most]]
