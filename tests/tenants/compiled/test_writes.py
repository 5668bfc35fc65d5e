"""Compiled writes: the rows that the object-relational mapper would have written."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Q

from auth_providers.models import Session
from customers.models import Address, Customer
from tenants import isolation
from tenants.compiled import writes
from tenants.compiled.writes import Change, compiled_update
from tenants.models import AuditEvent, Tenant
from tests import factories

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


@compiled_update
def _rename(*, tenant: Tenant, number: str, first_name: str | None, properties: object, updated_at: datetime) -> Change:
    found = Customer.objects.for_tenant(tenant).filter(Q(number=number) & ~Q(first_name="100 %"))
    return found, {"first_name": first_name, "properties": properties, "updated_at": updated_at, "version": 7}


def make_address(customer: Customer, public_id: str) -> Address:
    return Address(
        tenant=customer.tenant,
        customer=customer,
        public_id=public_id,
        contact_name="Ada %s ' \" é",
        tags=["A", {"b": None}],
        mixins={"a": [1, 2.5, "%"]},
        created_at=MOMENT,
    )


def stored(address: Address) -> dict[str, object]:
    return {name: value for name, value in Address.objects.values().get(pk=address.pk).items() if name != "id"}


def test_an_inserted_row_is_as_a_saved_one(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    saved, inserted = make_address(customer, "saved"), make_address(customer, "inserted")
    saved.save()
    writes.insert(inserted)
    assert stored(inserted) == stored(saved) | {"public_id": "inserted"}
    assert not inserted._state.adding


def test_several_rows_get_their_keys_in_their_order(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    rows = [make_address(customer, public_id) for public_id in "abc"]
    writes.insert(*rows)
    assert [Address.objects.get(pk=row.pk).public_id for row in rows] == ["a", "b", "c"]


def test_a_row_with_a_key_of_its_own_keeps_it(tenant: Tenant) -> None:
    session = Session(tenant=tenant, expires_at=MOMENT, address="2001:db8::1", user_agent="x")
    key = session.pk
    writes.insert(session)
    assert isinstance(key, UUID)
    assert Session.objects.get(pk=key).address == "2001:db8::1"


def test_a_row_of_the_trail(tenant: Tenant) -> None:
    event = AuditEvent(tenant=tenant, action="log_in", address="192.0.2.1", at=MOMENT)
    writes.insert(event)
    assert AuditEvent.objects.get().at == MOMENT


def test_a_row_that_a_constraint_forbids(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    writes.insert(make_address(customer, "a"))
    with pytest.raises(IntegrityError), transaction.atomic():
        writes.insert(make_address(customer, "a"))
    assert Address.objects.count() == 1


@pytest.mark.parametrize("name", ["Grace", None])
def test_an_update_changes_what_its_queryset_finds(name: str | None, tenant: Tenant, other_tenant: Tenant) -> None:
    mine, theirs = factories.make_customer(tenant), factories.make_customer(other_tenant)
    Customer.objects.update(number="12345678")
    values = {"first_name": name, "properties": {"a": "%"}, "updated_at": MOMENT}
    assert _rename(tenant=tenant, number="12345678", **values) == 1  # type: ignore[arg-type]
    assert _rename(tenant=tenant, number="87654321", **values) == 0  # type: ignore[arg-type]
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert (mine.first_name, mine.properties, mine.updated_at, mine.version) == (name, {"a": "%"}, MOMENT, 7)
    assert theirs.version == 1


@pytest.mark.django_db(transaction=True)
def test_a_write_is_a_part_of_the_transaction() -> None:
    customer = factories.make_customer(factories.make_tenant())
    with transaction.atomic():
        writes.insert(make_address(customer, "a"))
        transaction.set_rollback(True)
    assert Address.objects.count() == 0
    writes.insert(make_address(customer, "a"))
    assert Address.objects.count() == 1


@pytest.mark.postgres
def test_a_confined_write_does_not_reach_another_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    theirs = factories.make_customer(other_tenant)
    with isolation.Confinement(tenant), pytest.raises(DatabaseError), transaction.atomic():
        writes.insert(make_address(theirs, "a"))
    with isolation.Confinement(tenant):
        values = {"first_name": "Eve", "properties": {}, "updated_at": MOMENT}
        assert _rename(tenant=other_tenant, number=theirs.number, **values) == 0  # type: ignore[arg-type]
