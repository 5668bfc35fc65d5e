"""The rows that counts are kept in, each changed by one statement, so that of parallel attempts none is lost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from math import ceil
from typing import cast

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest

from auth_providers.limits.rules import Allowance
from auth_providers.models import Attempts
from tenants import clocks
from tenants.compiled import prepared
from tenants.compiled.queries import Asked, Statement, compiled
from tenants.models import Tenant
from tenants.secrets.keyed_hashes import keyed_hash

MILLISECOND = timedelta(milliseconds=1)
MOST_FOUND = 4  # a log-in's: of the account, of the account and address, of the device, of the address


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What is counted: by which rule, and of whom or what; that is stored as a keyed hash."""

    rule: str
    subject: str

    @cached_property
    def key(self) -> bytes:
        return keyed_hash("auth_providers.limits", self.subject)


def find(tenant: Tenant, counted: Sequence[Counted]) -> list[Attempts]:
    """The rows that there are of these counts, which are `MOST_FOUND` at most."""
    return asked(tenant, counted).rows() if counted else []


def asked(tenant: Tenant, counted: Sequence[Counted]) -> Asked[Attempts]:
    """What `find` asks, for who asks something else in the same round trip; for one count at least."""
    first, second, third, fourth = [*counted, *[counted[-1]] * (MOST_FOUND - len(counted))]
    return _of_four.asked(
        tenant=tenant,
        rule=first.rule,
        key=first.key,
        second_rule=second.rule,
        second_key=second.key,
        third_rule=third.rule,
        third_key=third.key,
        fourth_rule=fourth.rule,
        fourth_key=fourth.key,
    )


def find_many(tenant: Tenant, counted: Sequence[Counted]) -> dict[tuple[str, bytes], Attempts]:
    """The rows that there are of any number of counts, by rule and key."""
    wanted = Q(rule__in={each.rule for each in counted}, key__in=[each.key for each in counted])
    return {(row.rule, bytes(row.key)): row for row in Attempts.objects.for_tenant(tenant).filter(wanted)}


@compiled
def _of_four(
    *,
    tenant: Tenant,
    rule: str,
    key: bytes,
    second_rule: str,
    second_key: bytes,
    third_rule: str,
    third_key: bytes,
    fourth_rule: str,
    fourth_key: bytes,
) -> QuerySet[Attempts]:
    named = ((rule, key), (second_rule, second_key), (third_rule, third_key), (fourth_rule, fourth_key))
    wanted = [Q(rule=rule, key=key) for rule, key in named]
    return Attempts.objects.for_tenant(tenant, any_of=wanted)


def row(tenant: Tenant, counted: Counted) -> QuerySet[Attempts]:
    """The row of this count, if there is one."""
    return Attempts.objects.for_tenant(tenant).filter(rule=counted.rule, key=counted.key)


def delete(tenant: Tenant, counted: Sequence[Counted]) -> None:
    """Start all of them anew."""
    wanted = [Q(rule=each.rule, key=each.key) for each in counted]
    Attempts.objects.for_tenant(tenant, any_of=wanted).delete()


def add(
    tenant: Tenant, counted: Sequence[Counted], now: datetime, lasts: timedelta, *, slides: bool, times: int = 1
) -> dict[str, int]:
    """Add so many times one to each in a single statement, starting anew where the count began longer than `lasts` ago;
    the new counts by rule. When it `slides`, the time kept is that of the last attempt, else that of the first, and it
    also starts anew after the clock was set back."""
    return dict(adding(tenant, counted, now, lasts, slides=slides, times=times).rows())


def adding(
    tenant: Tenant, counted: Sequence[Counted], now: datetime, lasts: timedelta, *, slides: bool, times: int = 1
) -> Asked[tuple[str, int]]:
    """What `add` does, for who asks something else in the same round trip: each rule with its new count."""
    table = _table()
    renewed = "excluded.since" if slides else f"{table}.since"
    values = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(counted))
    since, expires, limit = _adapt(now), _adapt(now + lasts), _adapt(now - lasts)
    latest = _adapt(now + (lasts if slides else clocks.TOLERANCE))
    is_over = f"({table}.since < %s OR {table}.since > %s)"
    sql = (
        f"INSERT INTO {table} (tenant_id, rule, key, count, since, expires_at) VALUES {values} "  # noqa: S608
        f"ON CONFLICT (tenant_id, rule, key) DO UPDATE SET expires_at = excluded.expires_at, "
        f"count = CASE WHEN {is_over} THEN excluded.count ELSE {table}.count + excluded.count END, "
        f"since = CASE WHEN {is_over} THEN excluded.since ELSE {renewed} END "
        f"RETURNING rule, count"
    )
    rows = [(tenant.pk, each.rule, each.key, times, since, expires) for each in counted]
    params = [*chain.from_iterable(rows), limit, latest, limit, latest]
    statement = Statement(sql=sql, params=params, read=_rules_with_counts)
    return Asked(build=adding, statement=statement, values={}, is_repeatable=False)


def _rules_with_counts(rows: Iterable[Sequence[object]]) -> list[tuple[str, int]]:
    return [(str(rule), cast(int, count)) for rule, count in rows]


def take_back(tenant: Tenant, counted: Sequence[Counted]) -> None:
    """Take one from each of them, one after the other: a statement for all would lock their rows in another order than
    `add`, and the two would wait for each other."""
    for each in counted:
        row(tenant, each).filter(count__gt=0).update(count=F("count") - 1)


def charge(tenant: Tenant, counted: Counted, rule: Allowance, now: datetime) -> None:
    """Take one failure off the allowance. Its row's `count` is the moment when the last one will be made up for, in
    milliseconds since 1970 (the "theoretical arrival time" of ITU-T I.371's generic cell rate algorithm). It starts
    anew after the clock was set back."""
    table, interval = _table(), rule.interval // MILLISECOND
    least = _milliseconds(now - rule.saved * rule.interval)
    sql = (
        f"INSERT INTO {table} (tenant_id, rule, key, count, since, expires_at) "  # noqa: S608
        f"VALUES (%s, %s, %s, %s, %s, %s) "
        f"ON CONFLICT (tenant_id, rule, key) DO UPDATE SET since = excluded.since, "
        f"expires_at = excluded.expires_at, "
        f"count = CASE WHEN {table}.count < %s OR {table}.since > %s THEN %s ELSE {table}.count END + %s"
    )
    params = [
        *(tenant.pk, counted.rule, counted.key, _milliseconds(now) + interval, _adapt(now)),
        *(_adapt(now + (rule.burst + rule.saved) * rule.interval), least, _adapt(now + clocks.TOLERANCE), least),
        interval,
    ]
    prepared.execute(_wrapper(), sql, params)


def earn(tenant: Tenant, counted: Counted, rule: Allowance, now: datetime) -> None:
    """Add what a success earns to the allowance, where any of it is used."""
    least = _milliseconds(now - rule.saved * rule.interval)
    earned = rule.earned * rule.interval // MILLISECOND
    used = row(tenant, counted).filter(count__gt=least)
    used.update(count=Greatest(F("count") - earned, Value(least)))


def free_at(row: Attempts, rule: Allowance, now: datetime) -> datetime:
    """When the allowance takes the next failure, or took it."""
    if clocks.is_ahead(row.since, now):
        return now
    made_up_for = datetime.fromtimestamp(row.count / 1000, tz=row.since.tzinfo)
    return made_up_for - (rule.burst - 1) * rule.interval


def seconds_until(moment: datetime, now: datetime) -> int:
    """What to tell a caller who may come back at `moment`: whole seconds, one at least."""
    return max(1, ceil((moment - now).total_seconds()))


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _wrapper() -> BaseDatabaseWrapper:
    return connections[DEFAULT_DB_ALIAS]


def _table() -> str:
    return _wrapper().ops.quote_name(Attempts._meta.db_table)


def _adapt(moment: datetime) -> str | None:
    """The moment as this database takes it."""
    return _wrapper().ops.adapt_datetimefield_value(moment)
