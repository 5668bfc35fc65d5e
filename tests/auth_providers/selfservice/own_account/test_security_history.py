"""The history that a customer looks through: whose events it has, which, and how its pages follow each other."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth_providers.selfservice.own_account import security_history
from auth_providers.selfservice.own_account.security_history import Page
from customers.models import Customer
from tenants.errors import InvalidInput
from tenants.models import AuditEvent, Tenant
from tenants.secrets.encryption import encrypt
from tenants.trail import audit
from tests.neighbours import Neighbours


@pytest.fixture
def customer(neighbours: Neighbours, tenant: Tenant) -> Customer:
    """Of whom nothing is on the trail."""
    return Customer.objects.create(tenant=tenant, number="10000001")


def note(customer: Customer, action: str = "log_in") -> AuditEvent:
    return audit.record(tenant=customer.tenant, action=action, customer_number=customer.number)


def read(customer: Customer, *, before: str = "", limit: int = 50) -> Page:
    return security_history.read(tenant=customer.tenant, customer=customer, before=before, limit=limit)


def keys(page: Page) -> list[int]:
    return [each.pk for each in page.events]


def test_events_of_others_and_those_that_open_nothing_are_left_out(
    neighbours: Neighbours, customer: Customer, other_tenant: Tenant
) -> None:
    own = [note(customer), note(customer, "second_factor_removed"), note(customer, "export_customer")]
    note(customer, "view_profile")
    note(neighbours.beside.customer)
    audit.record(tenant=other_tenant, action="log_in", customer_number=customer.number)
    assert keys(read(customer)) == [each.pk for each in reversed(own)]


@pytest.mark.parametrize(("events", "has_more"), [(0, False), (1, False), (2, False), (3, True)])
def test_another_page_is_offered_where_there_is_one(customer: Customer, events: int, has_more: bool) -> None:
    own = [note(customer).pk for _ in range(events)]
    page = read(customer, limit=2)
    assert keys(page) == own[::-1][:2]
    assert (page.before != "") == has_more


def test_what_the_next_page_is_asked_by_does_not_tell_how_many_events_there_are(customer: Customer) -> None:
    first, second, _ = (note(customer) for _ in range(3))
    page = read(customer, limit=2)
    assert str(second.pk) != page.before
    assert page.before != read(customer, limit=2).before
    assert keys(read(customer, before=page.before, limit=2)) == [first.pk]


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(min_value=1, max_value=6))
def test_pages_have_every_event_once(customer: Customer, limit: int) -> None:
    own = [note(customer).pk for _ in range(4)]
    found, before = [], ""
    while True:
        page = read(customer, before=before, limit=limit)
        assert 0 < len(page.events) <= limit
        found += keys(page)
        before = page.before
        if not before:
            break
    assert len(found) == len(set(found))
    assert found[: len(own)] == own[::-1]


@pytest.mark.parametrize(
    ("text", "is_encrypted"), [("nonsense", False), ("17", False), ("seventeen", True), ("", True)]
)
def test_a_place_that_no_page_named_is_refused(customer: Customer, text: str, is_encrypted: bool) -> None:
    note(customer)
    with pytest.raises(InvalidInput) as refused:
        read(customer, before=encrypt(text) if is_encrypted else text)
    assert [each.field for each in refused.value.details] == ["before"]
