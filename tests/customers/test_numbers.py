"""Customer numbers: 8 digits, each once in its tenant, and cheap to take."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import OperationalError

from customers import numbers
from customers.models import Customer
from tenants import customer_numbers
from tenants.models import Tenant
from tests import factories
from tests.races import at_once


def test_take_counts_up_from_the_first(tenant: Tenant) -> None:
    taken = [numbers.take(tenant=tenant) for _ in range(3)]
    assert taken == ["10000001", "10000002", "10000003"]


def test_take_counts_in_each_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    assert numbers.take(tenant=tenant) == numbers.take(tenant=other_tenant)
    assert numbers.take(tenant=tenant) == "10000002"


def test_take_is_one_statement(tenant: Tenant, statements: Callable[[Callable[[], Any]], list[str]]) -> None:
    for _ in range(2):  # the first one inserts, the second one updates
        assert len(statements(lambda: numbers.take(tenant=tenant))) == 1


def test_take_never_returns_the_number_of_nobody() -> None:
    assert len(customer_numbers.ANONYMOUS_NUMBER) == 8
    assert int(customer_numbers.ANONYMOUS_NUMBER) < customer_numbers.FIRST_NUMBER


@pytest.mark.django_db(transaction=True)
def test_take_many_at_once(tenant: Tenant) -> None:
    results = at_once(8, lambda _: [numbers.take(tenant=tenant) for _ in range(10)])
    taken = [number for result in results if isinstance(result, list) for number in result]
    assert sorted(taken) == [str(customer_numbers.FIRST_NUMBER + index) for index in range(80)]


def test_failed_sign_up_leaves_a_gap(tenant: Tenant, outage: Callable[[str], AbstractContextManager[None]]) -> None:
    with outage('INSERT INTO "auth_providers_account"'), pytest.raises(OperationalError):
        factories.make_customer(tenant)
    assert numbers.take(tenant=tenant) == "10000002"
    assert not Customer.objects.exists()


def test_take_many_counts_on_and_in_each_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    assert numbers.take_many(tenant=tenant, count=3) == ["10000001", "10000002", "10000003"]
    assert numbers.take_many(tenant=other_tenant, count=1) == ["10000001"]
    assert numbers.take_many(tenant=tenant, count=2) == ["10000004", "10000005"]
    assert numbers.take(tenant=tenant) == "10000006"
