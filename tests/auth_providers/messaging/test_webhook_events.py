"""Events of the trail for endpoints that are told of them: filtered, in order, signed, and given up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest
from django.utils import timezone
from standardwebhooks.webhooks import WebhookVerificationError

from auth_providers.messaging import webhook_endpoints
from auth_providers.models import WebhookEndpoint
from auth_providers.selfservice import deletion
from customers import profiles
from customers.models import Customer
from tenants.models import Message, Tenant
from tenants.outbox import cloud_events, feed, leases, worker
from tenants.trail import audit
from tenants.trail.event_types import EventType
from tests import factories
from tests.auth_providers.messaging.webhook_listeners import LOGGED_IN, OWNER, UPDATED, change, later, listening, work
from tests.openid_issuer import Conversation
from tests.races import beside
from tests.shop_endpoint import SECRET, Shop

PassTime = Callable[[timedelta], None]

pytestmark = pytest.mark.usefixtures("committed")


def told(shop: Shop) -> list[str]:
    return [event["type"] for event in shop.verified()]


def test_an_endpoint_is_told_of_its_types_and_no_others(endpoint: WebhookEndpoint, shop: Shop) -> None:
    change(endpoint.tenant)
    change(endpoint.tenant, action="log_in")
    change(endpoint.tenant, action="end_session")
    assert work() == 2
    assert told(shop) == [UPDATED, LOGGED_IN]
    assert work() == 0


def test_a_delivered_event_is_the_feeds(endpoint: WebhookEndpoint, shop: Shop) -> None:
    change(endpoint.tenant)
    work()
    assert shop.verified() == feed.read(tenant=endpoint.tenant, after=feed.START).events


def test_an_event_that_the_trail_has_dropped_is_given_up(endpoint: WebhookEndpoint, shop: Shop) -> None:
    change(endpoint.tenant)
    webhook_endpoints.enqueue_due()
    Message.objects.update(event_id=10**12)
    worker.send_due()
    message = Message.objects.get()
    assert (message.failed_at is not None, message.last_error) == (
        True,
        "Undeliverable: The audit trail does not have this event any more.",
    )
    assert shop.bodies == []


def test_an_endpoint_hears_of_what_comes_and_not_of_the_past(tenant: Tenant, shop: Shop) -> None:
    change(tenant)
    endpoint = listening(tenant, shop, UPDATED)
    assert work() == 0
    webhook_endpoints.listen(endpoint=endpoint, types=[])
    endpoint.save()
    change(tenant)
    webhook_endpoints.listen(endpoint=endpoint, types=[UPDATED])
    endpoint.save()
    assert work() == 0
    change(tenant)
    assert work() == 1


def test_another_tenants_events_go_nowhere(endpoint: WebhookEndpoint, other_tenant: Tenant, shop: Shop) -> None:
    change(other_tenant)
    assert work() == 0
    assert not shop.bodies


def test_without_a_listener_nothing_is_written_but_the_trail(tenant: Tenant, shop: Shop) -> None:
    listening(tenant, shop)
    change(tenant)
    work()
    assert not Message.objects.exists()


def test_two_endpoints_are_each_told_once(endpoint: WebhookEndpoint, shop: Shop) -> None:
    listening(endpoint.tenant, shop, UPDATED, name="crm")
    change(endpoint.tenant)
    assert work() == 2
    assert len(set(shop.ids())) == 2
    assert len({event["id"] for event in shop.verified()}) == 1


# -- personal data ----------------------------------------------------------------------------------------------------
def test_a_profile_goes_along_only_where_it_is_asked_for(endpoint: WebhookEndpoint, shop: Shop) -> None:
    tenant = endpoint.tenant
    listening(tenant, shop, UPDATED, name="crm", has_personal_data=True)
    customer = factories.make_customer(tenant)
    profiles.update(tenant=tenant, customer=customer, changes={"first_name": "Augusta", "birth_date": "1990-12-31"})
    work()
    told = {
        Message.objects.get(reference=key.removeprefix("msg_")).recipient: event["data"].get("profile", {})
        for key, event in zip(shop.ids(), shop.verified(), strict=True)
    }
    assert {name: profile.get("first_name") for name, profile in told.items()} == {
        endpoint.name: None,
        "crm": "Augusta",
    }
    for event in shop.verified():
        jsonschema_rs.validate(cloud_events.schema(EventType(event["type"])), event["data"])


def test_an_erased_customer_is_in_no_event_that_waits(tenant: Tenant, shop: Shop) -> None:
    listening(tenant, shop, UPDATED, has_personal_data=True)
    customer = factories.make_customer(tenant, first_name="Augusta")
    profiles.update(tenant=tenant, customer=customer, changes={"first_name": "Ada Augusta"})
    webhook_endpoints.enqueue_due()
    deletion.erase_by_staff(tenant=tenant, customer=customer, staff_username="clara", client=factories.CLIENT)
    work()
    assert "profile" not in shop.verified()[0]["data"]
    assert b"Augusta" not in b"".join(shop.bodies)


# -- order ------------------------------------------------------------------------------------------------------------
def refuse_the_first(shop: Shop) -> Callable[[Conversation], None]:
    """500 to the first call, 200 to all others."""

    def answer(asked: Conversation) -> None:
        asked.answer(500 if len(shop.bodies) == 1 else 200, {})

    return answer


def test_events_of_one_customer_arrive_in_their_order(endpoint: WebhookEndpoint, shop: Shop) -> None:
    for action in ("activate", "log_in", "deactivate"):
        change(endpoint.tenant, action=action)
    shop.answer = refuse_the_first(shop)
    assert work() == 0
    assert len(shop.bodies) == 1  # the others wait
    assert later() == 3
    assert [event["data"]["cause"] for event in shop.verified()[1:]] == ["activate", "log_in", "deactivate"]


def test_an_event_of_another_customer_waits_for_nobody(endpoint: WebhookEndpoint, shop: Shop) -> None:
    change(endpoint.tenant, "10000001")
    change(endpoint.tenant, "10000002")
    shop.answer = lambda asked: asked.answer(500 if b"10000001" in asked.server.forms[-1] else 200, {})
    assert work() == 1
    assert later() == 0


def test_what_was_given_up_holds_up_nobody(endpoint: WebhookEndpoint, shop: Shop) -> None:
    change(endpoint.tenant)
    shop.answer = (500, {})
    work()
    Message.objects.update(created_at=timezone.now() - worker.GIVE_UP_AFTER - timedelta(minutes=1))
    later()
    shop.answer = (200, {})
    change(endpoint.tenant, action="deactivate")
    assert later() == 1


# -- secrets ----------------------------------------------------------------------------------------------------------
def test_both_secrets_sign_while_one_is_replaced(endpoint: WebhookEndpoint, shop: Shop, pass_time: PassTime) -> None:
    secret = webhook_endpoints.new_secret(endpoint=endpoint)
    endpoint.save()
    change(endpoint.tenant)
    work()
    assert shop.verified(SECRET) == shop.verified(secret)
    pass_time(webhook_endpoints.ROTATION + timedelta(minutes=1))
    shop.bodies.clear()
    shop.headers.clear()
    change(endpoint.tenant)
    work()
    assert len(shop.bodies) == 1
    with pytest.raises(WebhookVerificationError):
        shop.verified(SECRET)


# -- an endpoint that takes nothing -----------------------------------------------------------------------------------
def mails() -> list[tuple[str, str]]:
    return list(Message.objects.filter(channel="email").values_list("template", "recipient").order_by("pk"))


def test_the_owner_is_told_after_a_day_and_the_endpoint_is_off_after_three(
    endpoint: WebhookEndpoint, shop: Shop, pass_time: PassTime, mailoutbox: list[Any]
) -> None:
    shop.answer = (500, {})
    change(endpoint.tenant)
    work()
    pass_time(timedelta(hours=23))
    later()
    assert mails() == []
    pass_time(timedelta(hours=2))
    later()
    later()
    assert mails() == [(webhook_endpoints.FAILING, OWNER)]
    pass_time(timedelta(days=2))
    later()
    later()
    assert mails() == [(webhook_endpoints.FAILING, OWNER), (webhook_endpoints.SWITCHED_OFF, OWNER)]
    assert not WebhookEndpoint.objects.get().is_enabled
    assert [mail.to for mail in mailoutbox] == [[OWNER], [OWNER]]
    assert "erp" in mailoutbox[0].subject


def test_what_waits_is_due_once_the_endpoint_takes_something(
    endpoint: WebhookEndpoint, other_tenant: Tenant, shop: Shop, pass_time: PassTime
) -> None:
    """Its own, whoever it is about; and nothing that may just be in a worker's hands."""
    change(endpoint.tenant)
    change(endpoint.tenant, number="10000002")
    shop.answer = (500, {})
    work()
    second = Message.objects.latest("pk")
    hour = timezone.now() + timedelta(hours=1)
    Message.objects.filter(pk=second.pk).update(next_attempt_at=hour)
    others = {"channel": Message.Channel.WEBHOOK, "template": UPDATED, "next_attempt_at": hour}
    kept = [
        Message.objects.create(tenant=other_tenant, recipient=endpoint.name, **others),
        Message.objects.create(tenant=endpoint.tenant, recipient="another", **others),
        Message.objects.create(tenant=endpoint.tenant, recipient=endpoint.name, **others, failed_at=timezone.now()),
        Message.objects.create(
            tenant=endpoint.tenant,
            recipient=endpoint.name,
            **others | {"next_attempt_at": timezone.now() + leases.LEASE},
        ),
    ]
    untouched = [each.next_attempt_at for each in kept]
    webhook_endpoints.note_outcome(endpoint=WebhookEndpoint.objects.get(), is_taken=True)
    second.refresh_from_db()
    assert second.next_attempt_at <= timezone.now()
    for each in kept:
        each.refresh_from_db()
    assert [each.next_attempt_at for each in kept] == untouched


def test_an_endpoint_that_takes_something_again_starts_anew(
    endpoint: WebhookEndpoint, shop: Shop, pass_time: PassTime
) -> None:
    shop.answer = (500, {})
    change(endpoint.tenant)
    work()
    assert WebhookEndpoint.objects.get().failing_since
    shop.answer = (200, {})
    pass_time(timedelta(hours=25))
    assert later() == 1
    assert WebhookEndpoint.objects.get().failing_since is None
    assert mails() == []


def test_an_endpoint_that_staff_have_switched_off_starts_anew_when_it_is_on(
    endpoint: WebhookEndpoint, shop: Shop, pass_time: PassTime
) -> None:
    """It is not switched off at its next failure, after days in which nobody called it."""
    shop.answer = (500, {})
    change(endpoint.tenant)
    work()
    for is_enabled in (False, True):
        stored = WebhookEndpoint.objects.get()
        stored.is_enabled = is_enabled
        stored.full_clean()
        stored.save()
        pass_time(webhook_endpoints.OFF_AFTER)
    change(endpoint.tenant)
    work()
    assert WebhookEndpoint.objects.get().is_enabled


def test_an_endpoint_that_somebody_has_found_at_work_is_not_switched_off(
    endpoint: WebhookEndpoint, shop: Shop, pass_time: PassTime
) -> None:
    """Another worker has, after this one had begun its call."""
    endpoint.failing_since = timezone.now() - webhook_endpoints.OFF_AFTER
    webhook_endpoints.note_outcome(endpoint=endpoint, is_taken=False)
    assert WebhookEndpoint.objects.get().is_enabled


def test_an_endpoint_that_is_on_again_gets_what_it_missed(endpoint: WebhookEndpoint, shop: Shop) -> None:
    WebhookEndpoint.objects.update(is_enabled=False)
    change(endpoint.tenant)
    assert work() == 0
    WebhookEndpoint.objects.update(is_enabled=True)
    assert work() == 1


def test_customers_of_a_batch_are_read_in_one_statement(
    tenant: Tenant, shop: Shop, statements: Callable[[Callable[[], object]], list[str]]
) -> None:
    listening(tenant, shop, "customer.created", has_personal_data=True)
    for index in range(5):
        factories.make_customer(tenant, email=f"ada{index}@example.com")
    webhook_endpoints.enqueue_due()
    taken = statements(worker.send_due)
    assert len([each for each in taken if Customer._meta.db_table in each]) == 1
    assert len(shop.verified()) == 5


@pytest.mark.postgres
def test_a_worker_passes_over_an_endpoint_that_another_serves(
    transactional_db: None, endpoint: WebhookEndpoint
) -> None:
    audit.record(tenant=endpoint.tenant, action="activate", customer_number="10000001")
    taken: list[int] = []
    assert beside(lambda: taken.append(webhook_endpoints.enqueue_due()), webhook_endpoints.enqueue_due) == 0
    assert (taken, Message.objects.count()) == ([1], 1)
