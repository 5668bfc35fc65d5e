"""The audit trail of staff: log-ins, log-outs and refused log-ins in the back office."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from tenants import clocks
from tenants.clients import Client
from tenants.models import StaffEvent

LOG_IN = "log_in"
LOG_OUT = "log_out"
THROTTLED = "throttled"
USERNAME_MAX_LENGTH = 150  # of the column; what is typed may be longer


@dataclass(frozen=True, kw_only=True)
class Failures:
    """How many log-ins failed, and when the last one did; None without any."""

    count: int
    last_at: datetime | None


def record(*, action: str, username: str, client: Client, is_success: bool = True, reason: str = "") -> None:
    """Add an event. What was typed as a password or a code never enters it."""
    StaffEvent(
        at=timezone.now(),
        action=action,
        username=username[:USERNAME_MAX_LENGTH],
        is_success=is_success,
        reason=reason,
        address=client.address or None,
        subscriber=client.subscriber,
        user_agent=client.user_agent[:255],
    ).save(force_insert=True)


def names_that_failed(*, client: Client, within: timedelta, at_most: int) -> list[str]:
    """The user names, lower-case, of the newest failed log-ins by the caller's subscriber; throttled ones were not
    compared and don't count."""
    failed = _compared(within).filter(subscriber=client.subscriber, is_success=False)
    return [name.lower() for name in failed.order_by("-at").values_list("username", flat=True)[:at_most]]


def failures_of(*, username: str, within: timedelta) -> Failures:
    """The failed log-ins by this user name from any address. It is the name as a log-in would have to spell it."""
    failed = _compared(within).filter(username=username[:USERNAME_MAX_LENGTH], is_success=False)
    return Failures(**failed.aggregate(count=Count("pk"), last_at=Max("at")))


def has_logged_in(*, username: str, client: Client, within: timedelta) -> bool:
    """Whether this user name logged in from the caller's subscriber."""
    succeeded = _compared(within).filter(subscriber=client.subscriber, is_success=True)
    return succeeded.filter(username=username[:USERNAME_MAX_LENGTH]).exists()


def _compared(within: timedelta) -> QuerySet[StaffEvent]:
    """Attempts of late. Those of before the clock was set back are none: nobody would get in until it gets there."""
    now = timezone.now()
    recent = StaffEvent.objects.filter(at__gt=now - within, at__lte=now + clocks.TOLERANCE, action=LOG_IN)
    return recent.exclude(reason=THROTTLED)
