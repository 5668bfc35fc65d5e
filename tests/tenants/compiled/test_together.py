"""Two queries in one round trip: the rows of each are those that it has alone."""

import pytest
from django.db import DataError, connection, transaction
from django.db.models import QuerySet

from customers.models import Customer, Segment
from tenants import isolation
from tenants.compiled.queries import compiled, together
from tenants.models import Tenant
from tests import factories


@compiled
def _with_first_name(*, first_name: str) -> QuerySet[Customer]:
    """Forgets the tenant."""
    return Customer.objects.filter(first_name=first_name).order_by("pk")


@compiled
def _names(*, tenant: Tenant) -> QuerySet[Segment, tuple[str]]:
    return Segment.objects.for_tenant(tenant).order_by("name").values_list("name")


@compiled
def _with_key(*, key: int) -> QuerySet[Customer]:
    return Customer.objects.filter(pk=key)


@pytest.fixture
def adas(tenant: Tenant, other_tenant: Tenant) -> list[Customer]:
    """One of each tenant."""
    for each in (tenant, other_tenant):
        Segment.objects.create(tenant=each, name=f"of {each.code}")
    return [factories.make_customer(each, first_name="Ada") for each in (tenant, other_tenant)]


@pytest.mark.parametrize("times", [1, 3])
def test_each_query_has_its_own_rows(tenant: Tenant, adas: list[Customer], times: int) -> None:
    for _ in range(times):
        found, names = together(_with_first_name.asked(first_name="Ada"), _names.asked(tenant=tenant))
        assert (found, names) == (adas, [(f"of {tenant.code}",)])
        nobody, _same = together(_with_first_name.asked(first_name="nobody's"), _names.asked(tenant=tenant))
        assert nobody == []


@pytest.mark.postgres
def test_both_are_confined(tenant: Tenant, other_tenant: Tenant, adas: list[Customer]) -> None:
    with isolation.Confinement(tenant):
        found, names = together(_with_first_name.asked(first_name="Ada"), _names.asked(tenant=other_tenant))
    assert (found, names) == (adas[:1], [])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_they_are_one_round_trip(round_trips: list[list[str]]) -> None:
    tenant = factories.make_tenant()
    with isolation.Confinement(tenant):
        together(_with_first_name.asked(first_name="Ada"), _names.asked(tenant=tenant))
    assert round_trips == [["SELECT", "SELECT"]]


@pytest.mark.django_db(transaction=True)
def test_they_are_a_part_of_the_transaction() -> None:
    tenant = factories.make_tenant()
    with transaction.atomic():
        customer = factories.make_customer(tenant, first_name="Eve")
        assert together(_with_first_name.asked(first_name="Eve"), _names.asked(tenant=tenant)) == ([customer], [])
        transaction.set_rollback(True)
    assert together(_with_first_name.asked(first_name="Eve"), _names.asked(tenant=tenant)) == ([], [])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_failure_of_either_is_the_databases_and_the_connection_goes_on(is_first: bool) -> None:
    impossible, possible = _with_key.asked(key=2**70), _with_first_name.asked(first_name="Ada")
    for _ in range(2):
        with pytest.raises(DataError):
            together(*((impossible, possible) if is_first else (possible, impossible)))
        assert together(possible, possible) == ([], [])


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_connection_that_was_lost_while_it_was_idle_is_opened_again() -> None:
    possible = _with_first_name.asked(first_name="Ada")
    assert together(possible, possible) == ([], [])
    connection.connection.close()
    assert together(possible, possible) == ([], [])
