"""A profile with all that belongs to it: the customer's own, as it is now."""

from collections.abc import Callable
from typing import Any

from customers import consents, full_profiles, identifiers
from customers.addresses import addresses, fields
from customers.models import Customer
from tests.factories import CLIENT
from tests.neighbours import Neighbours, make_customer_with_everything

PHONE = "+442079460003"
HOME = {"contact_name": "Ada Lovelace", "country": "GB", "city": "London"}


def read(customer: Customer) -> full_profiles.FullProfile:
    return full_profiles.read(tenant=customer.tenant, customer=customer)


def test_a_profile_without_anything(customer: Customer) -> None:
    empty = full_profiles.FullProfile(customer=customer, address=None, consents={}, identifiers={})
    assert read(customer) == empty


def test_everything_is_the_customers_own(neighbours: Neighbours) -> None:
    rich = make_customer_with_everything(neighbours.beside.customer.tenant, email="ada@example.com", phone=PHONE)
    for customer in (rich.customer, neighbours.beside.customer, neighbours.across.customer):
        found = read(customer)
        assert found.consents == {"email": True, "sms": False}
        assert found.identifiers == {"card": f"card of {customer.contact_email}", "till": customer.number}
        assert found.address == addresses.find_default(tenant=customer.tenant, customer=customer)
        assert found.address is not None
    across = neighbours.across.customer
    assert full_profiles.read(tenant=rich.customer.tenant, customer=across).identifiers == {}
    assert full_profiles.read(tenant=rich.customer.tenant, customer=across).consents == {}


def test_the_consent_in_force_is_the_newest_of_each_purpose(customer: Customer) -> None:
    for given in ({"email": True, "sms": True}, {"email": False}, {"post": True}):
        consents.record(tenant=customer.tenant, customer=customer, given=given, source="till", client=CLIENT)
    assert read(customer).consents == {"email": False, "post": True, "sms": True}
    assert read(customer).consents == consents.current(tenant=customer.tenant, customer=customer)


def test_of_several_identifiers_of_one_name_the_last_is_shown(customer: Customer) -> None:
    for value in ("7", "9", "8"):
        identifiers.assign(tenant=customer.tenant, customer=customer, identifiers={"card": value})
    assert read(customer).identifiers == {"card": "9"}


def test_the_address_is_the_default_one(customer: Customer) -> None:
    who: dict[str, Any] = {"tenant": customer.tenant, "customer": customer}
    first, second = (addresses.add(**who, values=fields.changes_of(HOME)) for _ in range(2))
    assert read(customer).address == first
    addresses.update(**who, public_id=second.public_id, changes={"is_default": True})
    assert read(customer).address == second


def test_it_takes_two_statements_whatever_there_is(
    neighbours: Neighbours, customer: Customer, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    assert len(statements(lambda: read(customer))) == len(statements(lambda: read(neighbours.beside.customer))) == 2
