"""Who changes the same customer later sees what was done before: every lock, with two transactions in a known order."""

from collections.abc import Callable

import pytest

from customers import consents, erasure, identifiers, notes, profiles, segments
from customers.addresses import addresses
from customers.addresses.addresses import AddressIdTaken
from customers.models import Customer, Segment
from customers.profiles import CustomerNotFound, StaleVersion
from tests.factories import CLIENT
from tests.races import behind

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

Act = Callable[[Customer], object]


def change(customer: Customer) -> Customer:
    changes = profiles.changes_of({"first_name": "Augusta"})
    return profiles.update(tenant=customer.tenant, customer=customer, changes=changes, expected_version=1)


def add_address(customer: Customer) -> str:
    return addresses.add(
        tenant=customer.tenant, customer=customer, values={"public_id": "home", "contact_name": "Ada"}
    ).public_id


def consent(customer: Customer) -> dict[str, bool]:
    return consents.record(
        tenant=customer.tenant, customer=customer, given={"email": True}, source="till", client=CLIENT
    )


def assign_identifier(customer: Customer) -> None:
    identifiers.assign(tenant=customer.tenant, customer=customer, identifiers={"card": "1234567"})


def assign_segment(customer: Customer) -> bool:
    return segments.assign(tenant=customer.tenant, customer=customer, code="vip")


def erase(customer: Customer) -> None:
    erasure.erase(tenant=customer.tenant, customer=customer)


def add_note(customer: Customer) -> None:
    notes.add(tenant=customer.tenant, customer=customer, text="Called", staff_username="clara")


def lock(customer: Customer) -> None:
    profiles.lock(tenant=customer.tenant, customer=customer)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (change, change, StaleVersion),
        (add_address, add_address, AddressIdTaken),
        (consent, consent, {}),
        (assign_identifier, assign_identifier, None),
        (assign_segment, assign_segment, False),
        (erase, add_note, CustomerNotFound),
        (erase, lock, CustomerNotFound),
    ],
)
def test_the_second_sees_what_the_first_has_done(first: Act, second: Act, expected: object, customer: Customer) -> None:
    Segment.objects.create(tenant=customer.tenant, code="vip", name="VIP")
    seen = behind(lambda: first(customer), lambda: second(customer))
    assert expected in (seen, type(seen))
