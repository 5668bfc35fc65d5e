"""Quotas of what happens so often that a statement for each use would cost more than the use.

Each process counts by itself, for a minute. What it counts up to a twentieth of the quota is not shared; beyond that it
takes uses from the shared count, a twentieth at a time. So n processes allow at most n twentieths more than the quota.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from django.utils import timezone

from auth_providers.limits import counts
from auth_providers.limits.counts import Counted
from auth_providers.limits.rules import Quota
from auth_providers.limits.waits import throttled
from tenants.models import Tenant

MINUTE = 60  # seconds: the window of every quota that is counted so
SHARES = 20  # of a quota


@dataclass
class _Count:
    """What this process has used in this minute, how much it may use before it asks again, and whether it need not ask
    any more: the quota is spent."""

    allowed: int
    used: int = 0
    is_spent: bool = False


class _Minute:
    """The counts of this process, of one minute; those of the minute before are dropped."""

    def __init__(self) -> None:
        self.number = 0
        self.counts: dict[tuple[int, Counted], _Count] = {}

    def find(self, tenant: Tenant, counted: Counted, allowed: int) -> _Count:
        number = _seconds() // MINUTE
        if number != self.number:
            self.number, self.counts = number, {}
        return self.counts.setdefault((tenant.pk, counted), _Count(allowed=allowed))


_lock = Lock()
_minute = _Minute()


def spend_frequent(*, tenant: Tenant, uses: Sequence[tuple[Quota, str]]) -> None:
    """Count one use of each of these quotas of a minute, by each of these subjects. Raises `Throttled` when one is
    spent."""
    for quota, subject in uses:
        _spend(tenant, quota, Counted(rule=quota.name, subject=subject))


def forget() -> None:
    """Begin anew in this process."""
    with _lock:
        _minute.counts = {}


def _spend(tenant: Tenant, quota: Quota, counted: Counted) -> None:
    share = max(quota.limit // SHARES, 1)
    with _lock:
        count = _minute.find(tenant, counted, share)
        count.used += 1
        if count.used <= count.allowed and not count.is_spent:
            return
        count.allowed += share  # other threads go on while this one asks
    count.is_spent = count.is_spent or _is_spent(tenant, quota, counted, share)
    if count.is_spent:
        raise throttled(rule=quota.name, retry_after=MINUTE - _seconds() % MINUTE)


def _is_spent(tenant: Tenant, quota: Quota, counted: Counted, share: int) -> bool:
    """Take so many uses from the shared count; whether they are more than there are."""
    used = counts.add(tenant, [counted], timezone.now(), quota.window, slides=False, times=share)
    return used[counted.rule] > quota.limit


def _seconds() -> int:
    """Since 1970."""
    return int(timezone.now().timestamp())
