"""Whom submitted data is about, and where that customer can be asked."""

import pytest

from auth_providers.accounts import accounts
from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from auth_providers.intake import matching
from auth_providers.models import Account
from customers import erasure, identifiers
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import Tenant
from tests import factories
from tests.neighbours import Neighbours

PHONE, CARD = "+442079460003", {"card": "7"}
BY_MAIL = ContactPoint(channel=EMAIL, destination=factories.EMAIL)
BY_PHONE = ContactPoint(channel=SMS, destination=PHONE)


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    made = factories.make_customer(tenant)
    accounts.create_for_contact_point(tenant=tenant, customer=made, point=BY_PHONE, proof=Account.Proof.CODE)
    identifiers.assign(tenant=tenant, customer=made, identifiers=CARD)
    return made


def find(tenant: Tenant, card: dict[str, str] | None = None, *, email: str = "", phone: str = "") -> matching.Match:
    found = matching.find(tenant=tenant, identifiers=card or {}, email=email, phone=phone)
    assert found is not None
    return found


def is_nobody(tenant: Tenant, card: dict[str, str] | None = None, *, email: str = "", phone: str = "") -> bool:
    return matching.find(tenant=tenant, identifiers=card or {}, email=email, phone=phone) is None


def test_an_identifier_is_asked_at_every_contact_point_of_its_customer(customer: Customer) -> None:
    expected = matching.Match(customer=customer, contact_points=(BY_MAIL, BY_PHONE))
    assert find(customer.tenant, CARD) == expected
    assert find(customer.tenant, CARD, email="mallory@example.com", phone="+442079460009") == expected


def test_an_address_is_asked_there_alone_whatever_telephone_comes_along(
    neighbours: Neighbours, customer: Customer
) -> None:
    expected = matching.Match(customer=customer, contact_points=(BY_MAIL,))
    for phone in ("", PHONE, neighbours.beside.customer.contact_phone or ""):
        assert find(customer.tenant, email=factories.EMAIL, phone=phone) == expected


def test_a_telephone_alone_is_asked_there_and_then_by_mail(customer: Customer) -> None:
    found = find(customer.tenant, phone=PHONE)
    assert found == matching.Match(customer=customer, contact_points=(BY_PHONE, BY_MAIL), is_by_phone=True)


def test_a_telephone_beside_an_unknown_address_names_nobody(customer: Customer) -> None:
    """Another address is another person."""
    assert is_nobody(customer.tenant, email="new@example.com", phone=PHONE)


def test_contact_data_names_nobody(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(contact_email="c@example.com", contact_phone="+442079460009")
    assert is_nobody(customer.tenant, email="c@example.com")
    assert is_nobody(customer.tenant, phone="+442079460009")
    assert is_nobody(customer.tenant)


def test_an_identifier_nobody_has_leaves_it_to_the_address(customer: Customer) -> None:
    assert find(customer.tenant, {"card": "8"}, email=factories.EMAIL).customer == customer
    assert is_nobody(customer.tenant, {"card": "8"})
    assert is_nobody(customer.tenant, {"till": "7"})


def test_identifiers_go_before_the_address_of_somebody_else(neighbours: Neighbours, customer: Customer) -> None:
    beside = neighbours.beside.customer
    found = find(customer.tenant, {"card": f"card of {beside.contact_email}"}, email=factories.EMAIL)
    assert found.customer == beside


def test_identifiers_of_two_customers_are_refused(neighbours: Neighbours, customer: Customer) -> None:
    beside = neighbours.beside.customer
    for email in ("", factories.EMAIL, beside.contact_email or ""):
        with pytest.raises(InvalidInput):
            matching.find(tenant=customer.tenant, identifiers=CARD | {"till": beside.number}, email=email, phone="")


def test_nobody_is_found_in_another_tenant_or_after_an_erasure(neighbours: Neighbours, customer: Customer) -> None:
    across = neighbours.across.customer
    assert is_nobody(across.tenant, CARD)
    assert is_nobody(across.tenant, phone=PHONE)
    assert find(across.tenant, email=factories.EMAIL).customer == across
    erasure.erase(tenant=customer.tenant, customer=customer)
    assert is_nobody(customer.tenant, CARD)
    assert is_nobody(customer.tenant, email=factories.EMAIL)
    assert is_nobody(customer.tenant, phone=PHONE)


@pytest.mark.parametrize(
    ("email", "phone", "expected"),
    [
        (factories.EMAIL, PHONE, (BY_MAIL,)),
        (factories.EMAIL, "", (BY_MAIL,)),
        ("", PHONE, (BY_PHONE,)),
        ("", "", ()),
    ],
)
def test_submitted_data_is_asked_by_mail_before_text_messages(
    email: str, phone: str, expected: tuple[ContactPoint, ...]
) -> None:
    assert matching.posted_contact_points(email=email, phone=phone) == expected
