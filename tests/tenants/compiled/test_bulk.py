"""Rows that are written by the thousand are what Django would have written, on each database."""

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from django.db.models.fields import NOT_PROVIDED

from customers.models import Address, Customer, CustomerIdentifier
from tenants import isolation
from tenants.compiled import bulk
from tenants.compiled.instances import fresh
from tenants.models import Receipt, Tenant
from tests import factories

# What COPY's own format and SQL give a meaning to.
AWKWARD = ["a\tb", "a\nb\r", "\\N", "\\.", 'it\'s "so"', "%s", "Zoë 山田", "", None]
PREFERENCES = {"preferred_language": "en", "preferred_currency": "EUR", "preferred_site": "main"}


def new_customers(tenant: Tenant) -> list[Customer]:
    return [
        fresh(
            Customer,
            tenant=tenant,
            number=str(20_000_000 + index),
            first_name=text,
            properties={"text": [text, 1.5, None]},
            **PREFERENCES,
        )
        for index, text in enumerate(AWKWARD)
    ]


def test_what_is_inserted_is_what_was_given(tenant: Tenant) -> None:
    factories.make_customer(tenant)
    rows = new_customers(tenant)
    with transaction.atomic():
        bulk.give_keys(rows)
        bulk.insert(rows)
    stored = {row.pk: row for row in Customer.objects.for_tenant(tenant).filter(number__startswith="2")}
    assert len(stored) == len(AWKWARD)
    for row, text in zip(rows, AWKWARD, strict=True):
        assert stored[row.pk].first_name == text
        assert stored[row.pk].properties == {"text": [text, 1.5, None]}
        assert stored[row.pk].search_profile == row.profile_text()
        assert (stored[row.pk].created_at, stored[row.pk].birth_date) == (row.created_at, None)


def test_keys_are_given_once(tenant: Tenant) -> None:
    one, other = new_customers(tenant)[:2], new_customers(tenant)[2:4]
    with transaction.atomic():
        bulk.give_keys(one)
        bulk.give_keys(other)
        bulk.insert(other)
        bulk.insert(one)
    later = factories.make_customer(tenant)
    assert len({row.pk for row in (*one, *other, later)}) == 5
    assert [row.pk for row in one] == sorted(row.pk for row in one)


def test_bytes_and_keys_of_the_database(tenant: Tenant) -> None:
    bulk.insert([fresh(Receipt, tenant=tenant, kind=Receipt.Kind.CONSENT, digest=bytes(range(32)))])
    assert bytes(Receipt.objects.for_tenant(tenant).get().digest) == bytes(range(32))


def test_what_the_database_refuses_is_an_integrity_error(tenant: Tenant) -> None:
    taken = factories.make_customer(tenant)
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert([fresh(Customer, tenant=tenant, number=taken.number, **PREFERENCES)])


@pytest.mark.postgres
def test_rows_of_a_confined_request(tenant: Tenant) -> None:
    with isolation.Confinement(tenant):
        bulk.insert([fresh(Receipt, tenant=tenant, kind=Receipt.Kind.CONSENT, digest=b"d")])
    assert Receipt.objects.for_tenant(tenant).count() == 1


@pytest.mark.postgres
def test_rows_are_counted_anew(tenant: Tenant) -> None:
    bulk.insert(new_customers(tenant))
    bulk.count_rows(Customer)
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'customers_customer'")
        assert cursor.fetchone() == (len(AWKWARD),)


def test_the_values_that_are_there(tenant: Tenant, other_tenant: Tenant) -> None:
    mine, others = factories.make_customer(tenant), factories.make_customer(other_tenant)
    for owner, value in ((mine, "a"), (mine, "it's"), (others, "b")):
        CustomerIdentifier.objects.create(tenant=owner.tenant, customer=owner, name="card", value=value)
    rows = CustomerIdentifier.objects.for_tenant(tenant).filter(name="card")
    assert bulk.present(rows, field="value", values=["a", "b", "c", "it's", "a"]) == {"a", "it's"}
    assert bulk.present(rows, field="value", values=[]) == set()


@pytest.mark.postgres
def test_each_value_is_looked_up_in_an_index(
    tenant: Tenant, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    owner = factories.make_customer(tenant)
    own = {"tenant": tenant, "customer": owner, "name": "card"}
    bulk.insert([fresh(CustomerIdentifier, value=str(number), **own) for number in range(2000)])
    bulk.count_rows(CustomerIdentifier)
    rows = CustomerIdentifier.objects.for_tenant(tenant).filter(name="card")
    [sql] = statements(lambda: bulk.present(rows, field="value", values=[str(number) for number in range(1000)]))
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "customer_identifier_unique" in plan
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("model", [Customer, Address, Receipt, *apps.get_app_config("auth_providers").get_models()])
def test_a_fresh_instance_is_what_the_model_makes(model: type[Model]) -> None:
    made, by_django = fresh(model), model()
    made_anew = {field.attname for field in model._meta.concrete_fields if _is_made_anew(field)}
    ours, theirs = ({k: v for k, v in each.__dict__.items() if k != "_state"} for each in (made, by_django))
    assert ours.keys() == theirs.keys()
    assert {name for name in ours if ours[name] != theirs[name]} <= made_anew
    assert made._state.adding


def test_a_fresh_instance_knows_what_it_relates_to(tenant: Tenant) -> None:
    customer = fresh(Customer, tenant=tenant, merged_into=None)
    assert customer.tenant is tenant
    assert (customer.tenant_id, customer.merged_into_id) == (tenant.pk, None)
    assert fresh(Customer).mixins is not fresh(Customer).mixins


def _is_made_anew(field: Any) -> bool:
    has_default = field.default is not NOT_PROVIDED and callable(field.default)
    return has_default or field.db_default is not NOT_PROVIDED
