"""Two customers who are one person, from the customer's page: side by side, merged, and two again."""

from typing import Any

import pytest
from django.test import Client

from auth_providers.models import CustomerMerge
from customers.admin.records import TABS
from customers.models import Customer
from tenants.models import AuditEvent, Role, Tenant
from tests import factories
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import LIST, Page, button, page_of, tab_of

OTHER = "countess@example.com"


@pytest.fixture
def other(customer: Customer) -> Customer:
    """The same person, as she signed up first."""
    return factories.make_customer(
        customer.tenant, email=OTHER, first_name="Augusta", last_name="Byron", company="Engines"
    )


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def posted(clerk: Client, customer: Customer, other: Customer, **choice: str) -> Any:
    return clerk.post(
        button(customer, "merge"), {"other": other.number, "reason": "Called about it", **choice}, follow=True
    )


def test_both_are_shown_side_by_side(customer: Customer, other: Customer, clerk: Client) -> None:
    assert button(customer, "merge") in Page(clerk.get(tab_of(customer, "timeline"))).text
    page = Page(clerk.get(button(customer, "merge"), {"other": f" {other.number} "}))
    assert page.inline == []
    assert page.fields["other"] == other.number
    assert (page.fields["kept_version"], page.fields["merged_version"]) == ("1", "1")
    for part in ("Ada", "Augusta", "Lovelace", "Byron", "Engines", "+49 171 2345678", factories.EMAIL, OTHER):
        assert part in page.text
    assert 'value="merged" checked> Engines' in page.text
    assert f"{button(other, 'merge')}?other={customer.number}" in page.text


@pytest.mark.parametrize("number", ["99999999", "nonsense", "' OR 1=1"])
def test_a_number_that_nobody_has_is_told(customer: Customer, clerk: Client, number: str) -> None:
    response = clerk.get(button(customer, "merge"), {"other": number})
    assert "Customer not found" in said(response)
    assert not response.context.get("other")


def test_nobody_is_merged_with_themselves(customer: Customer, clerk: Client) -> None:
    assert "two different" in said(clerk.get(button(customer, "merge"), {"other": customer.number}))


def test_what_was_chosen_is_left_and_one_button_undoes_it(customer: Customer, other: Customer, clerk: Client) -> None:
    response = posted(clerk, customer, other, company="merged", last_name="merged", first_name="kept")
    assert "was merged" in said(response)
    customer.refresh_from_db()
    assert (customer.first_name, customer.last_name, customer.company) == ("Ada", "Byron", "Engines")
    event = AuditEvent.objects.get(action="merge_customers")
    assert (event.staff_username, event.address) == ("clara", "127.0.0.1")
    undo = button(customer, "undo_merge", CustomerMerge.objects.get().pk)
    for tab in dict(TABS):
        assert undo in Page(clerk.get(tab_of(customer, tab))).actions
    response = clerk.post(undo, follow=True)
    assert "is there again" in said(response)
    assert tab_of(other, "timeline") in said(response)
    customer.refresh_from_db()
    other.refresh_from_db()
    assert (customer.last_name, customer.company, other.last_name) == ("Lovelace", None, "Byron")
    assert "can't be undone" in said(clerk.post(undo, follow=True))
    assert undo not in Page(clerk.get(page_of(customer))).actions


def test_the_page_of_who_is_gone_shows_nothing_and_leads_on(customer: Customer, other: Customer, clerk: Client) -> None:
    posted(clerk, customer, other)
    for tab in dict(TABS):
        page = Page(clerk.get(tab_of(other, tab)))
        assert tab_of(customer, "timeline") in page.text
        assert [part for part in ("Augusta", "Byron", OTHER) if part in page.text] == []
        assert not [action for action in page.actions if action.startswith(f"{LIST}{other.pk}/")]
    found = clerk.get(LIST, {"q": other.number}).context["cl"].result_list
    assert other in found
    assert clerk.post(button(other, "merge"), {"other": customer.number}).status_code == 403
    assert clerk.post(button(other, "erase"), {"reason": "x"}).status_code == 403


def test_a_profile_that_was_changed_meanwhile_is_shown_again(
    customer: Customer, other: Customer, clerk: Client
) -> None:
    fields = Page(clerk.get(button(customer, "merge"), {"other": other.number})).fields
    Customer.objects.filter(pk=other.pk).update(version=2)
    response = clerk.post(button(customer, "merge"), {**fields, "reason": "Called"})
    assert "changed in the meantime" in said(response)
    assert response.context["other"] == other
    assert "Say why" in said(clerk.post(button(customer, "merge"), {"other": other.number}))
    assert not CustomerMerge.objects.exists()


def test_an_undo_is_no_link(customer: Customer, other: Customer, clerk: Client) -> None:
    posted(clerk, customer, other)
    undo = button(customer, "undo_merge", CustomerMerge.objects.get().pk)
    assert clerk.get(undo).status_code == 405
    assert Customer.objects.get(pk=other.pk).merged_into == customer


def test_merging_is_for_those_who_may_erase(customer: Customer, other: Customer, clerk: Client) -> None:
    posted(clerk, customer, other)
    support = log_in_as(customer.tenant, Role.SUPPORT)
    undo = button(customer, "undo_merge", CustomerMerge.objects.get().pk)
    page = Page(support.get(tab_of(customer, "timeline")))
    assert (undo in page.actions, button(customer, "merge") in page.text) == (False, False)
    assert support.post(undo).status_code == 403
    assert support.get(button(customer, "merge")).status_code == 403
    assert log_in_as(customer.tenant, Role.MANAGER, "mona").post(undo).status_code == 302


def test_another_tenants_customer_is_not_found(customer: Customer, other_tenant: Tenant, clerk: Client) -> None:
    factories.make_customer(other_tenant, email=OTHER)
    stranger = factories.make_customer(other_tenant, email="third@example.com")
    assert "not found" in said(clerk.get(button(customer, "merge"), {"other": stranger.number}))
