"""Events that were given up, and are sent again."""

import io
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone

from auth_providers.models import WebhookEndpoint
from tenants.models import Message, Tenant
from tenants.outbox import dead_letters, worker
from tests.auth_providers.messaging.webhook_listeners import change, later, work
from tests.shop_endpoint import Shop

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def dead(endpoint: WebhookEndpoint, shop: Shop) -> list[Message]:
    """Three events of three customers, given up."""
    shop.answer = (500, {})
    for number in ("10000001", "10000002", "10000003"):
        change(endpoint.tenant, number)
    work()
    Message.objects.update(created_at=timezone.now() - worker.GIVE_UP_AFTER - timedelta(minutes=1))
    later()
    shop.answer = (200, {})
    cache.clear()
    return list(dead_letters.find(tenant=endpoint.tenant))


def test_one_event_is_sent_again_under_its_id(dead: list[Message], shop: Shop) -> None:
    assert len(dead) == 3
    assert dead_letters.replay(tenant=dead[0].tenant, keys=[dead[0].pk]) == 1
    assert work() == 1
    assert f"msg_{dead[0].reference.hex}" in shop.ids()[:-1]
    assert shop.ids()[-1] == f"msg_{dead[0].reference.hex}"


def test_an_event_that_is_sent_again_is_tried_for_three_days_again(dead: list[Message], shop: Shop) -> None:
    shop.answer = (500, {})
    dead_letters.replay(tenant=dead[0].tenant, keys=[dead[0].pk])
    work()
    assert Message.objects.get(pk=dead[0].pk).failed_at is None


def test_nothing_else_is_sent_again(dead: list[Message], other_tenant: Tenant) -> None:
    keys = [each.pk for each in dead]
    assert dead_letters.replay(tenant=other_tenant, keys=keys) == 0
    assert dead_letters.replay(tenant=dead[0].tenant, keys=keys) == 3
    assert dead_letters.replay(tenant=dead[0].tenant, keys=keys) == 0


def test_a_range_begins_with_its_first_moment_and_ends_before_its_last(dead: list[Message]) -> None:
    moments = [timezone.now() + timedelta(seconds=number) for number in range(3)]
    for event, at in zip(dead, moments, strict=True):
        Message.objects.filter(pk=event.pk).update(created_at=at)
    tenant = dead[0].tenant
    assert list(dead_letters.find(tenant=tenant, since=moments[1])) == dead[1:]
    assert list(dead_letters.find(tenant=tenant, until=moments[1])) == dead[:1]
    assert list(dead_letters.find(tenant=tenant, since=moments[1], until=moments[2])) == dead[1:2]
    assert not dead_letters.find(tenant=tenant, endpoint_name="another").exists()


def replay(*words: str) -> str:
    said = io.StringIO()
    call_command("replay_events", "acme", *words, stdout=said)
    return said.getvalue()


def test_the_command_replays_a_range(dead: list[Message]) -> None:
    first, second, _ = dead
    Message.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=9))
    since = (timezone.now() - timedelta(days=10)).isoformat()
    until = (timezone.now() - timedelta(days=8)).isoformat()
    assert replay("--list", "--until", until).startswith(f"{first.pk} ")
    assert replay("--since", since, "--until", until) == "1 events will be sent again.\n"
    assert replay("--endpoint", "crm") == "0 events will be sent again.\n"
    assert replay("--id", str(second.pk)) == "1 events will be sent again.\n"
    assert replay() == "1 events will be sent again.\n"
