"""Deactivate, put on hold, end sessions: from the customer's page and from the list; the next request tells."""

from collections.abc import Callable

import pytest
from django.test import Client
from rest_framework.test import APIClient

from customers.models import Customer
from tenants.models import AuditEvent
from tests import factories
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import LIST, Page, action_of, page_of

ENDING = ["deactivate", "put_on_hold", "end_sessions"]


def status_of(api: APIClient, token: str) -> int:
    response = api.get("/customer/acme/me", HTTP_AUTHORIZATION=f"Bearer {token}")
    return int(response.status_code)


def by_button(clerk: Client, customer: Customer, name: str) -> None:
    page = Page(clerk.get(page_of(customer)))
    assert action_of(customer, name) in page.actions
    response = clerk.post(action_of(customer, name), {"reason": "Asked by telephone", "next": page_of(customer)})
    assert response.status_code == 302
    assert response["Location"] == page_of(customer)


def by_list(clerk: Client, customer: Customer, name: str) -> None:
    posted = {"action": name, "_selected_action": [customer.pk], "index": "0", "reason": "Fraud"}
    assert clerk.post(LIST, posted).status_code == 302


@pytest.mark.parametrize("use", [by_button, by_list])
@pytest.mark.parametrize("name", ENDING)
def test_an_action_that_ends_access_refuses_tokens_at_the_next_request(
    customer: Customer, clerk: Client, api: APIClient, use: Callable[[Client, Customer, str], None], name: str
) -> None:
    token = factories.log_in(customer).access_token
    assert status_of(api, token) == 200
    use(clerk, customer, name)
    assert status_of(api, token) == 401
    events = AuditEvent.objects.filter(staff_username="clara", customer_number=customer.number)
    assert events.filter(action="end_all_sessions").count() == 1
    assert {event.address for event in events} == {"127.0.0.1"}
    assert name == "end_sessions" or events.filter(action=name).count() == 1


@pytest.mark.parametrize(
    ("ended", "name", "field"),
    [({"is_active": False}, "activate", "is_active"), ({"is_on_hold": True}, "release_hold", "is_on_hold")],
)
def test_access_can_be_given_back(
    customer: Customer, clerk: Client, ended: dict[str, bool], name: str, field: str
) -> None:
    Customer.objects.filter(pk=customer.pk).update(**ended)
    by_button(clerk, customer, name)
    assert getattr(Customer.objects.get(pk=customer.pk), field) is not ended[field]
    assert AuditEvent.objects.filter(action=name, staff_username="clara", address="127.0.0.1").count() == 1


def test_only_the_chosen_customer_is_concerned(customer: Customer, clerk: Client, api: APIClient) -> None:
    other = factories.log_in(factories.make_customer(customer.tenant, email="other@example.com"))
    by_list(clerk, customer, "deactivate")
    assert status_of(api, other.access_token) == 200


def test_the_page_offers_what_would_change_something(customer: Customer, clerk: Client) -> None:
    actions = Page(clerk.get(page_of(customer))).actions
    assert action_of(customer, "deactivate") in actions
    assert action_of(customer, "activate") not in actions
    Customer.objects.filter(pk=customer.pk).update(is_active=False)
    assert action_of(customer, "end_sessions") not in Page(clerk.get(page_of(customer))).actions


def test_an_action_is_not_taken_by_a_link(customer: Customer, clerk: Client) -> None:
    assert clerk.get(action_of(customer, "deactivate")).status_code == 405
    assert Customer.objects.get(pk=customer.pk).is_active


def test_an_action_needs_the_token_of_the_form(customer: Customer, clerk: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = clerk.cookies
    assert strict.post(action_of(customer, "deactivate")).status_code == 403
    assert Customer.objects.get(pk=customer.pk).is_active


@pytest.mark.parametrize("name", ["delete", "__class__"])
def test_an_unknown_action_is_not_found(customer: Customer, clerk: Client, name: str) -> None:
    assert clerk.post(action_of(customer, name)).status_code == 404


def test_an_action_on_nobody_is_not_found(customer: Customer, clerk: Client) -> None:
    assert clerk.post(action_of(customer, "deactivate").replace(f"/{customer.pk}/", "/999999/")).status_code == 404


def test_staff_who_may_only_look_have_no_buttons_and_cannot_act(customer: Customer) -> None:
    onlooker = log_in_as(customer.tenant)
    assert not [action for action in Page(onlooker.get(page_of(customer))).actions if "/actions/" in action]
    assert onlooker.post(action_of(customer, "deactivate")).status_code == 403
    onlooker.post(LIST, {"action": "deactivate", "_selected_action": [customer.pk], "index": "0"})
    assert Customer.objects.get(pk=customer.pk).is_active


def test_an_action_on_all_pages_at_once_is_refused(customer: Customer, clerk: Client) -> None:
    everyone = {"action": "deactivate", "_selected_action": [customer.pk], "index": "0", "select_across": "1"}
    page = clerk.post(LIST, everyone, follow=True)
    assert "one page at a time" in page.content.decode()
    assert Customer.objects.get(pk=customer.pk).is_active


def test_an_outsider_cannot_act(customer: Customer) -> None:
    response = Client().post(action_of(customer, "deactivate"))
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")
    assert Customer.objects.get(pk=customer.pk).is_active
