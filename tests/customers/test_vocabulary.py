"""The words that customers are found by, which PostgreSQL keeps: they come with the first who has them and go with the
last."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from customers import erasure, numbers, profiles
from customers.addresses import addresses
from customers.addresses import fields as address_fields
from customers.models import Customer, SearchWord
from customers.search import vocabulary
from tenants import isolation
from tenants.compiled import bulk
from tenants.models import Tenant
from tests import factories, races

pytestmark = pytest.mark.postgres


def words(tenant: Tenant) -> set[str]:
    return set(SearchWord.objects.for_tenant(tenant).values_list("word", flat=True))


def named(tenant: Tenant, last_name: str) -> Customer:
    return profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values={"last_name": last_name})


def rename(customer: Customer, last_name: str) -> None:
    changes = profiles.changes_of({"last_name": last_name})
    profiles.update(tenant=customer.tenant, customer=customer, changes=changes)


def test_a_new_customer_brings_words_of_letters(customer: Customer) -> None:
    assert words(customer.tenant) == {"ada", "lovelace"}


def test_what_is_added_and_changed_brings_words_and_takes_them(customer: Customer) -> None:
    rename(customer, "Byron Müller 3rd")
    values = address_fields.changes_of({"public_id": "home", "contact_name": "Ada", "city": "Ockham", "country": "GB"})
    addresses.add(tenant=customer.tenant, customer=customer, values=values)
    assert words(customer.tenant) == {"ada", "byron", "muller", "ockham"}
    addresses.remove(tenant=customer.tenant, customer=customer, public_id="home")
    assert words(customer.tenant) == {"ada", "byron", "muller"}


def test_a_word_stays_while_anybody_has_it(customer: Customer, other_tenant: Tenant) -> None:
    other = named(customer.tenant, "Lovelace")
    named(other_tenant, "Lovelace")
    rename(customer, "Byron")
    assert words(customer.tenant) == {"ada", "byron", "lovelace"}
    rename(other, "Byron")
    assert words(customer.tenant) == {"ada", "byron"}
    assert words(other_tenant) == {"lovelace"}


def test_a_common_word_stays_without_a_look_at_everybody(customer: Customer) -> None:
    for _ in range(3):
        named(customer.tenant, "Lovelace")
    rename(customer, "Byron")
    assert "lovelace" in words(customer.tenant)


def test_nothing_is_left_of_an_erased_customer(customer: Customer) -> None:
    with transaction.atomic():
        erasure.erase(tenant=customer.tenant, customer=customer)
    assert words(customer.tenant) == set()


def test_many_at_once_bring_each_word_once(tenant: Tenant) -> None:
    with transaction.atomic():
        rows = [
            Customer(
                tenant=tenant, number=str(number), last_name=name, preferred_language="en", preferred_currency="EUR"
            )
            for number, name in enumerate(("Byron", "Lovelace", "Byron"), start=50_000_000)
        ]
        bulk.insert(rows)
    assert sorted(SearchWord.objects.for_tenant(tenant).values_list("word", flat=True)) == ["byron", "lovelace"]


def test_who_is_confined_keeps_them_too(customer: Customer) -> None:
    other = named(customer.tenant, "Byron")
    with isolation.Confinement(customer.tenant):
        rename(customer, "Byron")
        rename(other, "Babbage")
        named(customer.tenant, "Somerville")
    assert words(customer.tenant) == {"ada", "byron", "babbage", "somerville"}


@pytest.mark.django_db(transaction=True)
def test_two_who_are_the_last_with_a_word_are_changed_at_once() -> None:
    tenant = factories.make_tenant()
    both = [named(tenant, "Lovelace") for _ in range(2)]
    done = races.at_once(2, lambda index: rename(both[index], f"Byron {'ab'[index] * 3}"))
    assert done == [None, None]
    assert words(tenant) == {"byron", "aaa", "bbb"}


@pytest.fixture
def few(tenant: Tenant) -> Iterator[None]:
    with transaction.atomic():
        vocabulary.plan_for_few(threshold=0.45)
        yield


def test_who_has_one_of_the_words(customer: Customer, few: None) -> None:
    rows = Customer.objects.for_tenant(customer.tenant)
    assert vocabulary.similar(tenant=customer.tenant, words=["lovelase", "xavier"]) == {"lovelace"}
    assert list(vocabulary.with_any(rows, ["byron", "lovelace"])) == [customer]
    assert not vocabulary.with_any(rows, ["love", "lace"])
    assert not vocabulary.with_any(rows, [])
