"""What is kept about a customer is nobody else's: read for one it shows nothing of the others', and changed for one it
leaves theirs as they were."""

from collections.abc import Callable
from typing import Any

import pytest

from customers import consents, erasure, full_profiles, identifiers, legal_entities, notes, profiles, segments
from customers.addresses import addresses
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tests import factories
from tests import neighbours as neighbourhood
from tests.factories import CLIENT
from tests.neighbours import COMPANY, Neighbours

READ: dict[str, Callable[..., Any]] = {
    "addresses": addresses.list_for,
    "consents": consents.current,
    "history of consents": consents.history,
    "identifiers": identifiers.list_for,
    "legal entities": legal_entities.list_for,
    "notes": notes.list_for,
    "segments": segments.list_for,
}


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """A customer with nothing."""
    return factories.make_customer(tenant)


@pytest.fixture
def rich(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """A customer with everything, too."""
    made = neighbourhood.make_customer_with_everything(tenant, email=factories.EMAIL, phone="+442079460003")
    return made.customer


@pytest.mark.parametrize("what", READ)
def test_who_has_nothing_is_shown_nothing(what: str, customer: Customer, neighbours: Neighbours) -> None:
    assert not READ[what](tenant=customer.tenant, customer=customer)
    for each in (neighbours.beside.customer, neighbours.across.customer):
        assert READ[what](tenant=each.tenant, customer=each)


@pytest.mark.parametrize("what", READ)
def test_nothing_of_a_customer_is_read_in_another_tenant(what: str, neighbours: Neighbours) -> None:
    beside, across = neighbours.beside.customer, neighbours.across.customer
    assert not READ[what](tenant=across.tenant, customer=beside)
    assert not READ[what](tenant=beside.tenant, customer=across)


@pytest.mark.parametrize("what", READ)
def test_everybody_is_shown_their_own(what: str, rich: Customer, neighbours: Neighbours) -> None:
    found = [READ[what](tenant=each.tenant, customer=each) for each in (rich, neighbours.beside.customer)]
    assert len(found[0]) == len(found[1]) > 0


def test_nobody_acts_for_the_company_of_somebody_else(customer: Customer) -> None:
    with pytest.raises(InvalidInput):
        legal_entities.get_assigned(tenant=customer.tenant, customer=customer, public_id=COMPANY)


def test_nobody_removes_the_identifier_of_somebody_else(rich: Customer, neighbours: Neighbours) -> None:
    for each in (neighbours.beside.customer, neighbours.across.customer):
        for row in identifiers.list_for(tenant=each.tenant, customer=each):
            assert not identifiers.remove(
                tenant=rich.tenant, customer=rich, identifier_id=row.pk, staff_username="clara"
            )
    assert neighbours.changed() == {}


def test_a_full_profile_is_ones_own(customer: Customer) -> None:
    profile = full_profiles.read(tenant=customer.tenant, customer=customer)
    assert profile == full_profiles.FullProfile(customer=customer, address=None, consents={}, identifiers={})


def test_an_address_of_the_same_id_is_somebody_elses(customer: Customer) -> None:
    assert addresses.find_default(tenant=customer.tenant, customer=customer) is None
    for call in (addresses.get, addresses.remove):
        with pytest.raises(addresses.AddressNotFound):
            call(tenant=customer.tenant, customer=customer, public_id="home")


def test_identifiers_name_whom_they_were_assigned_to(
    rich: Customer, neighbours: Neighbours, other_tenant: Tenant
) -> None:
    beside = neighbours.beside.customer
    cards = {each: {"card": f"card of {each.contact_email}"} for each in (rich, beside)}
    assert {each: identifiers.find_customer(tenant=rich.tenant, identifiers=card) for each, card in cards.items()} == {
        rich: rich,
        beside: beside,
    }
    assert identifiers.find_customer(tenant=other_tenant, identifiers=cards[rich]) == neighbours.across.customer
    assert identifiers.find_customer(tenant=other_tenant, identifiers=cards[beside]) is None
    assert identifiers.find_customer(tenant=rich.tenant, identifiers={"till": f"card of {rich.contact_email}"}) is None


def add_default_address(customer: Customer) -> None:
    addresses.add(tenant=customer.tenant, customer=customer, values={"contact_name": "Ada", "is_default": True})


def remove_identifier(customer: Customer) -> None:
    row = identifiers.list_for(tenant=customer.tenant, customer=customer)[0]
    assert identifiers.remove(tenant=customer.tenant, customer=customer, identifier_id=row.pk, staff_username="clara")


def finish_erasure(customer: Customer) -> None:
    erasure.erase(tenant=customer.tenant, customer=customer)
    erasure.finish(customer=customer)


CHANGES: dict[str, Callable[[Customer], object]] = {
    "profile": lambda who: profiles.update(
        tenant=who.tenant, customer=who, changes={"last_name": "King"}, client=CLIENT
    ),
    "new default address": add_default_address,
    "address": lambda who: addresses.update(
        tenant=who.tenant, customer=who, public_id="home", changes={"city": "Ockham", "is_default": True}
    ),
    "address removed": lambda who: addresses.remove(tenant=who.tenant, customer=who, public_id="home"),
    "tags": lambda who: addresses.add_tags(tenant=who.tenant, customer=who, public_id="home", tags=["gift"]),
    "tags removed": lambda who: addresses.remove_tags(
        tenant=who.tenant, customer=who, public_id="home", tags=["billing"]
    ),
    "consents": lambda who: consents.record(
        tenant=who.tenant, customer=who, given={"email": False, "sms": True}, source="shop", client=CLIENT
    ),
    "identifier": lambda who: identifiers.assign(
        tenant=who.tenant, customer=who, identifiers={"card": "new"}, client=CLIENT
    ),
    "identifier removed": remove_identifier,
    "segment removed": lambda who: segments.remove(
        tenant=who.tenant, customer=who, code="vip", client=CLIENT, staff_username="clara"
    ),
    "erasure": lambda who: erasure.erase(tenant=who.tenant, customer=who),
    "rest of an erasure": finish_erasure,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_nobody_elses(change: str, rich: Customer, neighbours: Neighbours) -> None:
    before = neighbourhood.rows_of(rich)
    CHANGES[change](rich)
    assert neighbourhood.rows_of(rich) != before
    assert neighbours.changed() == {}
