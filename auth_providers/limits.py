"""How often may something be tried? Growing delays after failed log-ins, quotas for what costs us something.

Failures count per address, and per account: guessing at an account slows down whoever guesses, from anywhere, while its
owner on a device that we know has a count of their own (OWASP ASVS 5.0, 6.3.1; the idea is that of OWASP's device
cookies). Nobody is locked out for good: a delay ends by itself.

An attempt that comes too early is neither compared nor counted.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from auth_providers.models import Attempts
from tenants.clients import Client
from tenants.compiled.queries import compiled
from tenants.errors import DomainError, Kind, Reason
from tenants.models import Tenant


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """`free` failures cost nothing; from then on each doubles the wait, from `first` up to `longest`. After `hard`
    failures in a row the wait is a day. A day without a failure forgets them."""

    name: str
    free: int
    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=15)
    # NIST SP 800-63B-4, 3.2.2: no more than 100 consecutive failures on one account.
    hard: int = 100
    hard_wait: timedelta = timedelta(days=1)

    def wait_after(self, failures: int) -> timedelta:
        """How long to wait after so many failures."""
        if failures < self.free:
            return timedelta(0)
        if failures >= self.hard:
            return self.hard_wait
        doublings = min(failures - self.free, 30)  # far beyond the longest wait, and no overflow
        return min(self.first * (1 << doublings), self.longest)


@dataclass(frozen=True, kw_only=True)
class Quota:
    """At most `limit` in each `window`."""

    name: str
    limit: int
    window: timedelta


FORGOTTEN_AFTER = timedelta(days=1)

LOG_IN_BY_ACCOUNT = Backoff(name="log_in.account", free=5)
# One address can be an office or a mobile network with many customers.
LOG_IN_BY_ADDRESS = Backoff(name="log_in.address", free=50, hard=10_000)
# A reader needs few mails of one kind; an address may be an office; a tenant's figure stops a runaway storefront.
MAIL_BY_DESTINATION = Quota(name="mail.destination", limit=5, window=timedelta(hours=1))
MAIL_BY_ADDRESS = Quota(name="mail.address", limit=100, window=timedelta(hours=1))
MAIL_BY_TENANT = Quota(name="mail.tenant", limit=20_000, window=timedelta(hours=1))
# Each log-in takes one. Who guesses gets three answers out of each (`one_time_code`).
CODE_BY_DESTINATION = Quota(name="code.destination", limit=10, window=timedelta(hours=1))
# A text message costs money, and some of it flows back to whoever has us send it to numbers of theirs: few an address,
# fewer still to any one country that is not the tenant's own.
SMS_BY_DESTINATION = Quota(name="sms.destination", limit=5, window=timedelta(hours=1))
SMS_BY_ADDRESS = Quota(name="sms.address", limit=20, window=timedelta(hours=1))
SMS_BY_TENANT = Quota(name="sms.tenant", limit=2_000, window=timedelta(hours=1))
SMS_BY_FOREIGN_COUNTRY = Quota(name="sms.country", limit=50, window=timedelta(hours=1))
# Somebody who mistypes gets a new code soon, and nobody's mailbox fills up.
CODE_COOLDOWN = timedelta(seconds=30)  # between two codes of one purpose to one destination
# Each code that wrong answers used up makes the next answer wait longer; it is 2 ** 16 seconds, 18 hours, at most.
# Without an end to it, anybody could lock a customer out for good; with this one, a guesser gets 51 answers in the
# first days and 4 a day from then on (NIST SP 800-63B-4, 3.2.2, allows 100 in a row).
CODE_USED_UP = Backoff(name="code.used_up", free=1, longest=timedelta(seconds=2**16))
MOST_USED_UP_CODES = 17  # are counted: the wait does not grow beyond
# Wrong codes of an authenticator app. It has an end: or else whoever knows the password could lock the owner out.
AUTHENTICATOR_BY_CUSTOMER = Backoff(name="totp", free=1)
# Guessing at 256 random bits is hopeless; this keeps a broken or hostile client from costing more than a look-up. By
# address, or else anybody could shut a shop's own servers out.
APPLICATION_LOG_IN_BY_ADDRESS = Backoff(name="application.address", free=10, hard=10_000)
SIGN_UP_BY_ADDRESS = Quota(name="sign_up.address", limit=300, window=timedelta(hours=1))


class Throttled(DomainError):
    """Too many attempts; `retry_after` says in how many seconds the next one is allowed."""

    kind = Kind.THROTTLED
    reason = Reason.TOO_MANY_ATTEMPTS
    default_message = "Too many attempts. Try again later."


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """Something tried under a rule, by whom or on what: `subject` is hashed before it is stored."""

    rule: Backoff
    subject: str
    # When off, failures are counted and refuse nothing.
    is_enforced: bool = True

    @property
    def key(self) -> bytes:
        return hashlib.sha256(self.subject.encode()).digest()


@dataclass(frozen=True, kw_only=True)
class _Use:
    """One use of a quota, by whom or of what: `subject` is hashed before it is stored."""

    quota: Quota
    subject: str

    @property
    def key(self) -> bytes:
        return hashlib.sha256(self.subject.encode()).digest()


def by_address(client: Client) -> tuple[Attempt, ...]:
    """A log-in from the client's address, as what counts: who tries a few codes of each of many customers is slowed
    down like who tries a few passwords of each. Nothing when the address is not known."""
    if not client.address:
        return ()
    return (Attempt(rule=LOG_IN_BY_ADDRESS, subject=client.subscriber),)


def check_wait(*, rule: Backoff, failures: int, failed_at: datetime | None) -> None:
    """Raises `Throttled` while the wait after the last of so many failures lasts, for counts that a row keeps itself;
    `failed_at` is None when there is none."""
    now = timezone.now()
    until = wait_ends_at(rule=rule, failures=failures, failed_at=failed_at)
    if until is not None and until > now:
        raise Throttled(retry_after=seconds_until(until, now))


def wait_ends_at(*, rule: Backoff, failures: int, failed_at: datetime | None) -> datetime | None:
    """When the wait after the last of so many failures ends, or ended; None when there was no failure."""
    return None if failed_at is None else failed_at + rule.wait_after(failures)


def admit(*, tenant: Tenant, attempts: Sequence[Attempt]) -> bool:
    """Let the attempts through or raise `Throttled`, counting nothing. Returns whether any failure is on record.

    Once the free failures are used up, each wait admits one attempt only: whoever takes it sets the next wait, so that
    parallel guesses don't slip through together.
    """
    now = timezone.now()
    enforced = {(attempt.rule.name, attempt.key): attempt.rule for attempt in attempts if attempt.is_enforced}
    rows = _rows(tenant, attempts)
    recent = [row for row in rows if row.since >= now - FORGOTTEN_AFTER]
    counted = [(row, enforced[row.rule, bytes(row.key)]) for row in recent if (row.rule, bytes(row.key)) in enforced]
    waits = [(row, rule) for row, rule in counted if row.count >= rule.free]
    for row, _ in waits:  # all of them first: an attempt that one rule refuses takes no turn of another
        if row.blocked_until is None or row.blocked_until > now:
            raise Throttled(retry_after=seconds_until(row.blocked_until or now, now))
    for row, rule in waits:
        if not _take_turn(row, rule, now):
            raise Throttled(retry_after=seconds_until(now, now))
    return bool(rows)


def record_failure(*, tenant: Tenant, attempts: Sequence[Attempt]) -> None:
    """Count a failed attempt and set the wait that follows it."""
    now = timezone.now()
    for attempt in attempts:
        name = attempt.rule.name
        counts = _count(tenant, [(name, attempt.key)], now, now - FORGOTTEN_AFTER, slides=True)
        wait = attempt.rule.wait_after(counts[name])
        if wait:
            _row(tenant, attempt).update(blocked_until=now + wait)


def forget_failures(*, tenant: Tenant, attempt: Attempt) -> None:
    """A success: the failures of this one subject are forgotten."""
    _row(tenant, attempt).delete()


def spend(*, tenant: Tenant, quota: Quota, subject: str) -> None:
    """Count one use of the quota. Raises `Throttled` when the window's uses are spent."""
    _spend(tenant, [_Use(quota=quota, subject=subject)])


def _spend(tenant: Tenant, uses: Sequence[_Use]) -> None:
    """Count one use of each quota in one statement; they have one window in common."""
    now = timezone.now()
    window = uses[0].quota.window
    counts = _count(tenant, [(use.quota.name, use.key) for use in uses], now, now - window, slides=False)
    for use in uses:
        if counts[use.quota.name] > use.quota.limit:
            row = Attempts.objects.for_tenant(tenant).get(rule=use.quota.name, key=use.key)
            raise Throttled(retry_after=seconds_until(row.since + window, now))


def spend_mail(*, tenant: Tenant, destination: str, kind: str, client: Client) -> None:
    """Count a mail that someone asks us to send, before it is known whether anyone has that address.

    `kind` is the mail's template. Raises `Throttled`.
    """
    uses = [_Use(quota=MAIL_BY_DESTINATION, subject=f"{kind}\n{destination}"), _Use(quota=MAIL_BY_TENANT, subject="")]
    if client.address:
        uses.insert(1, _Use(quota=MAIL_BY_ADDRESS, subject=client.subscriber))
    _spend(tenant, uses)


def spend_mailed_code(*, tenant: Tenant, destination: str, kind: str, client: Client) -> None:
    """Count a one-time code that someone asks us to mail. `kind` is its template. Raises `Throttled`."""
    uses = [_Use(quota=CODE_BY_DESTINATION, subject=f"{kind}\n{destination}"), _Use(quota=MAIL_BY_TENANT, subject="")]
    if client.address:
        uses.append(_Use(quota=MAIL_BY_ADDRESS, subject=client.subscriber))
    _spend(tenant, uses)


def spend_sms(*, tenant: Tenant, destination: str, country: str, client: Client) -> None:
    """Count a text message that someone asks us to send, whatever for. `country` is the number's, ISO 3166-1 alpha-2,
    or its calling code where a number has none. Raises `Throttled`."""
    uses = [_Use(quota=SMS_BY_DESTINATION, subject=destination), _Use(quota=SMS_BY_TENANT, subject="")]
    if client.address:
        uses.append(_Use(quota=SMS_BY_ADDRESS, subject=client.subscriber))
    if country != tenant.default_country:
        uses.append(_Use(quota=SMS_BY_FOREIGN_COUNTRY, subject=country))
    _spend(tenant, uses)


def _rows(tenant: Tenant, attempts: Sequence[Attempt]) -> list[Attempts]:
    """What is on record of the attempts, which are two at most."""
    if not attempts:
        return []
    first, second = attempts[0], attempts[-1]
    return _of_two(
        tenant=tenant, rule=first.rule.name, key=first.key, other_rule=second.rule.name, other_key=second.key
    )


@compiled
def _of_two(*, tenant: Tenant, rule: str, key: bytes, other_rule: str, other_key: bytes) -> QuerySet[Attempts]:
    wanted = Q(rule=rule, key=key) | Q(rule=other_rule, key=other_key)
    return Attempts.objects.for_tenant(tenant).filter(wanted)


def _row(tenant: Tenant, attempt: Attempt) -> QuerySet[Attempts]:
    return Attempts.objects.for_tenant(tenant).filter(rule=attempt.rule.name, key=attempt.key)


def _take_turn(row: Attempts, rule: Backoff, now: datetime) -> bool:
    """Claim the one attempt that the end of a wait allows; False when another request was faster."""
    free_again = Attempts.objects.filter(pk=row.pk, blocked_until=row.blocked_until)
    return free_again.update(blocked_until=now + rule.wait_after(row.count)) == 1


def _count(
    tenant: Tenant, keys: Sequence[tuple[str, bytes]], now: datetime, oldest: datetime, *, slides: bool
) -> dict[str, int]:
    """Add one to each in a single statement, starting anew where the count began before `oldest`; the new counts by
    rule. When it `slides`, the time kept is that of the last attempt, else that of the first."""
    table = connection.ops.quote_name(Attempts._meta.db_table)
    renewed = "excluded.since" if slides else f"{table}.since"
    rows = ", ".join(["(%s, %s, %s, 1, %s)"] * len(keys))
    since, limit = _adapt(now), _adapt(oldest)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (tenant_id, rule, key, count, since) VALUES {rows} "  # noqa: S608
            f"ON CONFLICT (tenant_id, rule, key) DO UPDATE SET "
            f"count = CASE WHEN {table}.since < %s THEN 1 ELSE {table}.count + 1 END, "
            f"since = CASE WHEN {table}.since < %s THEN excluded.since ELSE {renewed} END "
            f"RETURNING rule, count",
            [*(value for rule, key in keys for value in (tenant.pk, rule, key, since)), limit, limit],
        )
        return {str(rule): int(count) for rule, count in cursor.fetchall()}


def _adapt(moment: datetime) -> str | None:
    """The moment as this database takes it."""
    return connection.ops.adapt_datetimefield_value(moment)


def seconds_until(moment: datetime, now: datetime) -> int:
    """What to tell a caller who may come back at `moment`: whole seconds, one at least."""
    return max(1, ceil((moment - now).total_seconds()))
