"""No column of a trail, of a receipt or of a consent is changed by an UPDATE, nor a row removed, whoever asks: from the
models, so that a new column is held to it. On PostgreSQL also in maintenance, and by TRUNCATE."""

from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from customers import consents
from customers.models import Customer
from tenants import isolation
from tenants.models import Tenant
from tenants.trail import append_only, partitions, receipts, staff_trail
from tests.factories import CLIENT, make_customer

TRAILS = append_only.trails(append_only.SQLITE)
COLUMNS = [
    (trail, field)
    for trail in TRAILS
    for model in apps.get_models()
    if model._meta.db_table == trail.table
    for field in model._meta.local_concrete_fields
]
# What makes another value of the same type, in the SQL of both databases; {} is the column.
OTHER: dict[type[models.Field[Any, Any]], str] = {
    models.BooleanField: "NOT {}",
    models.IntegerField: "COALESCE({}, 0) + 7",
    models.BigIntegerField: "COALESCE({}, 0) + 7",
    models.BigAutoField: "{} + 700",
    models.ForeignKey: "{} + 700",
    models.DateTimeField: "'2001-01-01 00:00:00'",
    models.UUIDField: "'0123456789abcdef0123456789abcdef'",
    models.GenericIPAddressField: "'192.0.2.99'",
    models.BinaryField: "NULL",
    models.JSONField: """'{{"a": 1}}'""",
    models.CharField: "'another'",
}


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    """With a row in each table."""
    made = make_customer(tenant)
    consents.record(tenant=tenant, customer=made, client=CLIENT, given={"email": True}, source="shop")
    receipts.chain_due()
    staff_trail.record(action=staff_trail.LOG_IN, username="clara", client=CLIENT)
    connection.check_constraints()  # PostgreSQL truncates no table that still has to be checked
    return made


def refuse(sql: str) -> None:
    table = sql.split()[1 if sql.startswith("UPDATE") else 2].strip('"')
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        before = cursor.fetchone()
        assert before[0]
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            cursor.execute(sql)
        cursor.execute(f'SELECT count(*) FROM "{table}"')
        assert cursor.fetchone() == before


def maintain() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config(%s, 'on', true)", [append_only.SETTING])


@pytest.mark.parametrize("is_maintaining", [False, True])
@pytest.mark.parametrize(
    ("trail", "field"), COLUMNS, ids=lambda each: getattr(each, "table", getattr(each, "name", ""))
)
def test_no_column_is_changed(customer: Customer, trail: append_only.Trail, field: Any, is_maintaining: bool) -> None:
    kind = next(each for each in type(field).__mro__ if each in OTHER)
    if is_maintaining:
        maintain()
    refuse(f'UPDATE "{trail.table}" SET "{field.column}" = {OTHER[kind].format(field.column)}')


@pytest.mark.parametrize("trail", TRAILS, ids=lambda each: each.table)
def test_no_row_is_removed(customer: Customer, trail: append_only.Trail) -> None:
    refuse(f'DELETE FROM "{trail.table}"')
    maintain()
    refuse(f'DELETE FROM "{trail.table}"')


@pytest.mark.postgres
@pytest.mark.parametrize("trail", TRAILS, ids=lambda each: each.table)
def test_no_table_is_truncated(customer: Customer, trail: append_only.Trail) -> None:
    """Nor with the tables that it refers to, and in none of the ways to ask for it."""
    for is_maintaining in (False, True):
        if is_maintaining:
            maintain()
        refuse(f'TRUNCATE TABLE "{trail.table}"')
        refuse(f'TRUNCATE TABLE "{trail.table}" RESTART IDENTITY CASCADE')
    with connection.cursor() as cursor:
        for target in (Tenant, Customer):
            with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
                cursor.execute(f'TRUNCATE TABLE "{target._meta.db_table}" CASCADE')


@pytest.mark.postgres
@pytest.mark.parametrize("trail", TRAILS, ids=lambda each: each.table)
def test_a_confined_request_removes_and_truncates_nothing(customer: Customer, trail: append_only.Trail) -> None:
    for sql in (f'DELETE FROM "{trail.table}"', f'TRUNCATE TABLE "{trail.table}"'):
        refused = pytest.raises(DatabaseError, match=r"never changed|permission denied")
        with isolation.Confinement(customer.tenant), connection.cursor() as cursor, refused, transaction.atomic():
            cursor.execute(sql)


@pytest.mark.parametrize("trail", TRAILS, ids=lambda each: each.table)
def test_an_insert_replaces_no_row(customer: Customer, trail: append_only.Trail) -> None:
    """The UPDATE that hides in an INSERT."""
    model = next(each for each in apps.get_models() if each._meta.db_table == trail.table)
    columns = ", ".join(f'"{field.column}"' for field in model._meta.local_concrete_fields)
    changed = {"tenants_receipt": "kind", "customers_consent": "purpose"}.get(trail.table, "action")
    is_partitioned = trail.table == partitions.TABLE and connection.vendor == "postgresql"
    key = f'"{model._meta.pk.column}"' + ', "at"' * is_partitioned
    sql = (
        f'INSERT INTO "{trail.table}" ({columns}) SELECT {columns} FROM "{trail.table}" WHERE true '
        f"ON CONFLICT ({key}) DO UPDATE SET {changed} = 'another'"
    )
    refuse(sql)
