"""What must always be true is a constraint of the database, whatever a query leaves out."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from customers.addresses import addresses
from customers.models import Address, Customer, CustomerNumber
from tenants.models import Tenant

VALUES = {"preferred_language": "en_US", "preferred_currency": "USD", "preferred_site": "main"}


def add(customer: Customer, **values: Any) -> Address:
    return Address.objects.create(tenant=customer.tenant, customer=customer, **values)


def test_second_default_address(customer: Customer) -> None:
    add(customer, public_id="a", is_default=True)
    add(customer, public_id="b", is_default=False)
    add(customer, public_id="c", is_default=False)
    with pytest.raises(IntegrityError), transaction.atomic():
        add(customer, public_id="d", is_default=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        addresses.create_first(tenant=customer.tenant, customer=customer, values={"contact_name": "Ada"})


def test_two_addresses_of_one_id(customer: Customer) -> None:
    add(customer, public_id="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        add(customer, public_id="a")


def test_two_customers_may_call_their_addresses_the_same(customer: Customer) -> None:
    neighbour = Customer.objects.create(tenant=customer.tenant, number="10000002", **VALUES)
    for each in (customer, neighbour):
        add(each, public_id="home", is_default=True)
    assert Address.objects.count() == 2


def test_duplicate_number(customer: Customer, other_tenant: Tenant) -> None:
    Customer.objects.create(tenant=other_tenant, number=customer.number, **VALUES)
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.create(tenant=customer.tenant, number=customer.number, **VALUES)


@pytest.mark.parametrize("number", ["", "1234567", "123456789", "1234567a", "-1234567", "1234567Ⅷ"])
def test_number_that_is_not_8_digits(tenant: Tenant, number: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        Customer.objects.create(tenant=tenant, number=number, **VALUES)


def test_version_zero(customer: Customer) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=customer.pk).update(version=0)


def test_second_counter_of_a_tenant(customer: Customer) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        CustomerNumber.objects.create(tenant=customer.tenant, last=1)


def test_address_of_nobody(customer: Customer) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Address.objects.create(tenant=customer.tenant, public_id="a")


@pytest.mark.parametrize("change", [{"code": "1acme"}, {"number": 0}, {"password_min_length": 7}])
def test_tenant_that_breaks_a_rule(tenant: Tenant, change: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Tenant.objects.filter(pk=tenant.pk).update(**change)
