"""What a failed statement leaves behind for those that come after it."""

from contextlib import nullcontext
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.db.transaction import TransactionManagementError

from customers.models import Customer
from tenants.compiled import connections, pipeline, transactions, writes
from tenants.compiled.queries import compiled, together
from tenants.models import AuditEvent
from tests import factories

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@compiled
def _with_key(*, key: int) -> QuerySet[Customer]:
    return Customer.objects.filter(pk=key)


@compiled
def _with_first_name(*, first_name: str) -> QuerySet[Customer]:
    return Customer.objects.filter(first_name=first_name)


def count_prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements")
        return int(cursor.fetchone()[0])


def test_what_is_prepared_stays_so_and_is_not_prepared_again() -> None:
    connection.close()
    counts = []
    for _ in range(4):
        assert _with_first_name(first_name="Ada") == []
        with pytest.raises(DataError):
            _with_key(key=2**70)
        counts.append(count_prepared())
    assert counts == [2] * 4


def test_what_the_failure_kept_from_being_prepared_is_prepared_later() -> None:
    connection.close()
    with pytest.raises(DataError):
        together(_with_key.asked(key=2**70), _with_first_name.asked(first_name="Ada"))
    for _ in range(2):
        assert together(_with_key.asked(key=1), _with_first_name.asked(first_name="Ada")) == ([], [])
    assert count_prepared() == 2


def test_a_table_whose_columns_change_is_read_on() -> None:
    """As a migration does it while the previous release runs."""
    tenant = factories.make_tenant()
    customer = factories.make_customer(tenant, first_name="Ada")
    assert _with_first_name(first_name="Ada") == [customer]
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_customer ALTER first_name TYPE varchar(300)")
        try:
            assert _with_first_name(first_name="Ada") == [customer]
        finally:
            cursor.execute("ALTER TABLE customers_customer ALTER first_name TYPE varchar(255)")


def test_a_transaction_that_begins_with_such_a_table_goes_on_and_another_one_can_be_repeated() -> None:
    customer = factories.make_customer(factories.make_tenant(), first_name="Ada")
    for act, length in ((lambda: None, 300), (Customer.objects.count, 301)):
        assert _with_first_name(first_name="Ada") == [customer]
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE customers_customer ALTER first_name TYPE varchar({length})")
        try:
            with nullcontext() if length == 300 else pytest.raises(OperationalError), transaction.atomic():
                act()
                assert _with_first_name(first_name="Ada") == [customer]
            assert _with_first_name(first_name="Ada") == [customer]
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ALTER TABLE customers_customer ALTER first_name TYPE varchar(255)")


def test_an_interruption_is_over_with_the_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "_results", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _with_first_name(first_name="Ada")
    connections.close_lost()
    assert Customer.objects.count() == 0


def test_what_waited_is_not_left_out_of_what_goes_on() -> None:
    """psycopg refuses a NUL character itself, so that the database does not know of it and would commit the rest."""
    tenant = factories.make_tenant()
    with transactions.brief():
        writes.insert(AuditEvent(tenant=tenant, action="first"), waits=True)
        with pytest.raises(DataError):
            writes.insert(AuditEvent(tenant=tenant, action="\0"))
        with pytest.raises(TransactionManagementError):
            writes.insert(AuditEvent(tenant=tenant, action="last"))
    assert AuditEvent.objects.count() == 0


def test_answers_are_taken_while_more_is_sent_than_the_socket_holds() -> None:
    """The database waits for that, and would wait until the connection was given up."""
    size = 20_000_000
    factories.make_customer(factories.make_tenant(), first_name="Ada")
    Customer.objects.update(properties={"a": "b" * size})
    found, others = together(_with_first_name.asked(first_name="Ada"), _with_first_name.asked(first_name="x" * size))
    assert (len(found), others) == (1, [])
