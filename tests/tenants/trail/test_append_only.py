"""A trail can't be rewritten, not even by a query that bypasses the model: what passes blanks from where something was
done, after the tenant's period or an erasure, or removes the events of a tenant that is gone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.migrations.state import StateApps
from django.utils import timezone

from auth_providers import retention
from customers import erasure
from customers.models import Customer
from tenants import isolation
from tenants.models import AuditEvent, StaffEvent, Tenant
from tenants.trail import append_only, audit, maintenance, staff_trail
from tests.factories import CLIENT, make_customer

DAY = timedelta(days=1)
TABLES = [trail.table for trail in append_only.trails(append_only.SQLITE) if trail.is_maintained]
REFUSED = r"never changed"
BLANK = "address = NULL, user_agent = ''"


def add(tenant: Tenant, *, age: timedelta = timedelta(0), **values: Any) -> AuditEvent:
    """An event that happened some time ago by the clock of the database, with all that an event can tell."""
    known: dict[str, Any] = {
        "action": "log_in",
        "customer_number": "00000001",
        "address": CLIENT.address,
        "user_agent": CLIENT.user_agent,
        "device": "a device",
    }
    event = AuditEvent(tenant=tenant, at=timezone.now() - age, **known | values)
    event.save(force_insert=True)
    return event


def add_staff(age: timedelta = timedelta(0)) -> StaffEvent:
    event = StaffEvent(
        at=timezone.now() - age,
        action=staff_trail.LOG_IN,
        username="clara",
        address=CLIENT.address,
        subscriber=CLIENT.subscriber,
        user_agent=CLIENT.user_agent,
    )
    event.save(force_insert=True)
    return event


def client_of(event: AuditEvent) -> tuple[str | None, str, str]:
    event.refresh_from_db()
    return event.address, event.user_agent, event.device


def run(sql: str, params: list[Any] | None = None) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


@pytest.fixture
def in_maintenance() -> None:
    """On PostgreSQL the setting that the function sets: who sets it by hand gets no further than the function does."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, 'on', true)", [append_only.SETTING])


# -- what is refused --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("age", [timedelta(0), 1000 * DAY])
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE {table} SET reason = 'none'",
        "UPDATE {table} SET address = '192.0.2.99'",
        "UPDATE {table} SET user_agent = 'another'",
        "UPDATE {table} SET address = NULL, user_agent = '', action = 'nothing'",
        "UPDATE {table} SET address = NULL, user_agent = '', at = CURRENT_TIMESTAMP",
        "DELETE FROM {table}",
        "DELETE FROM {table} WHERE id > 0",
    ],
)
def test_nobody_rewrites_a_trail(tenant: Tenant, in_maintenance: None, table: str, sql: str, age: timedelta) -> None:
    add(tenant, age=age)
    add_staff(age)
    with pytest.raises(DatabaseError, match=REFUSED):
        run(sql.format(table=table))
    assert AuditEvent.objects.count() == StaffEvent.objects.count() == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="is about SQLite")
@pytest.mark.parametrize("table", TABLES)
def test_nobody_replaces_an_event(tenant: Tenant, table: str) -> None:
    add(tenant)
    add_staff()
    for _ in range(2):
        with pytest.raises(IntegrityError, match=REFUSED):
            run(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    with pytest.raises(IntegrityError, match=REFUSED):
        run(f"REPLACE INTO {table} SELECT * FROM {table}")


@pytest.mark.postgres
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("sql", ["TRUNCATE {table}", "TRUNCATE {table} CASCADE"])
def test_nobody_truncates_a_trail(tenant: Tenant, in_maintenance: None, table: str, sql: str) -> None:
    add(tenant)
    connection.check_constraints()  # PostgreSQL truncates no table that still has to be checked
    with pytest.raises(DatabaseError, match=REFUSED):
        run(sql.format(table=table))


@pytest.mark.postgres
def test_what_the_function_may_do_the_owner_may_not(tenant: Tenant) -> None:
    event = add(tenant, age=91 * DAY)
    with pytest.raises(DatabaseError, match=REFUSED):
        run(f"UPDATE tenants_auditevent SET {BLANK}")
    assert maintenance.blank_due() == 1
    assert client_of(event)[0] is None
    with connection.cursor() as cursor:  # and the setting ended with the call
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [append_only.SETTING])
        assert cursor.fetchone()[0] != "on"


def test_blanking_takes_no_device_while_nobody_is_erased(tenant: Tenant, in_maintenance: None) -> None:
    add(tenant, age=91 * DAY)
    with pytest.raises(DatabaseError, match=REFUSED):
        run(f"UPDATE tenants_auditevent SET {BLANK}, device = ''")


def test_what_is_young_is_not_blanked(tenant: Tenant, in_maintenance: None) -> None:
    add(tenant, age=89 * DAY)
    add_staff(89 * DAY)
    for sql in (
        f"UPDATE tenants_auditevent SET {BLANK}",
        f"UPDATE tenants_staffevent SET {BLANK}, subscriber = ''",
    ):
        with pytest.raises(DatabaseError, match=REFUSED):
            run(sql)


# -- what the maintenance does ----------------------------------------------------------------------------------------
def test_address_and_browser_end_with_the_tenants_period(tenant: Tenant, other_tenant: Tenant) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(audit_client_lifetime=10 * DAY.total_seconds())
    old, young = add(tenant, age=91 * DAY), add(tenant, age=89 * DAY)
    old_there, young_there = add(other_tenant, age=11 * DAY), add(other_tenant, age=9 * DAY)
    assert retention.purge() == 2
    assert client_of(old) == client_of(old_there) == (None, "", "a device")
    for event in (young, young_there):
        assert client_of(event) == (CLIENT.address, CLIENT.user_agent, "a device")
    assert retention.purge() == 0


def test_where_staff_logged_in_from_ends_after_90_days(db: None) -> None:
    old, young = add_staff(91 * DAY), add_staff(89 * DAY)
    assert maintenance.blank_due() == 1
    for event, expected in ((old, (None, "", "")), (young, (CLIENT.address, CLIENT.subscriber, CLIENT.user_agent))):
        event.refresh_from_db()
        assert (event.address, event.subscriber, event.user_agent) == expected


def test_it_goes_on_until_all_is_blank(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    AuditEvent.objects.bulk_create(
        AuditEvent(tenant=tenant, at=timezone.now() - 91 * DAY, action="log_in", user_agent="u")
        for _ in range(append_only.AT_ONCE + 1)
    )
    assert maintenance.blank_due() == append_only.AT_ONCE + 1
    assert not AuditEvent.objects.exclude(user_agent="").exists()


def test_an_erasure_blanks_the_events_of_its_customer_at_once(tenant: Tenant, other_tenant: Tenant) -> None:
    customer, twin = make_customer(tenant), make_customer(other_tenant)
    assert customer.number == twin.number
    own = add(tenant, customer_number=customer.number)
    of_staff = add(tenant, customer_number=customer.number, staff_username="clara")
    others = [add(tenant, customer_number="00000099"), add(other_tenant, customer_number=twin.number)]
    erasure.erase(tenant=tenant, customer=customer, client=CLIENT)
    erased = AuditEvent.objects.get(action=append_only.ERASED)
    assert client_of(own) == client_of(erased) == (None, "", "")
    for event in (of_staff, *others):
        assert client_of(event) == (CLIENT.address, CLIENT.user_agent, "a device")


@pytest.mark.postgres
def test_a_confined_request_blanks_by_the_function_alone(tenant: Tenant) -> None:
    customer = make_customer(tenant)
    event = add(tenant, customer_number=customer.number)
    with isolation.Confinement(tenant):
        erasure.erase(tenant=tenant, customer=customer, client=CLIENT)
        with pytest.raises(DatabaseError, match="permission denied"):
            run(f"UPDATE tenants_auditevent SET {BLANK}")
    assert client_of(event) == (None, "", "")


def test_nothing_is_blanked_of_a_customer_who_is_there(tenant: Tenant) -> None:
    customer = make_customer(tenant)
    add(tenant, customer_number=customer.number)
    with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
        maintenance.blank_erased(tenant=tenant, customer_number=customer.number)


def test_blanked_events_of_an_erased_customer_are_counted(tenant: Tenant, other_tenant: Tenant) -> None:
    customer, other = make_customer(tenant), make_customer(tenant, email="grace@example.com")
    erased = [add(tenant, customer_number=customer.number) for _ in range(2)]
    staffs = add(tenant, customer_number=customer.number, staff_username="clara")
    beside = [add(tenant, customer_number=other.number), add(other_tenant, customer_number=customer.number)]
    own = AuditEvent.objects.for_tenant(tenant).filter(customer_number=customer.number, staff_username="")
    Customer.objects.filter(pk=customer.pk).update(erased_at=timezone.now())
    count = own.count()
    assert count > len(erased)  # the sign-up is among them
    assert maintenance.blank_erased(tenant=tenant, customer_number=customer.number) == count
    assert [client_of(each) for each in erased] == [(None, "", "")] * 2
    for each in (staffs, *beside):
        assert client_of(each) == (CLIENT.address, CLIENT.user_agent, "a device")
    assert maintenance.blank_erased(tenant=tenant, customer_number=customer.number) == 0


def test_the_events_of_a_tenant_go_with_it_and_not_before(db: None) -> None:
    gone, there = (
        Tenant.objects.create(code=code, number=number, name="") for number, code in ((7, "gone"), (8, "there"))
    )
    add(gone)
    add(there)
    with pytest.raises(DatabaseError, match=REFUSED), transaction.atomic():
        maintenance.remove_events_of(tenant_id=gone.pk)
    with transaction.atomic():
        run("DELETE FROM tenants_tenant WHERE id = %s", [gone.pk])
        assert maintenance.remove_events_of(tenant_id=gone.pk) == 1
    connection.check_constraints()
    assert AuditEvent.objects.get().tenant == there


def test_a_tenant_does_not_go_without_its_events(db: None) -> None:
    gone = Tenant.objects.create(code="gone", number=7, name="")
    add(gone)
    run("DELETE FROM tenants_tenant WHERE id = %s", [gone.pk])
    with pytest.raises(IntegrityError):
        connection.check_constraints()
    connection.set_rollback(True)


# -- where the triggers come from -------------------------------------------------------------------------------------
@pytest.mark.skipif(connection.vendor != "sqlite", reason="is about SQLite")
@pytest.mark.django_db(transaction=True)
def test_on_sqlite_a_migration_leaves_the_triggers(tenants_made_anew: Callable[[], None]) -> None:
    append_only.drop_sqlite_triggers(connection)
    tenants_made_anew()
    call_command("migrate", verbosity=0)
    tenant = Tenant.objects.create(code="acme", number=1, name="")
    audit.record(tenant=tenant, action="log_in")
    with pytest.raises(DatabaseError, match=REFUSED):
        run("UPDATE tenants_auditevent SET reason = 'none'")


@pytest.mark.postgres
def test_a_migration_in_reverse_leaves_nothing_that_refuses(db: None) -> None:
    functions = "SELECT count(*) FROM pg_proc WHERE proname LIKE '%%_refuse' OR proname = %s"
    with connection.cursor() as cursor:
        cursor.execute(functions, [append_only.FUNCTION])
        assert cursor.fetchone()[0] > len(append_only.trails(append_only.POSTGRESQL))
        with connection.schema_editor(atomic=False) as editor:
            append_only.unguard(editor, app="customers")
            append_only.drop_triggers(StateApps([], {}), editor)
        cursor.execute(functions, [append_only.FUNCTION])
        assert cursor.fetchone()[0] == 0


@pytest.fixture
def tenants_made_anew() -> Callable[[], None]:
    """Does what a migration does that changes the tables of tenants and events."""

    def make() -> None:
        with connection.constraint_checks_disabled(), connection.schema_editor() as editor:
            for model in (Tenant, AuditEvent):
                editor._remake_table(model)  # type: ignore[attr-defined]

    return make
