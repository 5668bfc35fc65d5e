"""A password reset, the end of one session and erasure, from the customer's page."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from auth_providers.models import Account, Authenticator, Session
from customers.models import ContactAssignment, Customer, LegalEntity
from tenants.models import AuditEvent, Message, Role, Tenant
from tests import authenticators, factories
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import LIST, Page, button, tab_of


def reset_of(customer: Customer) -> str:
    return button(customer, "reset", factories.account_of(customer).pk)


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_a_reset_is_mailed_and_on_the_trail(customer: Customer, clerk: Client) -> None:
    assert reset_of(customer) in Page(clerk.get(tab_of(customer, "log_ins"))).actions
    response = clerk.post(reset_of(customer), follow=True)
    assert "will be sent" in said(response)
    message = Message.objects.get(template="password_reset")
    assert message.recipient == factories.EMAIL
    event = AuditEvent.objects.get(action="send_password_reset")
    assert (event.staff_username, event.customer_number, event.address) == ("clara", customer.number, "127.0.0.1")


def test_too_many_resets_are_refused(customer: Customer, clerk: Client) -> None:
    for _ in range(5):
        clerk.post(reset_of(customer))
    assert "Too many attempts" in said(clerk.post(reset_of(customer), follow=True))
    assert Message.objects.filter(template="password_reset").count() == 5


@pytest.mark.parametrize("change", [{"is_active": False}, {"contact_phone": None}])
def test_a_reset_is_offered_where_it_would_arrive(customer: Customer, clerk: Client, change: dict[str, Any]) -> None:
    Customer.objects.filter(pk=customer.pk).update(**change)
    is_offered = reset_of(customer) in Page(clerk.get(tab_of(customer, "log_ins"))).actions
    clerk.post(reset_of(customer))
    assert is_offered == Message.objects.exists() == ("is_active" not in change)


def test_another_customers_log_in_is_not_reset(customer: Customer, other_tenant: Tenant, clerk: Client) -> None:
    other = factories.make_customer(other_tenant, email="other@example.com")
    foreign = button(customer, "reset", factories.account_of(other).pk)
    assert "no password" in said(clerk.post(foreign, follow=True))
    assert not Message.objects.exists()


def test_one_session_ends_and_the_other_goes_on(customer: Customer, clerk: Client) -> None:
    first, second = factories.log_in(customer).session, factories.log_in(customer).session
    end = button(customer, "end_session", first.pk)
    assert end in Page(clerk.get(tab_of(customer, "log_ins"))).actions
    assert "Ended the session" in said(clerk.post(end, follow=True))
    assert "not running any more" in said(clerk.post(end, follow=True))
    assert not Session.objects.get(pk=first.pk).is_customers
    assert Session.objects.get(pk=second.pk).is_customers
    event = AuditEvent.objects.get(action="end_session")
    assert (event.staff_username, event.session_id, event.address) == ("clara", first.pk, "127.0.0.1")


def test_another_customers_session_is_not_ended(customer: Customer, clerk: Client) -> None:
    other = factories.log_in(factories.make_customer(customer.tenant, email="other@example.com")).session
    clerk.post(button(customer, "end_session", other.pk))
    assert Session.objects.get(pk=other.pk).is_customers


def test_an_authenticator_is_removed_for_who_has_lost_it(customer: Customer, clerk: Client) -> None:
    remove = button(customer, "remove_second_factor")
    assert "No authenticator app" in Page(clerk.get(tab_of(customer, "log_ins"))).text
    assert "No authenticator is enrolled" in said(clerk.post(remove, {"reason": "Lost the telephone"}, follow=True))
    authenticators.enrol(customer)
    page = Page(clerk.get(tab_of(customer, "log_ins")))
    assert remove in page.actions
    assert "10 recovery codes left" in page.text
    assert "Removed the authenticator" in said(clerk.post(remove, {"reason": "Lost the telephone"}, follow=True))
    assert not Authenticator.objects.exists()
    event = AuditEvent.objects.get(action="second_factor_removed")
    assert (event.staff_username, event.customer_number, event.address) == ("clara", customer.number, "127.0.0.1")
    assert Message.objects.get(template="second_factor_removed").recipient == factories.EMAIL


def test_erasing_asks_first(customer: Customer, clerk: Client) -> None:
    page = Page(clerk.get(button(customer, "erase")))
    assert "This can't be undone" in page.text
    assert Customer.objects.get(pk=customer.pk).first_name == "Ada"


def test_an_erased_customer_is_empty_read_only_and_stays_outside(customer: Customer, clerk: Client) -> None:
    factories.log_in(customer)
    clerk.post(button(customer, "erase"), {"reason": "Asked by letter"})
    erased = Customer.objects.get(pk=customer.pk)
    assert (erased.first_name, erased.is_active) == (None, False)
    assert not Account.objects.filter(identifier=factories.EMAIL).exists()
    event = AuditEvent.objects.get(action="erase_customer")
    assert (event.staff_username, event.address) == ("clara", "127.0.0.1")
    assert not LogEntry.objects.exists()
    page = Page(clerk.get(tab_of(customer, "log_ins")))
    assert "erased" in page.text
    assert not [action for action in page.actions if action.startswith(LIST) and action != LIST]
    clerk.post(LIST, {"action": "activate", "_selected_action": [customer.pk], "index": "0"})
    assert not Customer.objects.get(pk=customer.pk).is_active
    assert clerk.post(button(customer, "erase")).status_code == 403


def test_erasing_takes_more_than_the_right_to_change(customer: Customer) -> None:
    clerk = log_in_as(customer.tenant, Role.SUPPORT)
    assert button(customer, "erase") not in Page(clerk.get(tab_of(customer, "log_ins"))).text
    assert clerk.get(button(customer, "erase")).status_code == 403
    assert clerk.post(button(customer, "erase")).status_code == 403
    assert Customer.objects.get(pk=customer.pk).first_name == "Ada"


def test_who_may_only_look_presses_none_of_them(customer: Customer) -> None:
    session = factories.log_in(customer).session
    onlooker = log_in_as(customer.tenant)
    authenticators.enrol(customer, session)
    Message.objects.all().delete()
    pages = (button(customer, "remove_second_factor"), button(customer, "erase"))
    for path in (reset_of(customer), button(customer, "end_session", session.pk), *pages):
        assert path not in Page(onlooker.get(tab_of(customer, "log_ins"))).text
        assert onlooker.post(path).status_code == 403
    assert not Message.objects.exists()
    assert Authenticator.objects.exists()
    assert Session.objects.get(pk=session.pk).is_customers


def test_nothing_happens_by_a_link(customer: Customer, clerk: Client) -> None:
    session = factories.log_in(customer).session
    assert clerk.get(reset_of(customer)).status_code == 405
    assert clerk.get(button(customer, "end_session", session.pk)).status_code == 405
    assert clerk.get(button(customer, "remove_second_factor")).status_code == 405


def test_the_companies_of_a_customer_are_shown(customer: Customer, clerk: Client) -> None:
    entity = LegalEntity.objects.create(tenant=customer.tenant, public_id="engines", name="Difference Ltd")
    ContactAssignment.objects.create(tenant=customer.tenant, public_id="a", customer=customer, legal_entity=entity)
    assert "Difference Ltd" in Page(clerk.get(tab_of(customer, "data"))).text
