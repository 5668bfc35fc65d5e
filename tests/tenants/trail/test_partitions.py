"""The audit trail is partitioned by months, which are there before they come, and whole ones are dropped."""

import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from auth_providers import retention
from auth_providers.selfservice.own_account import security_history
from customers import erasure
from tenants import isolation
from tenants.models import AuditEvent, Tenant
from tenants.outbox import feed
from tenants.trail import append_only, audit, maintenance, partitions
from tests.factories import CLIENT, make_customer, make_tenant
from tests.races import at_once
from tests.tenants.compiled.test_plans import grow, nodes

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

REFUSED = "never changed"
LONG_AGO = datetime(2001, 5, 15, tzinfo=UTC)


def run(sql: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall()) if cursor.description else []


def there() -> partitions.Partitions:
    found = partitions.read(connection)
    assert found
    return found


def ago(months: int) -> date:
    """The first day of the month that is so many months before the present one."""
    return partitions.later(there().month, -months)


def make(month: date) -> str:
    """The partition of a month that is over."""
    name = partitions.name_of(month)
    bounds = f"FROM ('{month} 00:00:00+00') TO ('{partitions.later(month, 1)} 00:00:00+00')"
    run(f"CREATE TABLE {name} PARTITION OF {partitions.TABLE} FOR VALUES {bounds}")
    run(append_only.truncation_trigger(partitions.TABLE, name))
    return name


def drop(name: str) -> None:
    connection.check_constraints()  # PostgreSQL drops no table that still has to be checked
    run(f"DROP TABLE {name}")


def add(tenant: Tenant, at: datetime | date, **values: Any) -> AuditEvent:
    moment = at if isinstance(at, datetime) else datetime(at.year, at.month, 15, tzinfo=UTC)
    known: dict[str, Any] = {"action": "log_in", "customer_number": "10000001", "address": CLIENT.address}
    event = AuditEvent(tenant=tenant, at=moment, user_agent="a browser", device="a device", **known | values)
    event.save(force_insert=True)
    return event


def partition_of(event: AuditEvent) -> str:
    [(name,)] = run(f"SELECT tableoid::regclass::text FROM {partitions.TABLE} WHERE id = %s", [event.pk])
    return str(name)


# -- which there are --------------------------------------------------------------------------------------------------
def test_after_migrate_there_are_the_present_month_the_next_three_and_the_default() -> None:
    present = timezone.now().astimezone(UTC).date().replace(day=1)
    months = [partitions.name_of(partitions.later(present, by)) for by in range(4)]
    assert sorted(there().names) == sorted([*months, partitions.DEFAULT])
    assert there().missing() == []


@pytest.mark.parametrize(
    ("month", "by", "expected"),
    [
        (date(2026, 11, 1), 3, date(2027, 2, 1)),
        (date(2026, 11, 1), 1, date(2026, 12, 1)),
        (date(2026, 12, 1), 1, date(2027, 1, 1)),
        (date(2026, 1, 1), -1, date(2025, 12, 1)),
        (date(2026, 11, 1), -26, date(2024, 9, 1)),
        (date(2026, 11, 1), 0, date(2026, 11, 1)),
    ],
)
def test_months_are_counted_over_years(month: date, by: int, expected: date) -> None:
    assert partitions.later(month, by) == expected
    assert partitions.month_of(partitions.name_of(expected)) == expected


def test_a_month_begins_and_ends_in_utc(tenant: Tenant) -> None:
    month, following = there().month, partitions.later(there().month, 1)
    first = datetime(following.year, following.month, 1, tzinfo=UTC)
    assert partition_of(add(tenant, first)) == partitions.name_of(following)
    assert partition_of(add(tenant, first - timedelta(microseconds=1))) == partitions.name_of(month)


def test_no_insert_fails_for_want_of_a_month(tenant: Tenant) -> None:
    event = add(tenant, LONG_AGO)
    assert partition_of(event) == partitions.DEFAULT
    assert AuditEvent.objects.get(pk=event.pk).at == LONG_AGO


def test_what_is_missing_is_made_with_all_that_guards_it(tenant: Tenant) -> None:
    following = partitions.name_of(ago(-1))
    drop(following)
    drop(partitions.DEFAULT)
    partitions.ensure(connection)
    assert there().missing() == []
    assert partition_of(add(tenant, ago(-1))) == following
    connection.check_constraints()
    for table in (following, partitions.DEFAULT):
        with pytest.raises(DatabaseError, match=REFUSED):
            run(f"TRUNCATE {table}")
    with pytest.raises(DatabaseError, match=REFUSED):
        run(f"DELETE FROM {following}")


def test_a_month_of_which_the_default_partition_has_lines_stays_there(
    tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    present, following = (partitions.name_of(ago(-by)) for by in (0, 1))
    drop(present)
    drop(following)
    event = add(tenant, timezone.now())
    connection.check_constraints()
    with caplog.at_level(logging.WARNING, "patron.trail"):
        partitions.ensure(connection)
    assert there().missing() == [present]
    assert partition_of(event) == partitions.DEFAULT
    assert [f"{there().month:%Y-%m}" in record.getMessage() for record in caplog.records] == [True]


def test_lines_in_the_default_partition_are_warned_of(tenant: Tenant) -> None:
    def warnings() -> list[str]:
        found = run_checks(tags=[Tags.database], databases=["default"])
        return [str(each.msg) for each in found if each.id == "tenants.W002"]

    add(tenant, timezone.now())
    assert warnings() == []
    add(tenant, LONG_AGO)
    add(tenant, LONG_AGO + timedelta(days=400))
    assert warnings() == ["The default partition of the audit trail has lines of 2001-05, 2002-06."]


@pytest.mark.django_db(transaction=True)
def test_workers_that_make_partitions_at_once_make_each_once() -> None:
    for by in range(1, 4):
        drop(partitions.name_of(ago(-by)))
    outcomes = at_once(4, lambda _: partitions.ensure(connection))
    assert [each for each in outcomes if each is not None] == []
    assert there().missing() == []
    triggers = run(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = %s", [f"{partitions.TABLE}_no_truncate"]
    )
    assert sorted(name for (name,) in triggers) == sorted([partitions.TABLE, *there().names])


# -- what guards them -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sql", ["TRUNCATE {}", "DELETE FROM {}", "UPDATE {} SET reason = 'none'"])
def test_nobody_rewrites_a_partition(tenant: Tenant, sql: str) -> None:
    """Not even in maintenance."""
    for moment in (timezone.now(), LONG_AGO):
        table = partition_of(add(tenant, moment))
        connection.check_constraints()
        run("SELECT set_config(%s, 'on', true)", [append_only.SETTING])
        with pytest.raises(DatabaseError, match=REFUSED):
            run(sql.format(table))
    assert AuditEvent.objects.count() == 2


def test_a_confined_request_reaches_no_partition(tenant: Tenant, other_tenant: Tenant) -> None:
    tables = {partition_of(add(each, moment)) for each in (tenant, other_tenant) for moment in (ago(0), LONG_AGO)}
    assert len(tables) == 2
    with isolation.Confinement(tenant):
        add(tenant, timezone.now(), action="sign_up")
        assert {event.tenant_id for event in AuditEvent.objects.all()} == {tenant.pk}
        for table in tables:
            for sql in ("SELECT * FROM {}", "INSERT INTO {} SELECT * FROM tenants_auditevent", "DELETE FROM {}"):
                with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
                    run(sql.format(table))


# -- what is maintained -----------------------------------------------------------------------------------------------
def test_maintenance_reaches_every_partition(tenant: Tenant, other_tenant: Tenant) -> None:
    make(ago(5))
    tenant_events = [add(tenant, moment) for moment in (ago(5), LONG_AGO)]
    assert len({partition_of(event) for event in tenant_events}) == 2
    assert maintenance.blank_due() == 2
    assert not AuditEvent.objects.exclude(user_agent="").exists()
    gone = Tenant.objects.create(code="gone", number=7, name="")
    for moment in (ago(5), timezone.now(), LONG_AGO):
        add(gone, moment)
    run("DELETE FROM tenants_tenant WHERE id = %s", [gone.pk])
    assert maintenance.remove_events_of(tenant_id=gone.pk) == 3
    assert {event.tenant_id for event in AuditEvent.objects.all()} == {tenant.pk}


def test_an_erasure_is_carried_out_and_proven_after_its_month_was_dropped(tenant: Tenant) -> None:
    customer = make_customer(tenant)
    erasure.erase(tenant=tenant, customer=customer, client=CLIENT)
    drop(partitions.name_of(ago(0)))
    assert not AuditEvent.objects.exists()
    late = add(tenant, timezone.now(), customer_number=customer.number)
    connection.check_constraints()
    assert maintenance.blank_erased(tenant=tenant, customer_number=customer.number) == 1
    late.refresh_from_db()
    assert (late.address, late.user_agent, late.device) == (None, "", "")
    call_command("verify_receipts")


# -- what is dropped --------------------------------------------------------------------------------------------------
def test_retention_drops_whole_months_that_are_over(tenant: Tenant, settings: Settings, caplog: Any) -> None:
    kept, old, older = (make(ago(months)) for months in (4, 5, 17))
    events = {months: add(tenant, ago(months)) for months in (0, 4, 5, 17)}
    astray = add(tenant, LONG_AGO)
    connection.check_constraints()
    before = there().names
    retention.purge()
    assert there().names == before
    connection.check_constraints()
    settings.AUDIT_TRAIL_MONTHS = 4
    with caplog.at_level(logging.INFO, "patron.trail"):
        retention.purge()
    assert there().names == before - {old, older}
    assert kept in there().names
    assert set(AuditEvent.objects.all()) == {events[0], events[4], astray}
    [said] = [record.getMessage() for record in caplog.records]
    assert said == f"Dropped of the audit trail, which is kept for 4 months: {older}, {old}"
    assert partitions.drop_older(connection, months=4) == []


def test_the_workers_own_clock_drops_nothing(tenant: Tenant, settings: Settings, pass_time: Any) -> None:
    settings.AUDIT_TRAIL_MONTHS = 4
    before = there().names
    pass_time(timedelta(days=4000))
    retention.purge()
    assert there().names == before


@pytest.fixture
def old() -> Iterator[str]:
    """A partition that is too old, committed."""
    name = make(ago(9))
    yield name
    run(f"DROP TABLE IF EXISTS {name}")


@pytest.mark.django_db(transaction=True)
def test_workers_that_drop_a_month_at_once_drop_it_once(old: str) -> None:
    outcomes = at_once(4, lambda _: partitions.drop_older(connection, months=4))
    assert sorted(str(each) for each in outcomes) == sorted(["[]", "[]", "[]", f"['{old}']"])


@pytest.mark.django_db(transaction=True)
def test_a_month_that_is_read_is_dropped_later(old: str, settings: Settings) -> None:
    settings.AUDIT_TRAIL_MONTHS = 4
    params = connection.get_connection_params() | {"cursor_factory": None, "context": None}
    with psycopg.connect(**{name: value for name, value in params.items() if value is not None}) as other:
        other.execute(f"SELECT count(*) FROM {partitions.TABLE}")
        retention.purge()
        assert old in there().names
    retention.purge()
    assert old not in there().names


def test_a_cursor_of_a_dropped_month_is_refused_and_a_new_reader_gets_what_is_there(
    tenant: Tenant, committed: None
) -> None:
    make(ago(9))
    told: dict[str, Any] = {"events": "customer.updated", "details": {"fields": []}}
    dropped, kept, new = (
        add(tenant, moment, customer_number=number, transaction_id=xid, **told)
        for moment, number, xid in ((ago(9), "1", 5), (ago(0), "2", 5), (ago(0), "3", 6))
    )
    first = feed.read(tenant=tenant, after=feed.START, limit=1)
    assert ([event["subject"] for event in first.events], first.cursor) == (["1"], feed.cursor_of(dropped))
    second = feed.read(tenant=tenant, after=first.cursor, limit=1)
    connection.check_constraints()
    assert partitions.drop_older(connection, months=4)
    with pytest.raises(feed.EventsGone):
        feed.read(tenant=tenant, after=first.cursor)
    assert [event["subject"] for event in feed.read(tenant=tenant, after=second.cursor).events] == ["3"]
    anew = feed.read(tenant=tenant, after=feed.START)
    assert [event["subject"] for event in anew.events] == ["2", "3"]
    assert anew.cursor == feed.cursor_of(new) > feed.cursor_of(kept)


# -- how they are read ------------------------------------------------------------------------------------------------
def scanned(sql: str, params: Any = ()) -> list[dict[str, Any]]:
    """The parts of the plan that read the trail."""
    [(text,)] = run(f"EXPLAIN (FORMAT JSON) {sql}", list(params))
    return [node for node in nodes(text[0]["Plan"]) if str(node.get("Relation Name", "")).startswith(partitions.TABLE)]


def test_no_partition_is_read_from_end_to_end(tenant: Tenant) -> None:
    for months in range(1, 7):
        make(ago(months))
    for moment in (*(ago(months) for months in range(-3, 7)), LONG_AGO):  # one that is empty is small
        add(tenant, moment, events="customer.updated")
    connection.check_constraints()
    grow()
    own = AuditEvent.objects.for_tenant(tenant).filter(customer_number="10000001")
    read = {
        "feed": feed.rows_after(tenant=tenant, after=feed.Cursor(1, 1))[:100],
        "newest": own.order_by("-at", "-pk")[:20],
        "failed": own.filter(action=audit.LOG_IN, is_success=False).order_by("-at")[:50],
        "history": own.filter(action__in=security_history.ACTIONS).order_by("-pk")[:51],
        "by key": AuditEvent.objects.filter(pk__in=[1, 2, 3]),
    }
    for name, rows in read.items():
        sql, params = rows.query.sql_with_params()
        found = scanned(sql, params)
        assert found, name
        assert {node["Node Type"] for node in found} <= {"Index Scan", "Bitmap Heap Scan", "Index Only Scan"}, name
    for sql in (append_only.maintenance(append_only.POSTGRESQL)[0], append_only.erasure("1", "'10000001'")):
        assert {node["Node Type"] for node in scanned(sql)} <= {"ModifyTable", "Index Scan", "Bitmap Heap Scan"}, sql


def test_what_names_its_time_reads_that_month_alone(tenant: Tenant) -> None:
    recent = AuditEvent.objects.for_tenant(tenant).filter(
        customer_number="10000001", at__gt=timezone.now() - timedelta(minutes=1), at__lte=timezone.now()
    )
    names = {node["Relation Name"] for node in scanned(*recent.query.sql_with_params())}
    assert names <= {partitions.name_of(ago(by)) for by in (0, 1)}
    assert partitions.name_of(ago(0)) in names


def test_a_trail_of_one_table_stays_as_it_is() -> None:
    """As on SQLite, or before the tables are made: nothing is made, dropped or looked for."""
    make_tenant()
    connection.check_constraints()
    run(f"ALTER TABLE {partitions.TABLE} RENAME TO elsewhere")
    assert partitions.read(connection) is None
    partitions.look_after(connection, months=4)
    assert partitions.months_in_default(connection) == []
