"""Events for the shop's own systems: signed, sent by the worker, tried again under the same id, given up in the end."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks.webhooks import WebhookVerificationError

from auth_providers.messaging import webhook_delivery, webhook_endpoints, webhook_threads
from auth_providers.models import WebhookEndpoint
from auth_providers.outbound import webhook_signature
from tenants.models import Message, Tenant
from tenants.outbox import queue, worker
from tenants.secrets.encryption import encrypt
from tests import factories
from tests.openid_issuer import Conversation
from tests.races import at_once
from tests.shop_endpoint import SECRET, Shop

PAYLOAD = {"customer": "00000001", "tags": ["ü", {"vip": True}], "nothing": None}


@pytest.fixture
def endpoint(tenant: Tenant, shop: Shop) -> WebhookEndpoint:
    return register(tenant, shop.url)


def register(tenant: Tenant, url: str) -> WebhookEndpoint:
    return WebhookEndpoint.objects.create(tenant=tenant, name="erp", url=url, secret_encrypted=encrypt(SECRET))


def enqueue(tenant: Tenant, payload: dict[str, Any] | None = None, customer_number: str = "") -> Message:
    return queue.enqueue_event(
        tenant=tenant,
        endpoint_name="erp",
        event="customer.activated",
        payload=PAYLOAD if payload is None else payload,
        customer_number=customer_number,
    )


def send_later() -> int:
    """Let the worker run when every delay is over."""
    Message.objects.filter(failed_at=None, sent_at=None).update(next_attempt_at=timezone.now())
    return worker.send_due()


def test_an_event_arrives_signed(endpoint: WebhookEndpoint, shop: Shop) -> None:
    message = enqueue(endpoint.tenant)
    assert not shop.bodies
    assert worker.send_due() == 1
    (event,) = shop.verified()
    assert event == {
        "specversion": "1.0",
        "id": message.reference.hex,
        "source": "http://localhost:8000/tenants/acme",
        "type": "customer.activated",
        "time": message.created_at.isoformat(),
        "datacontenttype": "application/json",
        "data": PAYLOAD,
    }
    assert shop.headers[0]["content-type"] == "application/cloudevents+json"
    message.refresh_from_db()
    assert message.sent_at
    assert not message.context_encrypted
    assert worker.send_due() == 0


def hang_up(asked: Conversation) -> None:
    """Take the message and say nothing."""
    asked.close_connection = True


@pytest.mark.parametrize("status", [200, 204, 299])
def test_every_status_of_success_says_that_it_is_taken(endpoint: WebhookEndpoint, shop: Shop, status: int) -> None:
    shop.answer = (status, b"")
    enqueue(endpoint.tenant)
    assert worker.send_due() == 1
    webhook_delivery.send_test(endpoint)
    assert len(shop.verified()) == 2


@pytest.mark.parametrize("status", [199, 300, 500])
def test_a_test_that_is_not_taken_says_what_was_answered(endpoint: WebhookEndpoint, shop: Shop, status: int) -> None:
    shop.answer = (status, b"")
    with pytest.raises(webhook_delivery.NotTaken, match=rf"^The endpoint answered {status}\.$"):
        webhook_delivery.send_test(endpoint)


def test_a_test_names_its_endpoint_and_is_about_nobody(endpoint: WebhookEndpoint, shop: Shop) -> None:
    webhook_delivery.send_test(endpoint)
    webhook_delivery.send_test(endpoint)
    first, second = shop.verified()
    assert (first["type"], first["data"]) == ("test", {"endpoint": "erp"})
    assert "subject" not in first
    assert first["id"] != second["id"]
    assert len({*shop.ids()}) == 2
    assert {each["content-type"] for each in shop.headers} == {"application/cloudevents+json"}


def test_both_secrets_sign_while_one_is_being_replaced(endpoint: WebhookEndpoint, shop: Shop) -> None:
    new = webhook_endpoints.new_secret(endpoint=endpoint)
    endpoint.save()
    enqueue(endpoint.tenant)
    assert worker.send_due() == 1
    assert shop.verified(new) == shop.verified(SECRET)
    endpoint.previous_secret_until = timezone.now()
    endpoint.save()
    enqueue(endpoint.tenant)
    assert worker.send_due() == 1
    with pytest.raises(WebhookVerificationError):
        shop.verified(SECRET)
    assert len(shop.verified(new)) == 2


@pytest.mark.parametrize("answer", [(500, {}), (404, {}), (410, {}), (301, {}), hang_up])
def test_what_is_not_taken_is_sent_again_under_the_same_id(endpoint: WebhookEndpoint, shop: Shop, answer: Any) -> None:
    shop.answer = answer
    message = enqueue(endpoint.tenant)
    for _ in range(3):
        assert send_later() == 0
    message.refresh_from_db()
    assert message.next_attempt_at > timezone.now() + timedelta(seconds=30)
    assert message.last_error
    shop.answer = (204, b"")
    assert send_later() == 1
    assert len(shop.verified()) == 4
    assert len(set(shop.ids())) == 1
    assert len(set(shop.bodies)) == 1


def test_every_event_has_an_id_of_its_own(endpoint: WebhookEndpoint, other_tenant: Tenant, shop: Shop) -> None:
    register(other_tenant, shop.url)
    enqueue(endpoint.tenant)
    enqueue(endpoint.tenant)
    enqueue(other_tenant)
    assert worker.send_due() == 3
    assert len(set(shop.ids())) == 3
    assert not [each for each in shop.ids() if "." in each]  # it would read like the end of the id in what is signed


def test_two_workers_send_it_once(transactional_db: None, shop: Shop) -> None:
    endpoint = register(factories.make_tenant(), shop.url)
    for _ in range(4):
        enqueue(endpoint.tenant)
    sent = at_once(2, lambda _: worker.send_due())
    assert sum(each for each in sent if isinstance(each, int)) == 4
    assert len(set(shop.ids())) == len(shop.ids()) == 4


def test_it_is_given_up_after_three_days(endpoint: WebhookEndpoint, shop: Shop) -> None:
    shop.answer = (500, {})
    message = enqueue(endpoint.tenant)
    Message.objects.update(created_at=timezone.now() - worker.GIVE_UP_AFTER - timedelta(minutes=1))
    assert send_later() == 0
    message.refresh_from_db()
    assert message.failed_at
    assert send_later() == 0
    assert len(shop.bodies) == 1


def test_an_endpoint_that_is_gone_drops_it(endpoint: WebhookEndpoint, shop: Shop) -> None:
    message = enqueue(endpoint.tenant)
    WebhookEndpoint.objects.update(name="crm")
    assert worker.send_due() == 0
    message.refresh_from_db()
    assert message.failed_at
    assert "no such endpoint" in message.last_error
    assert not shop.bodies


def test_what_waited_when_an_endpoint_was_switched_off_is_sent_in_order_once_it_is_on(
    endpoint: WebhookEndpoint, shop: Shop
) -> None:
    first, second = (enqueue(endpoint.tenant, customer_number="10000001") for _ in range(2))
    WebhookEndpoint.objects.update(is_enabled=False)
    assert worker.send_due() == send_later() == 0
    assert WebhookEndpoint.objects.get().failing_since is None
    first.refresh_from_db()
    assert (first.failed_at, "switched off" in first.last_error) == (None, True)
    WebhookEndpoint.objects.update(is_enabled=True)
    assert send_later() == 2
    assert shop.ids() == [f"msg_{each.reference.hex}" for each in (first, second)]


def test_an_endpoint_of_another_tenant_is_none(endpoint: WebhookEndpoint, other_tenant: Tenant, shop: Shop) -> None:
    message = enqueue(other_tenant)
    assert worker.send_due() == 0
    message.refresh_from_db()
    assert message.failed_at
    assert not shop.bodies


def test_an_endpoint_that_is_down_does_not_hold_up_the_others(
    endpoint: WebhookEndpoint, other_tenant: Tenant, shop: Shop
) -> None:
    shop.answer = (500, {})
    for _ in range(40):
        enqueue(endpoint.tenant)
    assert worker.send_due() == 0
    assert 5 <= len(shop.bodies) <= 5 + webhook_threads.FOR_ONE
    assert Message.objects.filter(attempts=1, failed_at=None).count() == 40
    register(other_tenant, shop.url)
    shop.answer = (200, {})
    enqueue(other_tenant)
    assert worker.send_due() == 1
    assert send_later() == 0
    cache.clear()
    assert send_later() == 40


def test_an_address_in_our_own_network_is_not_called(endpoint: WebhookEndpoint, shop: Shop, settings: Settings) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = []
    message = enqueue(endpoint.tenant)
    assert worker.send_due() == 0
    message.refresh_from_db()
    assert "ProviderUnavailable" in message.last_error
    assert not shop.bodies


def test_a_long_answer_is_not_read(endpoint: WebhookEndpoint, shop: Shop) -> None:
    shop.answer = lambda asked: asked.reply(200, b"x" * 1000, Content_Length=str(1 << 40))
    enqueue(endpoint.tenant)
    assert worker.send_due() == 1


def test_what_an_event_tells_is_encrypted_until_it_is_sent(endpoint: WebhookEndpoint, stored: Any) -> None:
    enqueue(endpoint.tenant, {"email": "ada-in-private@example.com"})
    assert "ada-in-private" not in stored()


def test_a_secret_signs_and_is_new_each_time() -> None:
    first, second = webhook_signature.new_secret(), webhook_signature.new_secret()
    assert first != second
    assert webhook_signature.is_secret(first)
