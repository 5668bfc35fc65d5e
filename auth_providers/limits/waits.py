"""Failures and the waits that follow them. An attempt that comes too early is neither compared nor counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone

from auth_providers.limits import counts
from auth_providers.limits.counts import Counted, seconds_until
from auth_providers.limits.rules import FORGOTTEN_AFTER, Allowance, Backoff
from auth_providers.models import Attempts
from tenants import clocks
from tenants.compiled.queries import Asked
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant
from tenants.telemetry import metrics


class Throttled(DomainError):
    """Too many attempts; `retry_after` says in how many seconds the next one is allowed."""

    kind = Kind.THROTTLED
    reason = Reason.TOO_MANY_ATTEMPTS
    default_message = "Too many attempts. Try again later."
    is_of_destination_alone = False  # whether one destination got all that it may, and no other quota is spent


def throttled(*, rule: str, retry_after: int) -> Throttled:
    """The refusal to raise, counted: the rule's name, and the seconds to wait."""
    metrics.throttled.labels(rule).inc()
    return Throttled(retry_after=retry_after)


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Something tried under a rule, by whom or on what."""

    rule: Backoff | Allowance
    subject: str
    # When off, failures are counted and refuse nothing.
    is_enforced: bool = True

    @property
    def counted(self) -> Counted:
        return Counted(rule=self.rule.name, subject=self.subject)


def check_wait(*, rule: Backoff, failures: int, failed_at: datetime | None) -> None:
    """Raises `Throttled` while the wait after the last of so many failures lasts, for counts that a row keeps itself;
    `failed_at` is None when there is none."""
    now = timezone.now()
    until = wait_ends_at(rule=rule, failures=failures, failed_at=failed_at)
    if until is not None and until > now and failed_at is not None and not clocks.is_ahead(failed_at, now):
        raise throttled(rule=rule.name, retry_after=seconds_until(until, now))


def wait_ends_at(*, rule: Backoff, failures: int, failed_at: datetime | None) -> datetime | None:
    """When the wait after the last of so many failures ends, or ended; None when there was no failure."""
    return None if failed_at is None else failed_at + rule.wait_after(failures)


def asked(*, tenant: Tenant, attempts: Sequence[Attempt]) -> Asked[Attempts]:
    """What `admit` has to read, for who asks something else in the same round trip; of one attempt at least, and under
    `counts.MOST_FOUND` rules at most."""
    return counts.asked(tenant, [attempt.counted for attempt in attempts])


def admit(*, tenant: Tenant, attempts: Sequence[Attempt], counted: Sequence[Attempts] | None = None) -> frozenset[str]:
    """Let the attempts through or raise `Throttled`, counting nothing. Returns the names of the rules under which
    anything is on record, for `record_success`. `counted` is what `asked` has brought, of these attempts and perhaps
    of others under other rules.

    Once the free failures of a `Backoff` are used up, each wait admits one attempt only: whoever takes it sets the next
    wait, so that parallel guesses don't slip through together.
    """
    now = timezone.now()
    if counted is None:
        counted = counts.find(tenant, [attempt.counted for attempt in attempts])
    rows = {row.rule: row for row in counted}
    waits: list[tuple[Attempts, Backoff]] = []
    for attempt in attempts:  # all of them first: an attempt that one rule refuses takes no turn of another
        row = rows.get(attempt.rule.name)
        if row is None or not attempt.is_enforced:
            continue
        if isinstance(attempt.rule, Allowance):
            _check(attempt.rule, counts.free_at(row, attempt.rule, now), now)
        elif row.count >= attempt.rule.free and row.since >= now - FORGOTTEN_AFTER:
            until = _wait_ends_at(row, attempt.rule, now)
            _check(attempt.rule, until or now, now, is_open_at=until is not None)
            waits.append((row, attempt.rule))
    for row, rule in waits:
        if not _take_turn(row, rule, now):
            raise throttled(rule=rule.name, retry_after=seconds_until(now, now))
    return frozenset(rows)


def find_waits(*, tenant: Tenant, attempts: Sequence[Attempt]) -> dict[Attempt, datetime]:
    """When the wait ends for which `admit` would refuse an attempt under a `Backoff` now; an attempt that it would let
    through is missing. Nothing is counted."""
    now = timezone.now()
    rows = counts.find_many(tenant, [attempt.counted for attempt in attempts])
    waits: dict[Attempt, datetime] = {}
    for attempt in attempts:
        row = rows.get((attempt.rule.name, attempt.counted.key))
        if row and isinstance(attempt.rule, Backoff):
            until = _wait_ends_at(row, attempt.rule, now)
            if until and until > now:
                waits[attempt] = until
    return waits


def _wait_ends_at(row: Attempts, rule: Backoff, now: datetime) -> datetime | None:
    """When the wait ends that this row sets, at once where the clock was set back since it began; None without one."""
    until = row.blocked_until
    return now if until and clocks.is_ahead(until - rule.wait_after(row.count), now) else until


def note_wait(*, tenant: Tenant, attempts: Sequence[Attempt]) -> bool:
    """Whether this is the first attempt that was refused during a wait of its account's: once for each is enough for
    the trail."""
    now = timezone.now()
    return any(
        counts.row(tenant, attempt.counted)
        .filter(Q(noted_until=None) | ~Q(noted_until=F("blocked_until")), blocked_until__gt=now)
        .update(noted_until=F("blocked_until"))
        for attempt in attempts
        if attempt.is_enforced and isinstance(attempt.rule, Backoff)
    )


def record_failure(*, tenant: Tenant, attempts: Sequence[Attempt]) -> None:
    """Count a failed attempt and set the wait that follows it."""
    now = timezone.now()
    failures: dict[str, int] = {}
    backoffs = [(attempt.counted, attempt.rule) for attempt in attempts if isinstance(attempt.rule, Backoff)]
    if backoffs:
        counted = [each for each, _ in backoffs]
        failures = counts.add(tenant, counted, now, FORGOTTEN_AFTER, slides=True)
    for each, rule in backoffs:
        wait = rule.wait_after(failures[rule.name])
        if wait:
            counts.row(tenant, each).update(blocked_until=now + wait)
    for attempt in attempts:
        if isinstance(attempt.rule, Allowance):
            counts.charge(tenant, attempt.counted, attempt.rule, now)


def record_success(
    *, tenant: Tenant, attempts: Sequence[Attempt], on_record: frozenset[str], is_earning: bool = False
) -> None:
    """An admitted attempt was right: the failures of its account are forgotten. `on_record` is what `admit` returned;
    one that `is_earning` also allows its address more failures."""
    for attempt in attempts:
        if attempt.rule.name not in on_record:
            continue
        if isinstance(attempt.rule, Backoff):
            counts.row(tenant, attempt.counted).delete()
        elif is_earning:
            counts.earn(tenant, attempt.counted, attempt.rule, timezone.now())


def forget_failures(*, tenant: Tenant, attempts: Sequence[Attempt]) -> None:
    """The failures of these subjects are forgotten; an address stays as it is."""
    counts.delete(tenant, [attempt.counted for attempt in attempts if isinstance(attempt.rule, Backoff)])


def _check(rule: Backoff | Allowance, until: datetime, now: datetime, *, is_open_at: bool = True) -> None:
    """Raises `Throttled` before `until`, and at it unless `is_open_at`."""
    if until > now or not is_open_at:
        raise throttled(rule=rule.name, retry_after=seconds_until(until, now))


def _take_turn(row: Attempts, rule: Backoff, now: datetime) -> bool:
    """Claim the one attempt that the end of a wait allows; False when another request was faster."""
    free_again = Attempts.objects.filter(pk=row.pk, blocked_until=row.blocked_until)
    return free_again.update(blocked_until=now + rule.wait_after(row.count)) == 1
