"""Consents: what is in force, and a history that only grows by what changed."""

from collections.abc import Callable
from typing import Any

import pytest

from customers import consents, erasure, numbers, profiles
from customers.models import Consent, Customer
from tenants.errors import InvalidInput
from tenants.isolation import Confinement
from tenants.models import AuditEvent, Tenant
from tests.factories import CLIENT
from tests.races import at_once


def record(customer: Customer, source: str = "till", **given: bool) -> dict[str, bool]:
    return consents.record(tenant=customer.tenant, customer=customer, given=given, source=source, client=CLIENT)


def current(customer: Customer) -> dict[str, bool]:
    return consents.current(tenant=customer.tenant, customer=customer)


def test_only_what_changes_becomes_history(customer: Customer) -> None:
    assert record(customer, email=True, sms=False) == {"email": True, "sms": False}
    assert record(customer, email=True, sms=False) == {}
    assert record(customer, "newsletter", email=False, sms=False, post=True) == {"email": False, "post": True}
    assert current(customer) == {"email": False, "sms": False, "post": True}
    history = consents.history(tenant=customer.tenant, customer=customer)
    assert [(each.purpose, each.is_given, each.source) for each in history] == [
        ("post", True, "newsletter"),
        ("email", False, "newsletter"),
        ("sms", False, "till"),
        ("email", True, "till"),
    ]


def test_a_change_is_on_the_trail_and_a_repetition_is_not(customer: Customer) -> None:
    for _ in range(2):
        record(customer, sms=False, email=True)
    event = AuditEvent.objects.get(action="change_consents")
    assert (event.customer_number, event.reason) == (customer.number, "email=yes, sms=no")
    assert event.address == CLIENT.address


def test_each_customer_has_their_own(customer: Customer, other_tenant: Tenant) -> None:
    neighbour = profiles.create(tenant=customer.tenant, number=numbers.take(tenant=customer.tenant), values={})
    record(neighbour, email=True)
    assert current(customer) == {}
    assert consents.current(tenant=other_tenant, customer=neighbour) == {}
    with pytest.raises(profiles.CustomerNotFound):
        consents.record(tenant=other_tenant, customer=neighbour, given={"sms": True}, source="", client=CLIENT)


@pytest.mark.parametrize("given", [{"": True}, {"a b": True}, {"x" * 65: True}, {"email": "yes"}, {"email": None}])
def test_what_is_no_consent_is_refused(customer: Customer, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        record(customer, **given)
    assert refused.value.details[0].field.startswith("consents")
    assert not Consent.objects.exists()


def test_everything_wrong_is_said_at_once(customer: Customer) -> None:
    given = {"a b": True, "email": "yes", **{f"purpose{number}": True for number in range(consents.MAX_PURPOSES)}}
    with pytest.raises(InvalidInput) as refused:
        consents.check(given=given)
    assert [(each.field, each.code) for each in refused.value.details] == [
        ("consents.a b", "invalid"),
        ("consents.email", "type"),
        ("consents", "max_length"),
    ]
    consents.check(given={"p" * 64: True, **{f"purpose{number}": False for number in range(consents.MAX_PURPOSES - 1)}})


def test_there_are_no_endless_purposes(customer: Customer) -> None:
    purposes = {f"purpose{number}": True for number in range(consents.MAX_PURPOSES)}
    consents.record(tenant=customer.tenant, customer=customer, given=purposes, source="till", client=CLIENT)
    with pytest.raises(InvalidInput):
        record(customer, one_more=True)
    assert record(customer, purpose0=False) == {"purpose0": False}


def test_who_was_erased_says_nothing_any_more(customer: Customer) -> None:
    erasure.erase(tenant=customer.tenant, customer=customer)
    with pytest.raises(profiles.CustomerNotFound):
        record(customer, email=True)


def test_a_confined_request_may_record_several(customer: Customer) -> None:
    with Confinement(customer.tenant):
        record(customer, email=True, sms=True, post=False)
        assert current(customer) == {"email": True, "sms": True, "post": False}


def test_what_it_costs(customer: Customer, statements: Callable[[Callable[[], Any]], list[str]]) -> None:
    assert len(statements(lambda: record(customer, email=True, sms=True, post=True))) == 5
    assert len(statements(lambda: record(customer, email=True))) == 2
    assert len(statements(lambda: current(customer))) == 1


@pytest.mark.django_db(transaction=True)
def test_many_who_say_the_same_at_once_say_it_once(customer: Customer) -> None:
    results = at_once(6, lambda index: record(customer, email=True))
    assert (results.count({"email": True}), results.count({})) == (1, 5)
    assert Consent.objects.count() == 1
