"""What changing an address returns, tells the trail, and lets a search find; and which address stays the default."""

from collections.abc import Callable
from typing import Any

import pytest

from customers import mixins, numbers, profiles
from customers.addresses import addresses, fields
from customers.models import Address, Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tests.factories import CLIENT

URL = "https://schemas.example/gate.json"
STAFF: dict[str, Any] = {"client": CLIENT, "staff_username": "clara"}


def own(customer: Customer, public_id: str = "home") -> dict[str, Any]:
    return {"tenant": customer.tenant, "customer": customer, "public_id": public_id}


def add(customer: Customer, public_id: str, **values: Any) -> Address:
    given = {"contact_name": "Ada", "public_id": public_id} | values
    return addresses.add(tenant=customer.tenant, customer=customer, values=fields.changes_of(given), **STAFF)


def change(customer: Customer, public_id: str = "home", **changes: Any) -> Address:
    return addresses.update(**own(customer, public_id), changes=fields.changes_of(changes), **STAFF)


def found_by(customer: Customer) -> str:
    return Customer.objects.get(pk=customer.pk).search_addresses


@pytest.fixture
def others(customer: Customer, neighbour: Customer, other_tenant: Tenant) -> list[Address]:
    """The default addresses of somebody else, and of somebody in another tenant, under the same id."""
    across = profiles.create(tenant=other_tenant, number=numbers.take(tenant=other_tenant), values={})
    return [add(each, "home", city="Kew") for each in (neighbour, across)]


@pytest.fixture
def home(others: list[Address], customer: Customer) -> Address:
    return add(customer, "home", city="London", tags=["gift"])


ACTS: dict[str, tuple[Callable[[Customer], Address], str, int]] = {
    "add": (lambda who: add(who, "work"), "work", 1),
    "update": (lambda who: change(who, city="Paris"), "home", 2),
    "add tags": (lambda who: addresses.add_tags(**own(who), tags=["shipping"], client=CLIENT), "home", 2),
    "remove tags": (lambda who: addresses.remove_tags(**own(who), tags=["gift"], client=CLIENT), "home", 2),
    "get": (lambda who: addresses.get(**own(who)), "home", 1),
}


@pytest.mark.parametrize("act", ACTS)
def test_the_address_is_returned_as_it_is_stored_now(
    customer: Customer, home: Address, others: list[Address], act: str
) -> None:
    call, public_id, version = ACTS[act]
    before = list(Address.objects.exclude(customer=customer).order_by("pk").values())
    returned = call(customer)
    stored = Address.objects.get(customer=customer, public_id=public_id)
    names = ("pk", "public_id", "city", "tags", "is_default", "version")
    assert [getattr(returned, name) for name in names] == [getattr(stored, name) for name in names]
    assert stored.version == version
    assert list(Address.objects.exclude(customer=customer).order_by("pk").values()) == before


@pytest.mark.parametrize(
    ("act", "action", "staff"),
    [
        (lambda who: add(who, "work"), "add_address", "clara"),
        (lambda who: change(who, "work", city="Paris"), "change_address", "clara"),
        (lambda who: addresses.remove(**own(who, "work"), **STAFF), "remove_address", "clara"),
        (lambda who: addresses.add_tags(**own(who, "work"), tags=["a"], client=CLIENT), "change_address", ""),
        (lambda who: addresses.remove_tags(**own(who, "work"), tags=["a"], client=CLIENT), "change_address", ""),
    ],
)
def test_the_trail_names_the_address_and_who_changed_it(
    customer: Customer, home: Address, act: Callable[[Customer], object], action: str, staff: str
) -> None:
    if action != "add_address":
        Address.objects.create(tenant=customer.tenant, customer=customer, public_id="work", contact_name="Ada")
    known = set(AuditEvent.objects.values_list("pk", flat=True))
    act(customer)
    [event] = AuditEvent.objects.exclude(pk__in=known)
    assert (event.tenant, event.customer_number, event.action) == (customer.tenant, customer.number, action)
    assert (event.reason, event.details) == ("work", {"address": "work"})
    assert (event.staff_username, event.address) == (staff, CLIENT.address)


def test_a_search_finds_the_addresses_that_there_are_now(
    customer: Customer, home: Address, neighbour: Customer
) -> None:
    assert found_by(customer) == " ada london"
    add(customer, "work", city="Ockham")
    assert found_by(customer) == " ada london ockham"
    change(customer, city="Paris")
    assert found_by(customer) == " ada paris ockham"
    addresses.remove(**own(customer))
    assert found_by(customer) == " ada ockham"
    assert found_by(neighbour) == " ada kew"


# -- the default -----------------------------------------------------------------------------------------------------
def defaults() -> list[tuple[int, str]]:
    return list(Address.objects.filter(is_default=True).order_by("pk").values_list("customer_id", "public_id"))


def test_the_default_of_others_stays_when_ones_own_moves(
    customer: Customer, home: Address, others: list[Address]
) -> None:
    theirs = [(each.customer_id, "home") for each in others]
    add(customer, "work", is_default=True)
    assert defaults() == [*theirs, (customer.pk, "work")]
    change(customer, is_default=True)
    assert defaults() == [*theirs, (customer.pk, "home")]
    change(customer, is_default=True)
    assert defaults() == [*theirs, (customer.pk, "home")]
    addresses.remove(**own(customer))
    assert defaults() == [*theirs, (customer.pk, "work")]


@pytest.mark.parametrize("says", [False, None])
def test_a_later_address_that_says_no_is_not_the_default(customer: Customer, home: Address, says: bool | None) -> None:
    add(customer, "work", is_default=says)
    change(customer, "work", is_default=says, city="Paris")
    assert defaults()[-1] == (customer.pk, "home")
    assert Address.objects.get(public_id="work").city == "Paris"


def test_removing_another_address_leaves_the_default(customer: Customer, home: Address) -> None:
    add(customer, "work", is_default=True)
    add(customer, "club")
    addresses.remove(**own(customer, "club"))
    assert defaults()[-1] == (customer.pk, "work")


# -- values ----------------------------------------------------------------------------------------------------------
def test_the_200th_address_is_the_last(customer: Customer) -> None:
    Address.objects.bulk_create(
        Address(tenant=customer.tenant, customer=customer, public_id=str(index), contact_name="Ada")
        for index in range(199)
    )
    add(customer, "last")
    with pytest.raises(InvalidInput) as refused:
        add(customer, "one more")
    assert refused.value.message == "A customer has at most 200 addresses."
    assert Address.objects.count() == 200


def test_each_address_without_an_id_is_given_another(customer: Customer) -> None:
    made = [add(customer, ""), add(customer, "")]
    assert [len(each.public_id) for each in made] == [10, 10]
    assert made[0].public_id != made[1].public_id


def test_50_tags_are_fine_and_no_more(customer: Customer, home: Address) -> None:
    tags = [f"tag {index}" for index in range(49)]
    assert len(addresses.add_tags(**own(customer), tags=[*tags, "gift"]).tags) == 50
    with pytest.raises(InvalidInput):
        addresses.add_tags(**own(customer), tags=["one more"])
    assert len(change(customer, tags=[*tags, "another"]).tags) == 50


@pytest.mark.parametrize("public_id", ["a" * 64, "-", "_", "Az09"])
def test_ids_that_are_just_fine(customer: Customer, public_id: str) -> None:
    assert add(customer, public_id).public_id == public_id


def test_mixins_of_an_address_are_held_to_their_schema(customer: Customer, home: Address, other_tenant: Tenant) -> None:
    mixins.register(tenant=customer.tenant, url=URL, schema={"type": "integer"})
    mixins.register(tenant=other_tenant, url=URL, schema={"type": "string"})
    changed = change(customer, mixins={"gate": 4}, mixin_schemas={"gate": URL})
    assert (changed.mixins, changed.mixin_schemas) == ({"gate": 4}, {"gate": URL})
    for act in (
        lambda values: change(customer, **values),
        lambda values: add(customer, "work", **values),
        lambda values: addresses.check_first(tenant=customer.tenant, values={"contact_name": "Ada"} | values),
    ):
        with pytest.raises(InvalidInput) as refused:
            act({"mixins": {"gate": "four"}, "mixin_schemas": {"gate": URL}})
        assert [each.field for each in refused.value.details] == ["mixins.gate"]
    assert Address.objects.get(pk=home.pk).mixins == {"gate": 4}


def test_what_is_wrong_with_a_first_address_is_said_before_there_is_a_customer(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput) as refused:
        addresses.check_first(tenant=tenant, values={"country": "GBR"})
    assert [each.field for each in refused.value.details] == ["contact_name", "country"]
    addresses.check_first(tenant=tenant, values={"contact_name": "Ada", "country": "GB"})
    assert not Address.objects.exists()


def test_an_address_that_is_built_is_not_stored_yet(customer: Customer) -> None:
    values = fields.changes_of({"contact_name": "Ada", "country": "gb", "tags": ["gift"], "is_default": True})
    built = addresses.build(tenant=customer.tenant, customer=customer, values=values, is_default=False)
    assert (built.country, built.tags, built.is_default) == ("GB", ["GIFT"], False)
    assert not Address.objects.exists()
    with pytest.raises(InvalidInput):
        addresses.build(tenant=customer.tenant, customer=customer, values={}, is_default=True)
