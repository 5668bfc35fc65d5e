"""The same actions without the transaction that wraps other tests: row locks need one of the product's own."""

from collections import Counter

import pytest
from django.test import Client

from auth_providers.models import Session
from customers.models import Customer
from tenants.models import AuditEvent, Message
from tests import factories
from tests.back_office.pages import LIST, Page, action_of, button, page_of
from tests.races import at_once, behind

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_button_works(customer: Customer, clerk: Client) -> None:
    assert clerk.post(action_of(customer, "deactivate"), {"reason": "Fraud"}).status_code == 302
    assert not Customer.objects.get(pk=customer.pk).is_active


def test_an_action_of_the_list_works(customer: Customer, clerk: Client) -> None:
    clerk.post(LIST, {"action": "deactivate", "_selected_action": [customer.pk], "index": "0", "reason": "Fraud"})
    assert not Customer.objects.get(pk=customer.pk).is_active


def test_an_edit_works(customer: Customer, clerk: Client) -> None:
    fields = Page(clerk.get(page_of(customer))).fields
    assert clerk.post(page_of(customer), {**fields, "first_name": "Augusta", "_continue": "Save"}).status_code == 302
    assert Customer.objects.get(pk=customer.pk).first_name == "Augusta"


def test_a_post_to_any_page_of_the_customer_is_no_error(customer: Customer, clerk: Client) -> None:
    statuses = [clerk.post(f"{LIST}{customer.pk}/{page}/").status_code for page in ("change", "history", "delete")]
    assert statuses == [200, 405, 403]


def test_one_session_is_ended(customer: Customer, clerk: Client) -> None:
    session = factories.log_in(customer).session
    clerk.post(button(customer, "end_session", session.pk))
    assert not Session.objects.get(pk=session.pk).is_customers


def test_a_reset_is_sent(customer: Customer, clerk: Client) -> None:
    clerk.post(button(customer, "reset", factories.account_of(customer).pk))
    assert Message.objects.filter(template="password_reset").exists()


def test_of_four_clerks_who_erase_at_once_one_does(customer: Customer, clerk: Client) -> None:
    def erase(index: int) -> int:
        client = Client()
        client.cookies = clerk.cookies
        return client.post(button(customer, "erase"), {"reason": "Asked by letter"}).status_code

    assert set(at_once(4, erase)) <= {302, 403}
    assert Customer.objects.get(pk=customer.pk).erased_at
    assert AuditEvent.objects.filter(action="erase_customer").count() == 1


def save(clerk: Client, customer: Customer, fields: dict[str, str], name: str) -> int:
    client = Client()
    client.cookies = clerk.cookies
    return client.post(page_of(customer), {**fields, "first_name": name, "_continue": "Save"}).status_code


def test_of_eight_clerks_who_save_at_once_one_is_first_and_seven_are_told(customer: Customer, clerk: Client) -> None:
    fields = Page(clerk.get(page_of(customer))).fields
    assert Counter(at_once(8, lambda index: save(clerk, customer, fields, f"Ada {index}"))) == {302: 1, 200: 7}
    assert Customer.objects.get(pk=customer.pk).version == 2


@pytest.mark.postgres
def test_who_saves_while_another_clerk_does_waits_and_is_told(customer: Customer, clerk: Client) -> None:
    fields = Page(clerk.get(page_of(customer))).fields
    second = behind(
        lambda: save(clerk, customer, fields, "Augusta"), lambda: save(clerk, customer, fields, "Ada Augusta")
    )
    assert second == 200
    assert Customer.objects.get(pk=customer.pk).first_name == "Augusta"
