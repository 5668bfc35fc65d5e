"""The customer's page: profile, log-ins, sessions, addresses and what happened, in a fixed number of statements."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account
from customers.admin.records import TABS
from customers.models import Customer
from tenants.models import AuditEvent
from tests import factories
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import LIST, Page, page_of, tab_of

ADDRESS = {"contact_name": "Ada at work", "street": "Engine Road", "tags": ["BILLING"]}


def test_a_log_in_without_a_password(customer: Customer, clerk: Client) -> None:
    assert '<td data-label="Password">none</td>' not in clerk.get(tab_of(customer, "log_ins")).content.decode()
    Account.objects.update(password=NO_PASSWORD)
    assert '<td data-label="Password">none</td>' in clerk.get(tab_of(customer, "log_ins")).content.decode()


def test_a_view_is_on_the_trail(customer: Customer, clerk: Client) -> None:
    clerk.get(page_of(customer), headers={"User-Agent": "browser/1"})
    event = AuditEvent.objects.get(action="view_profile")
    assert (event.customer_number, event.staff_username, event.tenant) == (customer.number, "clara", customer.tenant)
    assert (event.address, event.user_agent) == ("127.0.0.1", "browser/1")


def test_a_page_that_is_not_there_is_no_view(customer: Customer, clerk: Client) -> None:
    assert clerk.get(f"{LIST}{customer.pk + 1}/change/").status_code == 302
    assert clerk.get(f"{LIST}nonsense/change/").status_code == 302
    assert not AuditEvent.objects.filter(action="view_profile").exists()


def test_the_page_shows_everything_that_is_known(tenant: Any, clerk: Client) -> None:
    customer = factories.make_customer(tenant, email="login@example.com", address=ADDRESS, first_name="Ada")
    factories.log_in(customer, client=factories.OTHER_CLIENT)
    text = "".join(Page(clerk.get(tab_of(customer, tab))).text for tab in dict(TABS))
    for part in (
        customer.number,
        "login@example.com",
        "another/2.0",
        "198.51.100.7",
        "Engine Road",
        "log in (password)",
    ):
        assert part in text
    assert "1 running" in text


def test_another_customers_things_are_not_shown(customer: Customer, other_tenant: Any, clerk: Client) -> None:
    twin = factories.make_customer(other_tenant, email="twin@example.com", address=ADDRESS)
    assert twin.number == customer.number
    factories.log_in(twin, client=factories.OTHER_CLIENT)
    text = "".join(Page(clerk.get(tab_of(customer, tab))).text for tab in dict(TABS))
    for part in ("twin@example.com", "another/2.0", "Engine Road"):
        assert part not in text


def test_what_the_customer_wrote_is_text_and_no_markup(tenant: Any, clerk: Client) -> None:
    hostile = factories.make_customer(tenant, first_name="<script>alert(1)</script>", last_name='"><b onclick=x>')
    for path in (page_of(hostile), LIST):
        page = Page(clerk.get(path))
        assert "&lt;script&gt;" in page.text
        assert page.inline == []


def test_the_page_costs_the_same_for_1_session_and_10(
    customer: Customer, clerk: Client, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    factories.log_in(customer)
    clerk.get(tab_of(customer, "log_ins"))  # what a process asks for once
    one = len(statements(lambda: clerk.get(tab_of(customer, "log_ins"))))
    for _ in range(9):
        factories.log_in(customer)
    ten = len(statements(lambda: clerk.get(tab_of(customer, "log_ins"))))
    assert "10 running" in Page(clerk.get(tab_of(customer, "log_ins"))).text
    assert one == ten


def test_sessions_that_come_and_go_do_not_break_an_open_form(customer: Customer, clerk: Client) -> None:
    factories.log_in(customer)
    fields = Page(clerk.get(page_of(customer))).fields
    for _ in range(25):
        factories.log_in(customer)
    response = clerk.post(page_of(customer), {**fields, "first_name": "Augusta", "_continue": "Save"})
    assert response.status_code == 302


def test_the_history_is_the_trail(customer: Customer, clerk: Client) -> None:
    response = clerk.get(page_of(customer).replace("change", "history"))
    assert response.status_code == 302
    assert response["Location"] == f"/admin/tenants/auditevent/?q={customer.number}"


def test_the_history_tells_nothing_to_those_without_rights(customer: Customer, clerk: Client) -> None:
    path = page_of(customer).replace("change", "history")
    assert log_in_as(None).get(path).status_code == 404
    assert clerk.get(path.replace(str(customer.pk), "999999")).status_code == 404


def test_the_trail_is_offered_to_those_who_may_read_it(customer: Customer, clerk: Client) -> None:
    assert "Whole audit trail" in Page(clerk.get(page_of(customer))).text
    assert "Whole audit trail" in Page(log_in_as(customer.tenant).get(page_of(customer))).text
