"""What PostgreSQL keeps the words of customers by comes and goes as a whole, and what is similar by it."""

from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from customers import numbers, profiles
from customers.models import Customer, SearchWord
from customers.search import finding, vocabulary
from tenants.models import Tenant

pytestmark = pytest.mark.postgres


def named(tenant: Tenant, last_name: str) -> Customer:
    return profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values={"last_name": last_name})


def rename(customer: Customer, last_name: str) -> None:
    changes = profiles.changes_of({"last_name": last_name})
    profiles.update(tenant=customer.tenant, customer=customer, changes=changes)


def words(tenant: Tenant) -> set[str]:
    return set(SearchWord.objects.for_tenant(tenant).values_list("word", flat=True))


def functions() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'customers\\_%'")
        return {name for (name,) in cursor.fetchall()}


def indexes() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = 'customers_customer'")
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def few(tenant: Tenant) -> Iterator[None]:
    with transaction.atomic():
        vocabulary.plan_for_few(threshold=0.45)
        yield


@pytest.mark.django_db
def test_functions_triggers_and_the_index_go_and_come_again() -> None:
    before = functions()
    assert "customer_words" in indexes()
    with connection.schema_editor(atomic=False) as editor:
        vocabulary.drop(editor)
    assert before - functions() == {
        "customers_words",
        "customers_words_inserted",
        "customers_words_changed",
        "customers_others_have",
    }
    assert "customer_words" not in indexes()
    with connection.schema_editor(atomic=False) as editor:
        vocabulary.create(editor)
    assert functions() == before
    assert "customer_words" in indexes()


def test_what_was_made_anew_keeps_the_words(tenant: Tenant) -> None:
    with connection.schema_editor(atomic=False) as editor:
        vocabulary.drop(editor)
        vocabulary.create(editor)
    first = named(tenant, "Lovelace")
    named(tenant, "Byron")
    rename(first, "King")
    assert words(tenant) == {"byron", "king"}


@pytest.mark.django_db(transaction=True)
def test_what_is_planned_for_few_ends_with_the_transaction() -> None:
    names = ("pg_trgm.similarity_threshold", "enable_seqscan", "enable_indexscan")

    def settings() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names))
            return list(cursor.fetchone())

    with connection.cursor() as cursor:
        cursor.execute("SELECT show_limit()")  # a connection knows the extension's settings once it has used it
    before = settings()
    with transaction.atomic():
        vocabulary.plan_for_few(threshold=0.61)
        assert settings() == ["0.61", "off", "off"]
    assert settings() == before


def test_similar_words_are_the_tenants_own_and_not_endless(
    tenant: Tenant, other_tenant: Tenant, few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    named(other_tenant, "Lovelady")
    for name in ("Lovelace", "Lovelake", "Somerville"):
        named(tenant, name)
    assert vocabulary.similar(tenant=tenant, words=["lovelase"]) == {"lovelace", "lovelake"}
    assert vocabulary.similar(tenant=tenant, words=["xavier", "somervile"]) == {"somerville"}
    monkeypatch.setattr(vocabulary, "MOST", 1)
    assert len(vocabulary.similar(tenant=tenant, words=["lovelase"])) == 1


def test_who_has_one_of_several_words_is_among_the_given_rows(tenant: Tenant, few: None) -> None:
    ada, grace, other = (named(tenant, name) for name in ("Lovelace", "Hopper", "Lovelace"))
    rows = Customer.objects.exclude(pk=other.pk).order_by("pk")
    assert list(vocabulary.with_any(rows, ["lovelace", "hopper"])) == [ada, grace]
    assert list(vocabulary.with_any(rows, ["lovelace"])) == [ada]
    assert list(vocabulary.with_any(rows, [])) == []


def test_of_the_similar_words_only_those_count_that_are_similar_to_this_one(tenant: Tenant) -> None:
    """A word that is similar to another of the search brings nobody."""
    both = named(tenant, "Lovelace Somerville")
    named(tenant, "Lovelace Lovelake")
    named(tenant, "Somerville")
    found = finding.find(
        tenant=tenant,
        rows=Customer.objects.for_tenant(tenant),
        term="lovelase somervile",
        before=None,
        by_log_in=lambda *args, **kwargs: [],
    )
    assert (found.keys, found.is_similar) == ([both.pk], True)
