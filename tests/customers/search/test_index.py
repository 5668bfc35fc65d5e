"""What is stored of addresses and identifiers for customers to be found by."""

import pytest
from django.utils import timezone

from customers import numbers, profiles
from customers.models import Address, Customer
from customers.search import index
from tenants.models import Tenant

HOME = Address(
    contact_name="Ada King",
    company_name="Engines",
    street="Ockham Park",
    street_number="12",
    street_appendix="left",
    extra_line_1="Floor",
    postal_code="KT11",
    city="Cobham",
    state="Surrey",
    country="GB",
    contact_phone="030 1",
)
WORK = Address(contact_name="Ada", city="London", contact_phone=None)
TEXT = " ada king engines ockham park 12 kt11 cobham london 0301"


@pytest.fixture
def others(tenant: Tenant, other_tenant: Tenant) -> list[Customer]:
    return [
        profiles.create(tenant=each, number=numbers.take(tenant=each), values={}) for each in (tenant, other_tenant)
    ]


@pytest.fixture
def customer(others: list[Customer], tenant: Tenant) -> Customer:
    return profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values={"first_name": "Ada"})


def texts(*customers: Customer) -> list[tuple[str, str]]:
    rows = Customer.objects.filter(pk__in=[each.pk for each in customers]).order_by("pk")
    return list(rows.values_list("search_addresses", "search_identifiers"))


def test_each_text_is_stored_for_its_customer_alone(customer: Customer, others: list[Customer]) -> None:
    index.index_addresses(tenant=customer.tenant, customer=customer, addresses=iter([HOME, WORK]))
    assert texts(customer) == [(TEXT, "")]
    index.index_identifiers(tenant=customer.tenant, customer=customer, values=iter(["C-7", "t 8"]))
    assert texts(customer) == [(TEXT, " c 7 t 8")]
    assert texts(*others) == [("", ""), ("", "")]
    index.index_addresses(tenant=customer.tenant, customer=customer, addresses=[])
    assert texts(customer) == [("", " c 7 t 8")]


def test_nothing_is_stored_in_another_tenant_or_of_who_is_erased(customer: Customer, other_tenant: Tenant) -> None:
    index.index_identifiers(tenant=other_tenant, customer=customer, values=["7"])
    assert texts(customer) == [("", "")]
    Customer.objects.filter(pk=customer.pk).update(erased_at=timezone.now())
    index.index_identifiers(tenant=customer.tenant, customer=customer, values=["7"])
    index.index_addresses(tenant=customer.tenant, customer=customer, addresses=[HOME])
    assert texts(customer) == [("", "")]


def test_who_is_about_to_be_inserted_is_given_the_same_texts() -> None:
    customer = Customer()
    index.fill(customer=customer, addresses=iter([HOME, WORK]), identifiers=iter(["C-7"]))
    assert (customer.search_addresses, customer.search_identifiers) == (TEXT, " c 7")
