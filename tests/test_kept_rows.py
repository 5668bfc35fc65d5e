"""What a test starts from is the same whichever test was before it."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from customers.models import Customer
from tenants.models import Tenant
from tests import factories, kept_rows
from tests.contracts.calls import rolled_back
from tests.kept_rows import KeptRows, Values


def insert_tenant(_: Values) -> Tenant:
    cache.set("inserted", "tenant")
    return factories.make_tenant()


def insert_customer(kept: Values) -> tuple[Tenant, Customer]:
    kept["tenant"].name = "renamed"
    return kept["tenant"], factories.make_customer(kept["tenant"])


@pytest.fixture
def rows(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[KeptRows]:
    monkeypatch.setattr(kept_rows, "MAKERS", {"tenant": insert_tenant, "customer": insert_customer})
    rows = KeptRows()
    yield rows
    rows.start_from([])


def test_the_next_test_finds_the_rows_and_nothing_of_what_was_done_to_them(rows: KeptRows) -> None:
    rows.start_from(["tenant"])
    inserted: Tenant = rows.value("tenant")
    created_at, name = inserted.created_at, inserted.name
    with rolled_back():
        Tenant.objects.update(name="changed")
        inserted.name = "changed"
    rows.start_from(["tenant"])
    assert Tenant.objects.values_list("name", "created_at").get() == (name, created_at)
    assert rows.value("tenant").name == name


def test_rows_that_the_next_test_does_not_start_from_are_gone(rows: KeptRows) -> None:
    rows.start_from(["tenant", "customer"])
    assert rows.value("tenant").name == "renamed"
    assert rows.value("customer")[0] is rows.value("tenant")
    rows.start_from(["tenant"])
    assert not Customer.objects.exists()
    assert rows.value("tenant").name == Tenant.objects.get().name != "renamed"
    rows.start_from([])
    assert not Tenant.objects.exists()


def test_what_a_test_did_not_say_is_made_for_it_alone(rows: KeptRows) -> None:
    rows.start_from([])
    with rolled_back():
        assert rows.value("tenant") is rows.value("tenant")
        assert Tenant.objects.exists()
    rows.start_from([])
    assert not Tenant.objects.exists()


def test_rows_grow_old(rows: KeptRows, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.start_from(["tenant"])
    first = Tenant.objects.get().created_at
    monkeypatch.setattr(kept_rows, "KEPT_FOR", 0)
    rows.start_from(["tenant"])
    assert Tenant.objects.get().created_at > first


def test_rows_are_inserted_anew_after_a_test_that_broke_the_transaction(rows: KeptRows) -> None:
    rows.start_from(["tenant"])
    first = Tenant.objects.get().created_at
    transaction.set_rollback(True)
    rows.start_from(["tenant"])
    assert Tenant.objects.get().created_at > first


def test_the_cache_is_as_inserting_left_it(rows: KeptRows) -> None:
    for kinds in (["tenant"], ["tenant"], ["tenant", "customer"]):
        cache.clear()
        rows.start_from(kinds)
        assert cache.get("inserted") == "tenant"
        cache.set("inserted", "changed")


def test_a_test_that_commits_has_rows_of_its_own(transactional_db: None, tenant: Tenant) -> None:
    assert not connection.in_atomic_block
    assert Tenant.objects.get() == tenant
