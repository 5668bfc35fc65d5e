"""What a storefront has read it can send back, through every contract, also where a list has retired a value since."""

from typing import Any

import pytest

from customers.models import Address, Customer
from tenants.models import Tenant
from tests import factories
from tests.contracts.calls import body_of, call
from tests.contracts.neostore_calls import hand_in
from tests.contracts.operations import EVERY_OPERATION, Operation
from tests.contracts.scene import Scene
from tests.factories import LoggedIn

RETIRED = {
    "preferred_currency": "BGN",  # Bulgaria pays in euros since 2026
    "nationality": "AN",  # the Netherlands Antilles, until 2010
    "contact_email": "ada@internal.local",
    "contact_phone": "+525512345678",
}
NEOSTORE = {"preferred_currency": "currency", "contact_email": "email", "contact_phone": "phoneNumber"}


@pytest.fixture
def ada(tenant: Tenant) -> LoggedIn:
    customer = factories.make_customer(tenant)
    Customer.objects.filter(pk=customer.pk).update(**RETIRED)
    return factories.log_in(customer)


def read(path: str, ada: LoggedIn) -> dict[str, Any]:
    answer = call("GET", path, token=ada.access_token)
    assert answer.status_code == 200
    return dict(body_of(answer))


def stored() -> dict[str, Any]:
    return dict(Customer.objects.filter(contact_email=RETIRED["contact_email"]).values(*RETIRED).get())


def test_a_profile_read_from_neostore_is_sent_back(ada: LoggedIn) -> None:
    seen = read("/api/acme/customer", ada)
    assert {"BGN", "ada@internal.local"} <= {str(value) for value in seen.values()}
    answer = hand_in(seen | {"firstName": "Augusta"}, token=ada.access_token)
    assert answer.status_code == 200, answer.content
    assert read("/api/acme/customer", ada)["firstName"] == "Augusta"
    assert stored() == RETIRED


# What Emporix takes, and what the lists and rules of Neostore refuse today.
ADDRESSES = [
    {"country": "AN", "postal_code": "1234"},
    {"country": "AN", "postal_code": None},
    {"country": "ZZ", "city": None},
    {"country": "DE", "postal_code": "ABC"},
]


@pytest.mark.parametrize("stored", ADDRESSES)
@pytest.mark.parametrize("change", [{"firstName": "Augusta"}, {"city": "Ockham"}, {"address": "Main Street"}])
def test_an_address_read_from_neostore_is_sent_back(tenant: Tenant, stored: Any, change: dict[str, str]) -> None:
    address = {"contact_name": "Ada", "street": "Heerenstraat", "city": "Willemstad", "country": "DE"}
    ada = factories.log_in(factories.make_customer(tenant, address=address))
    Address.objects.update(**stored)
    seen = read("/api/acme/customer", ada)
    for sent in (seen | change, change):
        answer = hand_in(sent, token=ada.access_token)
        assert answer.status_code == 200, answer.content
        assert read("/api/acme/customer", ada) == seen | change


@pytest.mark.parametrize("change", [{"country": "AN"}, {"postcode": "ABC", "country": "DE"}])
def test_another_address_is_held_to_the_rules_of_today(tenant: Tenant, change: dict[str, str]) -> None:
    address = {"contact_name": "Ada", "postal_code": "10117", "country": "DE"}
    ada = factories.log_in(factories.make_customer(tenant, address=address))
    seen = read("/api/acme/customer", ada)
    assert hand_in(seen | change, token=ada.access_token).status_code == 412
    assert read("/api/acme/customer", ada) == seen


@pytest.mark.parametrize("operation", EVERY_OPERATION, ids=str)
def test_every_operation_succeeds_where_the_defaults_and_the_profile_are_retired(
    operation: Operation, scene: Scene
) -> None:
    """Sign-ups of each kind, log-ins, addresses, consents and the rest."""
    Tenant.objects.update(default_currency="BGN", default_country="AN", default_language="sh_YU")
    Customer.objects.filter(pk=scene.customer.pk).update(
        preferred_currency="BGN", nationality="AN", preferred_language="sh_YU"
    )
    Address.objects.update(country="AN")
    scene.tenant.refresh_from_db()
    answer = operation.send(scene)
    assert answer.status_code == operation.success, answer.content


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_profile_read_from_emporix_is_sent_back(ada: LoggedIn, method: str) -> None:
    seen = read("/customer/acme/me", ada)
    answer = call(method, "/customer/acme/me", json=seen | {"firstName": "Augusta"}, token=ada.access_token)
    assert answer.status_code in {200, 204}, answer.content
    assert read("/customer/acme/me", ada)["firstName"] == "Augusta"
    assert stored() == RETIRED


@pytest.mark.parametrize("name", ["preferred_currency", "nationality"])
def test_another_retired_value_is_refused(ada: LoggedIn, name: str) -> None:
    Customer.objects.filter(pk=ada.customer.pk).update(**{name: "EUR" if name == "preferred_currency" else "DE"})
    answer = hand_in({NEOSTORE.get(name, name): RETIRED[name]}, token=ada.access_token)
    assert answer.status_code == 412
    assert list(body_of(answer)["errors"]) == [NEOSTORE.get(name, name)]


def test_what_else_is_wrong_is_told(ada: LoggedIn) -> None:
    answer = hand_in({"currency": "BGN", "birthDate": "yesterday"}, token=ada.access_token)
    assert answer.status_code == 412
    assert list(body_of(answer)["errors"]) == ["birthDate"]


def test_without_a_token_nobody_has_sent_anything_before(ada: LoggedIn) -> None:
    assert hand_in({"email": "grace@example.com", "currency": "BGN"}).status_code == 412


def test_a_customer_of_kosovo_goes_from_one_contract_to_the_other(tenant: Tenant) -> None:
    ada = factories.log_in(factories.make_customer(tenant))
    address = {
        "contactName": "Ada",
        "street": "Agim Ramadani",
        "city": "Prishtina",
        "country": "XK",
        "zipCode": "10000",
    }
    assert (
        call(
            "POST", "/customer/acme/me/addresses", json=address | {"isDefault": True}, token=ada.access_token
        ).status_code
        == 201
    )
    profile = {"contactPhone": "+38344123456", "nationality": "XK"}
    assert call("PATCH", "/customer/acme/me", json=profile, token=ada.access_token).status_code in {200, 204}
    seen = read("/api/acme/customer", ada)
    answer = hand_in(seen, token=ada.access_token)
    assert answer.status_code == 200, answer.content
    assert read("/api/acme/customer", ada) == seen
    assert Address.objects.get(customer=ada.customer).country == "XK"
