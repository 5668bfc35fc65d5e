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
from tests.back_office.pages import OUTBOX, Page, tab_of


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


# -- the actions of the list ------------------------------------------------------------------------------------------
def press(staff: Client, action: str, *messages: Message, **body: str) -> Any:
    keys = [str(each.pk) for each in messages]
    posted = {"action": action, "_selected_action": keys, "index": "0", **body}
    return staff.post(OUTBOX, posted, follow=True)


def event(tenant: Tenant, **state: Any) -> Message:
    return Message.objects.create(
        tenant=tenant, template="customer.created", recipient="erp", channel=Message.Channel.WEBHOOK, **state
    )


def test_events_and_links_are_sent_again_together(customer: Customer, clerk: Client) -> None:
    tenant, now = customer.tenant, timezone.now()
    given_up, waiting = event(tenant, failed_at=now, attempts=9), event(tenant)
    reset, told = written(tenant, "password_reset"), written(tenant, "password_changed")
    words = said(press(clerk, "send_again", given_up, waiting, reset, told))
    assert "2 will be sent again." in words
    assert "1 not: Only an event that was given up" in words
    assert "1 not: It told of something" in words
    given_up.refresh_from_db()
    assert (given_up.failed_at, given_up.attempts) == (None, 0)
    assert Message.objects.filter(template="password_reset", sent_at=None).count() == 1
    assert AuditEvent.objects.get(action="replay_events").staff_username == "clara"
    assert AuditEvent.objects.get(action="send_password_reset").staff_username == "clara"


def test_what_waits_is_dropped(customer: Customer, clerk: Client) -> None:
    tenant, now = customer.tenant, timezone.now()
    waiting = [event(tenant), written(tenant, "password_reset", attempts=1)]
    done = [written(tenant, "password_reset", **{state: now}) for state in ("sent_at", "failed_at", "dropped_at")]
    Message.objects.update(context_encrypted="secret")
    assert "2 that waited" in said(press(clerk, "drop", *waiting, *done))
    for each in (*waiting, *done):
        before = each.dropped_at
        each.refresh_from_db()
        assert (each.dropped_at is not None and each.context_encrypted == "") == (each in waiting)
        assert each in waiting or each.dropped_at == before
    assert "staff dropped it" in Page(clerk.get(f"{OUTBOX}?state=dropped")).text
    assert AuditEvent.objects.get(action="drop_messages").reason == "2 messages"


def test_all_that_a_filter_finds_is_dropped(customer: Customer, clerk: Client) -> None:
    kept = written(customer.tenant, "password_reset", attempts=1)
    Message.objects.exclude(pk=kept.pk).delete()
    events = [event(customer.tenant) for _ in range(3)]
    query = f"{OUTBOX}?channel__exact=webhook"
    posted = {"action": "drop", "_selected_action": [str(events[0].pk)], "index": "0", "select_across": "1"}
    clerk.post(query, posted)
    assert list(Message.objects.filter(dropped_at=None)) == [kept]


def test_no_more_than_a_page_is_sent_again(customer: Customer, clerk: Client) -> None:
    written(customer.tenant, "password_reset")
    Message.objects.bulk_create(
        Message(tenant=customer.tenant, template="password_reset", recipient=factories.EMAIL, sent_at=timezone.now())
        for _ in range(100)
    )
    before = Message.objects.count()
    first = Message.objects.latest("pk")
    assert "100 messages at most" in said(press(clerk, "send_again", first, select_across="1"))
    assert Message.objects.count() == before


@pytest.mark.parametrize("action", ["send_again", "drop"])
def test_messages_of_another_shop_stay_as_they_are(
    customer: Customer, other_tenant: Tenant, clerk: Client, action: str
) -> None:
    factories.make_customer(other_tenant)
    now = timezone.now()
    theirs = [event(other_tenant), event(other_tenant, failed_at=now), written(other_tenant, "password_reset")]
    ours, before = event(customer.tenant, sent_at=now), Message.objects.filter(tenant=other_tenant).count()
    for across in ("0", "1"):
        press(clerk, action, ours, *theirs, select_across=across)
    for each in theirs:
        state = (each.sent_at, each.failed_at, each.dropped_at)
        each.refresh_from_db()
        assert (each.sent_at, each.failed_at, each.dropped_at) == state
    assert Message.objects.filter(tenant=other_tenant).count() == before


@pytest.mark.parametrize(
    ("role", "mails", "events"),
    [(Role.VIEWER, False, False), (Role.SUPPORT, True, False), (Role.MANAGER, True, False), (Role.OWNER, True, True)],
)
def test_mails_are_for_support_and_events_for_owners(customer: Customer, role: Role, mails: bool, events: bool) -> None:
    staff, tenant = log_in_as(customer.tenant, role), customer.tenant
    reset, given_up, waiting = (
        written(tenant, "password_reset"),
        event(tenant, failed_at=timezone.now()),
        event(tenant),
    )
    press(staff, "send_again", reset)
    press(staff, "send_again", given_up)
    press(staff, "drop", waiting)
    assert Message.objects.filter(template="password_reset", sent_at=None).exists() == mails
    assert Message.objects.filter(pk=given_up.pk, failed_at=None).exists() == events
    assert Message.objects.filter(pk=waiting.pk, dropped_at__isnull=False).exists() == events
