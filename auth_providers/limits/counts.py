"""The rows that counts are kept in, each changed by one statement, so that of parallel attempts none is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from math import ceil
from operator import or_

from django.db import connection
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils.crypto import salted_hmac

from auth_providers.limits.rules import Allowance
from auth_providers.models import Attempts
from tenants.compiled.queries import compiled
from tenants.models import Tenant

MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What is counted: by which rule, and of whom or what; that is stored as a keyed hash."""

    rule: str
    subject: str

    @property
    def key(self) -> bytes:
        return salted_hmac("auth_providers.limits", self.subject, algorithm="sha256").digest()


def find(tenant: Tenant, counted: Sequence[Counted]) -> list[Attempts]:
    """The rows that there are of these counts, which are three at most."""
    if not counted:
        return []
    first, second, third = counted[0], counted[len(counted) // 2], counted[-1]
    return _of_three(
        tenant=tenant,
        rule=first.rule,
        key=first.key,
        second_rule=second.rule,
        second_key=second.key,
        third_rule=third.rule,
        third_key=third.key,
    )


def find_many(tenant: Tenant, counted: Sequence[Counted]) -> dict[tuple[str, bytes], Attempts]:
    """The rows that there are of any number of counts, by rule and key."""
    wanted = Q(rule__in={each.rule for each in counted}, key__in=[each.key for each in counted])
    return {(row.rule, bytes(row.key)): row for row in Attempts.objects.for_tenant(tenant).filter(wanted)}


@compiled
def _of_three(
    *, tenant: Tenant, rule: str, key: bytes, second_rule: str, second_key: bytes, third_rule: str, third_key: bytes
) -> QuerySet[Attempts]:
    wanted = Q(rule=rule, key=key) | Q(rule=second_rule, key=second_key) | Q(rule=third_rule, key=third_key)
    return Attempts.objects.for_tenant(tenant).filter(wanted)


def row(tenant: Tenant, counted: Counted) -> QuerySet[Attempts]:
    """The row of this count, if there is one."""
    return Attempts.objects.for_tenant(tenant).filter(rule=counted.rule, key=counted.key)


def delete(tenant: Tenant, counted: Sequence[Counted]) -> None:
    """Start all of them anew."""
    wanted = reduce(or_, (Q(rule=each.rule, key=each.key) for each in counted), Q(pk=None))
    Attempts.objects.for_tenant(tenant).filter(wanted).delete()


def add(
    tenant: Tenant, counted: Sequence[Counted], now: datetime, lasts: timedelta, *, slides: bool, times: int = 1
) -> dict[str, int]:
    """Add so many times one to each in a single statement, starting anew where the count began longer than `lasts` ago;
    the new counts by rule. When it `slides`, the time kept is that of the last attempt, else that of the first."""
    table = _table()
    renewed = "excluded.since" if slides else f"{table}.since"
    values = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(counted))
    since, expires, limit = _adapt(now), _adapt(now + lasts), _adapt(now - lasts)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (tenant_id, rule, key, count, since, expires_at) VALUES {values} "  # noqa: S608
            f"ON CONFLICT (tenant_id, rule, key) DO UPDATE SET expires_at = excluded.expires_at, "
            f"count = CASE WHEN {table}.since < %s THEN excluded.count ELSE {table}.count + excluded.count END, "
            f"since = CASE WHEN {table}.since < %s THEN excluded.since ELSE {renewed} END "
            f"RETURNING rule, count",
            [
                *(value for each in counted for value in (tenant.pk, each.rule, each.key, times, since, expires)),
                limit,
                limit,
            ],
        )
        return {str(rule): int(count) for rule, count in cursor.fetchall()}


def charge(tenant: Tenant, counted: Counted, rule: Allowance, now: datetime) -> None:
    """Take one failure off the allowance. Its row's `count` is the moment when the last one will be made up for, in
    milliseconds since 1970 (the "theoretical arrival time" of ITU-T I.371's generic cell rate algorithm)."""
    table, interval = _table(), rule.interval // MILLISECOND
    least = _milliseconds(now - rule.saved * rule.interval)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (tenant_id, rule, key, count, since, expires_at) "  # noqa: S608
            f"VALUES (%s, %s, %s, %s, %s, %s) "
            f"ON CONFLICT (tenant_id, rule, key) DO UPDATE SET since = excluded.since, "
            f"expires_at = excluded.expires_at, "
            f"count = CASE WHEN {table}.count < %s THEN %s ELSE {table}.count END + %s",
            [
                *(tenant.pk, counted.rule, counted.key, _milliseconds(now) + interval, _adapt(now)),
                *(_adapt(now + (rule.burst + rule.saved) * rule.interval), least, least, interval),
            ],
        )


def earn(tenant: Tenant, counted: Counted, rule: Allowance, now: datetime) -> None:
    """Add what a success earns to the allowance, where any of it is used."""
    least = _milliseconds(now - rule.saved * rule.interval)
    earned = rule.earned * rule.interval // MILLISECOND
    used = row(tenant, counted).filter(count__gt=least)
    used.update(count=Greatest(F("count") - earned, Value(least)))


def free_at(row: Attempts, rule: Allowance) -> datetime:
    """When the allowance takes the next failure, or took it."""
    made_up_for = datetime.fromtimestamp(row.count / 1000, tz=row.since.tzinfo)
    return made_up_for - (rule.burst - 1) * rule.interval


def seconds_until(moment: datetime, now: datetime) -> int:
    """What to tell a caller who may come back at `moment`: whole seconds, one at least."""
    return max(1, ceil((moment - now).total_seconds()))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _table() -> str:
    return connection.ops.quote_name(Attempts._meta.db_table)


def _adapt(moment: datetime) -> str | None:
    """The moment as this database takes it."""
    return connection.ops.adapt_datetimefield_value(moment)
