"""A mail once more: its link is made anew while that helps, and otherwise the page says why not."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from auth_providers.models import Account
from customers.models import Customer
from tenants.models import AuditEvent, Message, Role, Tenant
from tests import factories
from tests.back_office.conftest import log_in_as
from tests.back_office.pages import Page, tab_of


def written(tenant: Tenant, template: str, **state: Any) -> Message:
    """A mail that was handed over, of which nothing is kept."""
    state = state or {"sent_at": timezone.now()}
    return Message.objects.create(tenant=tenant, template=template, recipient=factories.EMAIL, **state)


def page_of(message: Message) -> str:
    return reverse("admin:tenants_message_change", args=[message.pk])


def again(message: Message) -> str:
    return reverse("admin:tenants_message_again", args=[message.pk])


def said(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


@pytest.mark.parametrize("state", ["sent_at", "dropped_at", "failed_at"])
@pytest.mark.parametrize("template", ["opt_in", "confirm_email", "password_reset"])
def test_a_link_is_made_anew(customer: Customer, clerk: Client, template: str, state: str) -> None:
    is_reset = template == "password_reset"
    made, action = ("password_reset", "send_password_reset") if is_reset else ("opt_in", "resend_opt_in")
    if not is_reset:
        Account.objects.update(**factories.UNVERIFIED)
    message = written(customer.tenant, template, **{state: timezone.now()})
    before = Message.objects.filter(sent_at=None, template=made, dropped_at=None, failed_at=None).count()
    for page in (page_of(message), tab_of(customer, "timeline")):
        assert again(message) in Page(clerk.get(page)).actions
    response = clerk.post(again(message), follow=True)
    assert "is on its way" in said(response)
    assert Message.objects.filter(sent_at=None, template=made, dropped_at=None, failed_at=None).count() == before + 1
    assert AuditEvent.objects.get(action=action).staff_username == "clara"


@pytest.mark.parametrize(
    ("template", "change", "why"),
    [
        ("opt_in", {}, "The address is confirmed"),
        ("opt_in", {"identifier": "moved@example.com"}, "Nobody logs in with this address"),
        ("password_reset", factories.UNVERIFIED, "may not be used"),
        ("log_in_code", {}, "asks for another one"),
        ("email_change", {}, "asks for the new address"),
        ("password_changed", {}, "has happened"),
        ("staff_invitation", {}, "Invite the colleague"),
    ],
)
def test_what_can_not_be_made_anew_is_not_offered_and_the_page_says_why(
    customer: Customer, clerk: Client, template: str, change: dict[str, Any], why: str
) -> None:
    Account.objects.update(**change)
    message, before = written(customer.tenant, template), Message.objects.count()
    page = Page(clerk.get(page_of(message)))
    assert why in page.text
    assert again(message) not in page.actions + Page(clerk.get(tab_of(customer, "timeline"))).actions
    assert why in said(clerk.post(again(message), follow=True))
    assert Message.objects.count() == before


def test_what_waits_is_not_made_twice(customer: Customer, clerk: Client) -> None:
    message = written(customer.tenant, "password_reset", attempts=1)
    assert "still to be sent" in said(clerk.post(again(message), follow=True))


def test_a_mail_of_another_shop_is_not_there(customer: Customer, other_tenant: Tenant, clerk: Client) -> None:
    assert clerk.post(again(written(other_tenant, "password_reset"))).status_code == 404


def test_who_may_only_look_is_offered_nothing(customer: Customer) -> None:
    message, onlooker = written(customer.tenant, "password_reset"), log_in_as(customer.tenant, Role.VIEWER)
    assert again(message) not in Page(onlooker.get(page_of(message))).actions
    assert onlooker.post(again(message)).status_code == 403
