"""Row level security: what PostgreSQL does with a query that forgets the tenant."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, DataError, IntegrityError, connection, transaction
from django.db.models import ForeignKey
from django.utils import timezone

from auth_providers.models import CustomerMerge, PendingSignUp, UnfinishedErasure
from customers.models import Consent, Customer, Note
from tenants import isolation
from tenants.models import AuditEvent, Tenant
from tests import factories
from tests.neighbours import Neighbours

LONGEST_NAME = 63  # bytes that PostgreSQL keeps of one

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def customers(tenant: Tenant, other_tenant: Tenant) -> tuple[Customer, Customer]:
    return factories.make_customer(tenant), factories.make_customer(other_tenant)


def test_a_confined_query_without_a_filter_sees_its_own_tenant_only(customers: tuple[Customer, Customer]) -> None:
    mine, theirs = customers
    with isolation.Confinement(mine.tenant):
        assert list(Customer.objects.all()) == [mine]
    with isolation.Confinement(theirs.tenant):
        assert list(Customer.objects.all()) == [theirs]
    assert Customer.objects.count() == 2


def test_a_confined_write_does_not_reach_another_tenant(customers: tuple[Customer, Customer]) -> None:
    mine, theirs = customers
    with isolation.Confinement(mine.tenant):
        assert Customer.objects.update(first_name="Mallory") == 1
        with pytest.raises(DatabaseError), transaction.atomic():
            Customer(tenant=theirs.tenant, number="99999999").save()
    theirs.refresh_from_db()
    assert theirs.first_name is None


def test_a_confined_request_cannot_read_staff_or_rewrite_the_trail(customers: tuple[Customer, Customer]) -> None:
    with isolation.Confinement(customers[0].tenant):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT * FROM auth_user")
        with pytest.raises(DatabaseError), transaction.atomic():
            AuditEvent.objects.all().delete()


def test_confinement_lasts_through_savepoints_and_ends_afterwards(customers: tuple[Customer, Customer]) -> None:
    mine, _ = customers
    with isolation.Confinement(mine.tenant):
        with pytest.raises(DatabaseError), transaction.atomic():
            Customer.objects.filter(pk=mine.pk).update(version=0)
        assert list(Customer.objects.all()) == [mine]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM auth_user")


def test_every_tenant_owned_table_has_row_level_security(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_policies WHERE policyname = 'tenant_isolation'")
        walled = {row[0] for row in cursor.fetchall()}
        cursor.execute("SELECT relname FROM pg_class WHERE relrowsecurity")
        enabled = {row[0] for row in cursor.fetchall()}
    assert {model._meta.db_table for model in isolation.owned_models()} == walled == enabled


def test_a_confined_statement_takes_no_extra_round_trip(
    customers: tuple[Customer, Customer], statements: Callable[[Callable[[], object]], list[str]]
) -> None:
    with isolation.Confinement(customers[0].tenant):
        assert len(statements(lambda: list(Customer.objects.all()))) == 1


def fail_in_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


def fail_in_python() -> None:
    Customer.objects.get(pk=0)


@pytest.mark.parametrize(
    ("act", "error"),
    [(fail_in_the_database, DataError), (fail_in_python, Customer.DoesNotExist)],
    ids=["in the database", "in Python"],
)
@pytest.mark.parametrize("caller", [nullcontext, transaction.atomic], ids=["autocommit", "in a transaction"])
@pytest.mark.django_db(transaction=True)
def test_an_error_surfaces_unchanged_and_ends_the_confinement(
    act: Callable[[], None], error: type[Exception], caller: Callable[[], AbstractContextManager[None]]
) -> None:
    mine, other = factories.make_tenant(), factories.make_tenant("globex")
    factories.make_customer(other)
    with pytest.raises(error) as raised, caller(), isolation.Confinement(mine):
        act()
    assert type(raised.value) is error
    assert not isinstance(raised.value.__context__, DatabaseError)
    assert Customer.objects.count() == 1


def test_an_error_that_the_caller_survives_ends_the_confinement(customers: tuple[Customer, Customer]) -> None:
    """In one transaction: the next statement is not confined."""
    with pytest.raises(Customer.DoesNotExist), isolation.Confinement(customers[0].tenant):
        fail_in_python()
    assert Customer.objects.count() == 2
    with pytest.raises(DataError), transaction.atomic(), isolation.Confinement(customers[0].tenant):
        fail_in_the_database()
    assert Customer.objects.count() == 2


def test_every_reference_between_tenants_rows_carries_the_tenant(db: None) -> None:
    """From the models: a new one without its second key fails here. The key compares like with like, and every row."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conrelid::regclass::text, confrelid::regclass::text, condeferred, convalidated,
                (SELECT array_agg(attname::text ORDER BY place)
                    FROM unnest(conkey) WITH ORDINALITY AS key (number, place)
                    JOIN pg_attribute ON attrelid = conrelid AND attnum = number),
                (SELECT array_agg(attname::text ORDER BY place)
                    FROM unnest(confkey) WITH ORDINALITY AS key (number, place)
                    JOIN pg_attribute ON attrelid = confrelid AND attnum = number)
            FROM pg_constraint WHERE contype = 'f' AND array_length(conkey, 1) = 2
            """
        )
        bound = {(*row[:4], *row[4], *row[5]) for row in cursor.fetchall()}
    expected = {
        (
            *(model._meta.db_table, field.related_model._meta.db_table, True, True),
            *("tenant_id", field.column, "tenant_id", field.target_field.column),
        )
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
        if isinstance(field, ForeignKey) and has_tenant(model) and has_tenant(field.related_model)
    }
    assert bound == expected
    assert len(expected) == len(isolation.references()) > 20


def has_tenant(model: Any) -> bool:
    return any(field.name == "tenant" for field in model._meta.local_fields)


def test_every_table_with_a_tenant_is_owned() -> None:
    """Row level security and the second keys are for these."""
    assert [model for model in apps.get_models(include_auto_created=True) if has_tenant(model)] == (
        isolation.owned_models()
    )


@pytest.mark.parametrize("reference", isolation.references(), ids=lambda each: f"{each.table}.{each.column}")
def test_no_row_names_one_of_another_tenant(reference: isolation.Reference, neighbours: Neighbours) -> None:
    """By a query that nothing confines, as of staff, commands and the worker."""
    add_what_is_rare(neighbours)
    table, column = reference.table, reference.column
    naming = (
        f'SELECT own.tenant_id, theirs."{reference.target_key}" FROM "{table}" own, "{reference.target}" theirs '
        "WHERE own.tenant_id <> theirs.tenant_id LIMIT 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(naming)
        tenant_id, target = cursor.fetchone()
    if table == Consent._meta.db_table:  # is never changed
        act: Callable[[], object] = partial(
            Consent.objects.create, tenant_id=tenant_id, customer_id=target, purpose="x", is_given=True, source="shop"
        )
    else:
        one = f'SELECT ctid FROM "{table}" WHERE tenant_id = %s ORDER BY "{column}" IS NULL LIMIT 1'
        act = partial(run, f'UPDATE "{table}" SET "{column}" = %s WHERE ctid = ({one})', [target, tenant_id])
    with pytest.raises(IntegrityError, match=reference.constraint[:LONGEST_NAME]), transaction.atomic(), checked():
        act()


def add_what_is_rare(neighbours: Neighbours) -> None:
    """Rows that not even neighbours have."""
    customer, account = neighbours.beside.customer, factories.account_of_email(neighbours.beside.customer)
    tenant, merged = customer.tenant, factories.make_customer(customer.tenant, email="merged@example.com")
    UnfinishedErasure.objects.create(tenant=tenant, customer=customer)
    CustomerMerge.objects.create(tenant=tenant, customer=customer, merged=merged, expires_at=timezone.now())
    PendingSignUp.objects.create(tenant=tenant, account=account, expires_at=timezone.now())


def run(sql: str, params: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_a_row_that_names_another_tenants_row_is_refused(customers: tuple[Customer, Customer]) -> None:
    mine, theirs = customers
    with pytest.raises(IntegrityError, match="of_tenant"), transaction.atomic(), checked():
        Consent.objects.create(tenant=mine.tenant, customer=theirs, purpose="email", is_given=True, source="shop")
    with checked():
        Note.objects.create(tenant=mine.tenant, customer=mine, text="Calls on Mondays.", staff_username="clara")
    with pytest.raises(IntegrityError, match="of_tenant"), transaction.atomic(), checked():
        Note.objects.update(customer=theirs)
    with pytest.raises(IntegrityError, match="of_tenant"), transaction.atomic(), checked():
        Customer.objects.filter(pk=mine.pk).update(tenant=theirs.tenant, number="99999999")


@contextmanager
def checked() -> Iterator[None]:
    """Foreign keys are checked at the end of the block; otherwise they are at the end of a transaction."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_no_index_is_of_the_tenant_alone() -> None:
    """As long as a table has no statistics, it would be taken to find one row, and all of the tenant be read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index "
            "JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0] "
            "WHERE indrelid = ANY(%s::regclass[]) AND indnatts = 1 AND attname = 'tenant_id' "
            "AND NOT indisunique AND indpred IS NULL",
            [[model._meta.db_table for model in isolation.owned_models()]],
        )
        assert cursor.fetchall() == []
