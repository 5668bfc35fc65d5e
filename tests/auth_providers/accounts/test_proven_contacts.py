"""The address and the number of a customer that others rely on: which of several, and whether they are proven."""

from typing import Any

import pytest

from auth_providers.accounts import accounts, proven_contacts
from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from auth_providers.accounts.proven_contacts import ProvenContacts
from auth_providers.models import Account
from customers.models import Customer
from tenants.models import Tenant
from tests import factories

OLD, NEW = "+442079460001", "+442079460002"


@pytest.fixture
def customer(tenant: Tenant, other_tenant: Tenant) -> Customer:
    """Who has proven nothing, beside two others who have."""
    for each, email in ((tenant, "beside@example.com"), (other_tenant, "across@example.com")):
        prove(factories.make_customer(each, email=email), "+442079460009")
    made = factories.make_customer(tenant)
    Account.objects.filter(customer=made).update(**factories.UNVERIFIED)
    return made


def prove(customer: Customer, destination: str, proof: Account.Proof | None = Account.Proof.CODE) -> Account:
    point = ContactPoint(channel=EMAIL if "@" in destination else SMS, destination=destination)
    return accounts.create_for_contact_point(tenant=customer.tenant, customer=customer, point=point, proof=proof)


def find(customer: Customer, **profile: Any) -> ProvenContacts:
    for name, value in profile.items():
        setattr(customer, name, value)
    return proven_contacts.find(tenant=customer.tenant, customer=customer)


def test_what_nobody_has_proven_is_no_address_and_the_profiles_number(customer: Customer) -> None:
    prove(customer, OLD, proof=None)
    assert find(customer, contact_phone=None) == ProvenContacts()
    assert find(customer, contact_phone=NEW) == ProvenContacts(phone=NEW)
    assert find(customer, contact_phone=OLD) == ProvenContacts(phone=OLD)


@pytest.mark.parametrize(
    ("contact_email", "expected"),
    [
        ("second@example.com", "second@example.com"),
        ("other@example.com", "first@example.com"),
        (None, "first@example.com"),
    ],
)
def test_of_several_addresses_the_profiles_or_the_oldest(
    customer: Customer, contact_email: str | None, expected: str
) -> None:
    for email in ("first@example.com", "second@example.com"):
        prove(customer, email)
    prove(customer, "other@example.com", proof=None)
    assert find(customer, contact_email=contact_email) == ProvenContacts(email=expected)


@pytest.mark.parametrize(
    ("contact_phone", "expected"), [(NEW, NEW), ("+442079460003", OLD), ("", OLD), (None, OLD), ("no number", OLD)]
)
def test_of_several_numbers_the_profiles_or_the_oldest(
    customer: Customer, contact_phone: str | None, expected: str
) -> None:
    prove(customer, OLD)
    prove(customer, NEW)
    assert find(customer, contact_phone=contact_phone) == ProvenContacts(phone=expected, is_phone_proven=True)


@pytest.mark.parametrize(("country", "expected"), [("GB", OLD), ("", "")])
def test_a_number_without_a_country_code_is_the_tenants_countrys(
    customer: Customer, country: str, expected: str
) -> None:
    customer.tenant.default_country = country
    assert find(customer, contact_phone="020 7946 0001") == ProvenContacts(phone=expected)


@pytest.mark.parametrize("is_verified", [True, False])
def test_the_address_of_an_identity_counts_where_its_provider_has_verified_it(
    customer: Customer, is_verified: bool
) -> None:
    accounts.create_external(
        tenant=customer.tenant,
        customer=customer,
        provider="partner",
        issuer="https://issuer.example",
        subject="+442079460005",
        email="theirs@example.com",
        is_email_verified=is_verified,
    )
    assert find(customer) == ProvenContacts(email="theirs@example.com" if is_verified else "")
