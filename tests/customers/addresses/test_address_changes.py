"""Adding, changing and deleting addresses: one default at all times, and never another customer's address."""

from typing import Any

import pytest
from django.utils import timezone

from customers import numbers, profiles
from customers.addresses import addresses, fields
from customers.addresses.addresses import AddressIdTaken, AddressNotFound
from customers.models import Address, Customer
from customers.profiles import CustomerNotFound, StaleVersion
from tenants.errors import InvalidInput
from tenants.models import Tenant


def add(customer: Customer, public_id: str = "", **values: Any) -> Address:
    values = {"contact_name": "Ada Lovelace", "public_id": public_id} | values
    return addresses.add(tenant=customer.tenant, customer=customer, values=fields.changes_of(values))


def change(customer: Customer, public_id: str = "home", *, version: int | None = None, **changes: Any) -> Address:
    return addresses.update(
        tenant=customer.tenant,
        customer=customer,
        public_id=public_id,
        changes=fields.changes_of(changes),
        expected_version=version,
    )


def remove(customer: Customer, public_id: str) -> None:
    addresses.remove(tenant=customer.tenant, customer=customer, public_id=public_id)


def stored(customer: Customer, public_id: str = "home") -> Address:
    return addresses.get(tenant=customer.tenant, customer=customer, public_id=public_id)


def defaults(customer: Customer) -> list[str]:
    mine = addresses.list_for(tenant=customer.tenant, customer=customer)
    return [address.public_id for address in mine if address.is_default]


def make_neighbour(tenant: Tenant) -> Customer:
    return profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values={})


@pytest.fixture
def home(customer: Customer) -> Address:
    return add(customer, "home", city="London", street="Ockham Park", country="gb", tags=["billing"])


def test_add_the_first_one_is_the_default_whatever_it_says(customer: Customer) -> None:
    add(customer, "home", is_default=False)
    assert defaults(customer) == ["home"]


def test_add_a_later_one_is_the_default_when_it_says_so(customer: Customer, home: Address) -> None:
    add(customer, "office")
    assert defaults(customer) == ["home"]
    add(customer, "club", is_default=True)
    assert defaults(customer) == ["club"]


def test_add_under_an_id_that_is_taken(customer: Customer, home: Address) -> None:
    with pytest.raises(AddressIdTaken):
        add(customer, "home", is_default=True, city="Paris")
    assert stored(customer).city == "London"
    assert defaults(customer) == ["home"]


def test_add_under_the_id_of_someone_elses_address(tenant: Tenant, home: Address) -> None:
    assert add(make_neighbour(tenant), "home").public_id == "home"
    assert Address.objects.count() == 2


def test_add_something_wrong_leaves_the_default_where_it_is(customer: Customer, home: Address) -> None:
    with pytest.raises(InvalidInput):
        add(customer, "office", is_default=True, country="GBR")
    assert defaults(customer) == ["home"]


def test_add_no_more_than_the_limit(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "MAX_ADDRESSES", 2)
    add(customer)
    add(customer)
    with pytest.raises(InvalidInput):
        add(customer)
    assert Address.objects.count() == 2


def test_update_changes_what_is_named_and_deletes_what_is_null(customer: Customer, home: Address) -> None:
    change(customer, city="Paris", street=None)
    after = stored(customer)
    assert (after.city, after.street, after.contact_name, after.country) == ("Paris", None, "Ada Lovelace", "GB")
    assert (after.version, after.tags, after.is_default) == (2, ["BILLING"], True)


@pytest.mark.parametrize(("tags", "expected"), [(["shipping"], ["SHIPPING"]), ([], []), (None, [])])
def test_update_replaces_tags_as_a_whole(
    customer: Customer, home: Address, tags: list[str] | None, expected: list[str]
) -> None:
    change(customer, tags=tags)
    assert stored(customer).tags == expected


@pytest.mark.parametrize(
    "changes", [{"contact_name": None}, {"contact_name": ""}, {"country": "GBR"}, {"tags": ["t"] * 51}]
)
def test_update_to_something_wrong_changes_nothing(customer: Customer, home: Address, changes: dict[str, Any]) -> None:
    if "tags" in changes:
        changes = {"tags": [f"tag {index}" for index in range(fields.MAX_TAGS + 1)]}
    with pytest.raises(InvalidInput) as refused:
        change(customer, city="Paris", **changes)
    assert [detail.field for detail in refused.value.details] == list(changes)
    after = stored(customer)
    assert (after.city, after.version) == ("London", 1)


def test_update_moves_the_default_and_never_unsets_it(customer: Customer, home: Address) -> None:
    add(customer, "office")
    change(customer, "office", is_default=True)
    assert defaults(customer) == ["office"]
    change(customer, "office", is_default=False)
    assert defaults(customer) == ["office"]


def test_update_keeps_the_id(customer: Customer, home: Address) -> None:
    assert change(customer, public_id="home", city="Paris").public_id == "home"


def test_update_of_the_version_that_was_read(customer: Customer, home: Address) -> None:
    assert change(customer, version=1, city="Paris").version == 2
    with pytest.raises(StaleVersion):
        change(customer, version=1, city="Rome", is_default=True)
    assert stored(customer).city == "Paris"


def test_remove_the_default_makes_the_oldest_one_the_default(customer: Customer, home: Address) -> None:
    add(customer, "office")
    add(customer, "club")
    remove(customer, "home")
    assert defaults(customer) == ["office"]
    remove(customer, "club")
    assert defaults(customer) == ["office"]
    remove(customer, "office")
    assert not Address.objects.exists()
    add(customer, "again")
    assert defaults(customer) == ["again"]


def test_tags_are_added_and_removed_once(customer: Customer, home: Address) -> None:
    who: dict[str, Any] = {"tenant": customer.tenant, "customer": customer, "public_id": "home"}
    addresses.add_tags(**who, tags=["shipping", " Billing ", ""])
    assert stored(customer).tags == ["BILLING", "SHIPPING"]
    addresses.remove_tags(**who, tags=["billing", "never there"])
    after = stored(customer)
    assert (after.tags, after.version) == (["SHIPPING"], 3)


def test_add_tags_beyond_the_limit(customer: Customer, home: Address) -> None:
    tags = [f"tag {index}" for index in range(fields.MAX_TAGS)]
    with pytest.raises(InvalidInput):
        addresses.add_tags(tenant=customer.tenant, customer=customer, public_id="home", tags=tags)
    assert stored(customer).tags == ["BILLING"]


CALLS: dict[str, Any] = {
    "get": addresses.get,
    "update": lambda **who: addresses.update(**who, changes={"city": "Paris"}),
    "remove": addresses.remove,
    "add_tags": lambda **who: addresses.add_tags(**who, tags=["mine"]),
    "remove_tags": lambda **who: addresses.remove_tags(**who, tags=["billing"]),
}


@pytest.mark.parametrize("call", CALLS)
def test_someone_elses_address_is_not_found(tenant: Tenant, home: Address, call: str) -> None:
    neighbour = make_neighbour(tenant)
    with pytest.raises(AddressNotFound) as refused:
        CALLS[call](tenant=tenant, customer=neighbour, public_id="home")
    assert refused.value.message == f"Address home of customer {neighbour.number} not found."
    home.refresh_from_db()
    assert (home.city, home.tags, home.version) == ("London", ["BILLING"], 1)


@pytest.mark.parametrize("call", CALLS)
def test_another_tenants_address_is_not_found(
    customer: Customer, home: Address, other_tenant: Tenant, call: str
) -> None:
    with pytest.raises((AddressNotFound, CustomerNotFound)):
        CALLS[call](tenant=other_tenant, customer=customer, public_id="home")
    home.refresh_from_db()
    assert home.version == 1


@pytest.mark.parametrize("call", [call for call in CALLS if call != "get"])
def test_who_is_erased_changes_no_address(customer: Customer, home: Address, call: str) -> None:
    Customer.objects.update(erased_at=timezone.now())
    with pytest.raises(CustomerNotFound):
        CALLS[call](tenant=customer.tenant, customer=customer, public_id="home")
    with pytest.raises(CustomerNotFound):
        add(customer)
    assert Address.objects.get() == home
