"""Instances that are made of rows without `Model.__init__`."""

from typing import Any

from django.db.models import Model
from django.db.models.signals import post_init
from pytest_django import DjangoAssertNumQueries

from customers.models import Customer
from tenants.compiled import instances
from tenants.models import Tenant
from tests import factories


def test_an_instance_is_as_django_makes_it(tenant: Tenant) -> None:
    factories.make_customer(tenant)
    [values] = Customer.objects.values()
    names = [field.attname for field in Customer._meta.concrete_fields]
    row = list(values.values())
    ours, djangos = Customer.from_db("default", names, row), Model.from_db.__func__(Customer, "default", names, row)  # type: ignore[attr-defined]
    assert {**vars(ours), "_state": None} == {**vars(djangos), "_state": None}
    assert (ours._state.adding, ours._state.db) == (djangos._state.adding, djangos._state.db)
    assert ours.tenant == tenant


def test_a_field_that_is_deferred_is_read_later(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    [found] = Customer.objects.only("number")
    assert (found.number, found.get_deferred_fields() > {"first_name"}) == (customer.number, True)
    assert found.first_name == customer.first_name


def test_who_listens_is_told(tenant: Tenant) -> None:
    factories.make_customer(tenant)
    told: list[str] = []

    def listen(instance: Customer, **_: Any) -> None:
        told.append(instance.number)

    post_init.connect(listen, sender=Customer)
    try:
        [found] = Customer.objects.all()
    finally:
        post_init.disconnect(listen, sender=Customer)
    assert told == [found.number]


def test_what_is_attached_is_what_the_relation_leads_to(
    tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    factories.make_customer(tenant)
    [found] = Customer.objects.all()
    instances.attach(found, "tenant", tenant)
    with django_assert_num_queries(0):
        assert found.tenant is tenant
