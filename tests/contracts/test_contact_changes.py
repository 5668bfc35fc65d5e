"""Who is told that a customer has changed the contact e-mail or telephone number of the profile."""

from typing import Any

import pytest

from customers.models import Customer
from tenants.models import Message, Tenant
from tests import factories
from tests.contracts.calls import call

FORMER, NEW, PHONE = "former@example.com", "mallory@example.com", "+491712345678"


@pytest.fixture
def customer(tenant: Tenant) -> Customer:
    return factories.make_customer(tenant, contact_email=FORMER)


def told() -> list[str]:
    return sorted(Message.objects.filter(template="contact_changed").values_list("recipient", flat=True))


def patch(customer: Customer, body: Any) -> None:
    token = factories.log_in(customer).access_token
    assert call("PATCH", "/customer/acme/me", token=token, json=body).status_code in {200, 204}


def test_a_changed_email_is_told_at_the_former_address_and_every_proven_one(customer: Customer) -> None:
    patch(customer, {"contactEmail": NEW})
    assert told() == [factories.EMAIL, FORMER]


def test_a_changed_telephone_is_told_at_every_proven_address(customer: Customer) -> None:
    patch(customer, {"contactPhone": PHONE})
    assert told() == [factories.EMAIL]


@pytest.mark.parametrize("body", [{"firstName": "Augusta"}, {"contactEmail": FORMER}], ids=["name", "the same"])
def test_a_patch_of_something_else_is_not_told(customer: Customer, body: Any) -> None:
    patch(customer, body)
    assert told() == []
