"""Transactions with few round trips: the same rows, the same order, the same errors."""

import pytest
from django.db import IntegrityError, connection, transaction

from customers.models import Address, Customer
from tenants import isolation
from tenants.compiled import transactions, writes
from tenants.compiled.writes import Change, compiled_update
from tenants.models import AuditEvent, Tenant
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant() -> Tenant:
    return factories.make_tenant()


def event(tenant: Tenant, action: str) -> AuditEvent:
    return AuditEvent(tenant=tenant, action=action)


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_what_waits_is_written_in_its_order_and_gets_its_keys(tenant: Tenant) -> None:
    with isolation.Confinement(tenant), transactions.brief():
        first, second = event(tenant, "first"), event(tenant, "second")
        writes.insert(first, waits=True)
        writes.insert(second, waits=True)
    assert actions() == ["first", "second"]
    assert [each.action for each in AuditEvent.objects.filter(pk__in=(first.pk, second.pk)).order_by("pk")] == actions()


@pytest.mark.postgres
def test_the_last_statements_and_the_commit_are_one_round_trip(tenant: Tenant, round_trips: list[list[str]]) -> None:
    customer = factories.make_customer(tenant)
    round_trips.clear()
    with isolation.Confinement(tenant), transactions.brief():
        customer.first_name = "Ada"
        writes.store(customer, waits=True)
        writes.insert(event(tenant, "first"), waits=True)
    assert round_trips == [["UPDATE", "INSERT", "COMMIT"]]
    assert Customer.objects.get().first_name == "Ada"


@pytest.mark.postgres
def test_a_statement_takes_along_what_waits(tenant: Tenant, round_trips: list[list[str]]) -> None:
    with isolation.Confinement(tenant), transactions.brief():
        writes.insert(event(tenant, "first"), waits=True)
        writes.insert(second := event(tenant, "second"))
        assert second.pk is not None
    assert round_trips == [["INSERT", "INSERT"], ["COMMIT"]]
    assert actions() == ["first", "second"]


def test_a_statement_of_djangos_finds_what_waits(tenant: Tenant) -> None:
    with isolation.Confinement(tenant), transactions.brief():
        writes.insert(event(tenant, "first"), waits=True)
        assert actions() == ["first"]


@transactions.brief()
def stop_halfway(tenant: Tenant) -> None:
    writes.insert(event(tenant, "first"), waits=True)
    writes.insert(event(tenant, "second"))
    writes.insert(event(tenant, "third"), waits=True)
    raise ValueError("stop")


@transactions.brief()
def insert_twice(address: Address) -> None:
    writes.insert(event(address.tenant, "first"), waits=True)
    writes.insert(address, waits=True)
    address.pk = None
    writes.insert(address, waits=True)


@transactions.brief()
def call_another(tenant: Tenant, *, raises: bool) -> None:
    @transactions.brief()
    def inner() -> None:
        writes.insert(event(tenant, "inner"), waits=True)

    inner()
    if raises:
        raise ValueError("stop")


def test_an_exception_takes_all_of_it_back(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="stop"):
        stop_halfway(tenant)
    assert actions() == []
    with transactions.brief():
        writes.insert(event(tenant, "next"), waits=True)
    assert actions() == ["next"]


def test_a_duplicate_is_refused_before_the_end(tenant: Tenant) -> None:
    customer = factories.make_customer(tenant)
    with pytest.raises(IntegrityError):
        insert_twice(Address(tenant=tenant, customer=customer, public_id="same", contact_name="Ada"))
    assert ("first" in actions(), Address.objects.count()) == (False, 0)


@pytest.mark.postgres
def test_what_is_checked_at_the_commit_is_refused(tenant: Tenant) -> None:
    """A foreign key is, with the commit in the same round trip."""
    stranger = Customer(pk=10**12, tenant=tenant)
    with pytest.raises(IntegrityError), transactions.brief():
        writes.insert(Address(tenant=tenant, customer=stranger, public_id="a", contact_name="Ada"), waits=True)
    assert Address.objects.count() == 0
    assert connection.get_autocommit()


def test_one_inside_another_is_a_part_of_it(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="stop"):
        call_another(tenant, raises=True)
    assert actions() == []
    call_another(tenant, raises=False)
    assert actions() == ["inner"]


def test_inside_of_djangos_own_it_ends_with_that(tenant: Tenant) -> None:
    with transaction.atomic():
        with transactions.brief():
            writes.insert(event(tenant, "first"), waits=True)
        transaction.set_rollback(True)
    assert actions() == []


def test_what_is_done_on_commit_is_done(tenant: Tenant) -> None:
    done: list[list[str]] = []
    with transactions.brief():
        writes.insert(event(tenant, "first"), waits=True)
        transaction.on_commit(lambda: done.append(actions()))
    assert done == [["first"]]


def test_a_rollback_that_was_asked_for_is_made(tenant: Tenant) -> None:
    with transactions.brief():
        writes.insert(event(tenant, "first"), waits=True)
        transaction.set_rollback(True)
    assert actions() == []


@pytest.mark.postgres
def test_what_waits_is_confined_to_its_tenant(tenant: Tenant) -> None:
    other_tenant = factories.make_tenant("globex")
    with pytest.raises(Exception, match="row-level security"), isolation.Confinement(tenant), transactions.brief():
        writes.insert(event(other_tenant, "first"), waits=True)
    assert actions() == []


# -- how many rows an update changed, which is known later -------------------------------------------------------------
@compiled_update
def _rename(*, key: int, first_name: str) -> Change:
    return Customer.objects.filter(pk=key), {"first_name": first_name}


@pytest.mark.parametrize("is_there", [True, False])
def test_a_count_is_known_when_somebody_asks(tenant: Tenant, is_there: bool) -> None:
    key = factories.make_customer(tenant).pk if is_there else 0
    assert _rename.later(key=key, first_name="Ada").count == is_there
    with isolation.Confinement(tenant), transactions.brief():
        changed = _rename.later(key=key, first_name="Ada")
        assert changed.count == is_there


@pytest.mark.postgres
def test_who_asks_later_takes_no_round_trip(tenant: Tenant, round_trips: list[list[str]]) -> None:
    customer = factories.make_customer(tenant)
    round_trips.clear()
    with isolation.Confinement(tenant), transactions.brief():
        changed, none = _rename.later(key=customer.pk, first_name="Ada"), _rename.later(key=0, first_name="Ada")
        writes.insert(event(tenant, "first"))
        assert (changed.count, none.count) == (1, 0)
        again = _rename.later(key=customer.pk, first_name="Eve")
        assert again.count == 1
    assert round_trips == [["UPDATE", "UPDATE", "INSERT"], ["UPDATE"], ["COMMIT"]]


@pytest.mark.postgres
def test_the_count_of_what_was_never_sent_is_nobodys(tenant: Tenant) -> None:
    with transactions.brief():
        changed = _rename.later(key=0, first_name="Ada")
        transaction.set_rollback(True)
    with pytest.raises(RuntimeError):
        _ = changed.count
