"""Which messages are events that were given up, and what sending them again leaves of them."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tenants.models import Message, Tenant
from tenants.outbox import dead_letters

pytestmark = pytest.mark.usefixtures("stopped_clock")

HOUR = timedelta(hours=1)


def given_up(tenant: Tenant, recipient: str = "erp", **values: Any) -> Message:
    """An event that was given up, but for what `values` say."""
    ago = timezone.now() - HOUR
    event: dict[str, Any] = {"channel": "webhook", "attempts": 9, "failed_at": ago, "next_attempt_at": ago + 2 * HOUR}
    return Message.objects.create(
        tenant=tenant, template="customer.updated", recipient=recipient, last_error="500", **event | values
    )


def recipients(messages: Iterable[Message]) -> list[str]:
    return [each.recipient for each in messages]


def test_mail_and_text_messages_that_were_given_up_are_no_events(tenant: Tenant) -> None:
    given_up(tenant, "ada@example.com", channel="email")
    given_up(tenant, "erp")
    given_up(tenant, "+4915112345678", channel="sms")
    assert recipients(dead_letters.find(tenant=tenant)) == ["erp"]


@pytest.mark.parametrize("state", [{}, {"sent_at": timezone.now()}, {"dropped_at": timezone.now()}])
def test_an_event_that_was_not_given_up_is_not_found(tenant: Tenant, state: dict[str, Any]) -> None:
    given_up(tenant, "crm", failed_at=None, **state)
    given_up(tenant, "erp")
    assert recipients(dead_letters.find(tenant=tenant)) == ["erp"]


def test_events_are_found_in_the_order_in_which_they_happened(tenant: Tenant) -> None:
    for recipient in ("erp", "crm", "erp"):
        given_up(tenant, recipient)
    assert recipients(dead_letters.find(tenant=tenant)) == ["erp", "crm", "erp"]


def test_the_events_of_one_endpoint(tenant: Tenant, other_tenant: Tenant) -> None:
    given_up(other_tenant, "erp")
    events = [given_up(tenant, recipient) for recipient in ("erp", "crm", "erp")]
    assert list(dead_letters.find(tenant=tenant, endpoint_name="erp")) == [events[0], events[2]]
    assert list(dead_letters.find(tenant=tenant, endpoint_name="crm")) == [events[1]]


def test_an_event_that_is_sent_again_begins_anew_and_is_due_now(tenant: Tenant) -> None:
    again, other = given_up(tenant, "erp"), given_up(tenant, "crm")
    assert dead_letters.replay(tenant=tenant, keys=[again.pk]) == 1
    again.refresh_from_db()
    now = timezone.now()
    assert (again.failed_at, again.attempts, again.last_error) == (None, 0, "")
    assert (again.next_attempt_at, again.replayed_at) == (now, now)
    other.refresh_from_db()
    assert (other.failed_at, other.attempts, other.replayed_at) == (now - HOUR, 9, None)


def test_only_what_was_given_up_of_the_named_is_sent_again(tenant: Tenant, other_tenant: Tenant) -> None:
    events = [
        given_up(tenant),
        given_up(tenant, failed_at=None),
        given_up(tenant, "ada@example.com", channel="email"),
        given_up(other_tenant),
    ]
    not_named = given_up(tenant)
    assert dead_letters.replay(tenant=tenant, keys=[each.pk for each in events]) == 1
    assert set(Message.objects.filter(replayed_at__isnull=False)) == {events[0]}
    assert list(dead_letters.find(tenant=tenant)) == [not_named]
