"""Endpoints by themselves: their secrets, from where they are told of events, and when one is given up."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from auth_providers.messaging import webhook_endpoints
from auth_providers.messaging.webhook_endpoints import FAILING, OFF_AFTER, OWNER_TOLD_AFTER, ROTATION, SWITCHED_OFF
from auth_providers.models import WebhookEndpoint
from auth_providers.outbound import webhook_signature
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import feed
from tenants.outbox.leases import LEASE
from tenants.secrets.encryption import decrypt, encrypt
from tests.auth_providers.messaging.webhook_listeners import LOGGED_IN, OWNER, UPDATED, change

PassTime = Callable[[timedelta], None]
MOMENT = timedelta(microseconds=1)


def make(tenant: Tenant, name: str = "erp", **fields: Any) -> WebhookEndpoint:
    """An endpoint that is told of nothing, unless `event_types` says so: of all that there ever was."""
    given = {"url": "https://shop.example/", "secret_encrypted": encrypt("s"), "owner_email": OWNER} | fields
    return WebhookEndpoint.objects.create(tenant=tenant, name=name, **given)


def stored(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return WebhookEndpoint.objects.get(pk=endpoint.pk)


# -- secrets ---------------------------------------------------------------------------------------------------------
def test_a_first_secret_has_none_before_it(tenant: Tenant) -> None:
    endpoint = WebhookEndpoint(tenant=tenant, name="erp")
    secret = webhook_endpoints.new_secret(endpoint=endpoint)
    assert webhook_signature.is_secret(secret)
    assert decrypt(endpoint.secret_encrypted) == secret
    assert webhook_endpoints.previous_secret(endpoint) == ""
    assert endpoint.previous_secret_until is None


@pytest.mark.usefixtures("stopped_clock")
def test_the_secret_of_before_signs_for_a_day(tenant: Tenant, pass_time: PassTime) -> None:
    endpoint = WebhookEndpoint(tenant=tenant, name="erp")
    first, second = (webhook_endpoints.new_secret(endpoint=endpoint) for _ in range(2))
    assert first != second == decrypt(endpoint.secret_encrypted)
    pass_time(ROTATION - MOMENT)
    assert webhook_endpoints.previous_secret(endpoint) == first
    pass_time(MOMENT)
    assert webhook_endpoints.previous_secret(endpoint) == ""


# -- who listens -----------------------------------------------------------------------------------------------------
def place_of(endpoint: WebhookEndpoint) -> feed.Cursor:
    return feed.Cursor(endpoint.told_transaction_id, endpoint.told_id)


@pytest.mark.usefixtures("committed")
def test_who_begins_to_listen_is_told_from_now_on(tenant: Tenant) -> None:
    endpoint = make(tenant)
    change(tenant)
    webhook_endpoints.listen(endpoint=endpoint, types={UPDATED, LOGGED_IN})
    assert endpoint.event_types == f"{LOGGED_IN} {UPDATED}"
    assert place_of(endpoint) == feed.cursor_of(AuditEvent.objects.get())


@pytest.mark.usefixtures("committed")
@pytest.mark.parametrize("types", [[UPDATED], [LOGGED_IN, UPDATED], []])
def test_who_listens_already_misses_nothing(tenant: Tenant, types: list[str]) -> None:
    endpoint = make(tenant, event_types=LOGGED_IN)
    change(tenant)
    webhook_endpoints.listen(endpoint=endpoint, types=types)
    assert endpoint.event_types == " ".join(types)
    assert place_of(endpoint) == feed.START


@pytest.mark.usefixtures("committed")
def test_who_listens_to_nothing_keeps_their_place(tenant: Tenant) -> None:
    endpoint = make(tenant)
    change(tenant)
    webhook_endpoints.listen(endpoint=endpoint, types=[])
    assert (endpoint.event_types, place_of(endpoint)) == ("", feed.START)


def test_only_an_enabled_endpoint_of_some_events_listens(tenant: Tenant, other_tenant: Tenant) -> None:
    assert not webhook_endpoints.has_listeners()
    make(tenant, "off", event_types=UPDATED, is_enabled=False)
    make(tenant, "flows only")
    assert not webhook_endpoints.has_listeners()
    make(other_tenant, event_types=UPDATED)
    assert webhook_endpoints.has_listeners()


# -- what is written -------------------------------------------------------------------------------------------------
def deliveries() -> list[tuple[str, str, str]]:
    rows = Message.objects.filter(channel=Message.Channel.WEBHOOK).order_by("pk")
    return list(rows.values_list("tenant__code", "recipient", "template"))


@pytest.mark.usefixtures("committed")
def test_each_endpoint_is_told_of_its_tenants_events_and_its_types(tenant: Tenant, other_tenant: Tenant) -> None:
    make(tenant, "updates", event_types=UPDATED)
    make(tenant, "log-ins", event_types=LOGGED_IN)
    make(tenant, "off", event_types=UPDATED, is_enabled=False)
    make(tenant, "nothing")
    make(other_tenant, "another shop's", event_types=UPDATED)
    change(tenant)
    assert webhook_endpoints.enqueue_due() == 2, "one line of the trail for each of two"
    assert deliveries() == [(tenant.code, "updates", UPDATED)]
    assert webhook_endpoints.enqueue_due() == 0
    assert len(deliveries()) == 1


@pytest.mark.usefixtures("committed")
def test_lines_that_are_no_event_are_not_looked_at(
    tenant: Tenant, other_tenant: Tenant, statements: Callable[[Callable[[], Any]], list[str]]
) -> None:
    make(tenant, event_types=UPDATED)
    make(tenant, "nothing")
    change(tenant, action="export")
    change(other_tenant)
    assert AuditEvent.objects.for_tenant(tenant).filter(events="").exists()
    taken = statements(webhook_endpoints.enqueue_due)
    assert len(taken) == 1, "to ask who is behind: nobody is"
    assert deliveries() == []


@pytest.mark.usefixtures("committed")
def test_an_endpoint_goes_on_where_it_stopped(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_endpoints, "ROWS_AT_ONCE", 2)
    endpoint, beside = make(tenant, event_types=UPDATED), make(tenant, "flows only")
    for number in range(3):
        change(tenant, number=f"1000000{number}")
    places = [feed.cursor_of(row) for row in AuditEvent.objects.order_by("pk")]
    for looked_at, place in ((2, places[1]), (1, places[2]), (0, places[2])):
        assert webhook_endpoints.enqueue_due() == looked_at
        assert place_of(stored(endpoint)) == place
    numbers = Message.objects.order_by("pk").values_list("customer_number", flat=True)
    assert list(numbers) == ["10000000", "10000001", "10000002"]
    assert place_of(stored(beside)) == feed.START


# -- an endpoint that takes nothing ----------------------------------------------------------------------------------
@pytest.fixture
def others(tenant: Tenant, other_tenant: Tenant) -> Callable[[], list[dict[str, Any]]]:
    """Endpoints beside and across that take nothing, either; returns their rows."""
    long_ago = timezone.now() - timedelta(days=30)
    keys = [make(tenant, "beside", failing_since=long_ago).pk, make(other_tenant, failing_since=long_ago).pk]
    return lambda: [dict(row) for row in WebhookEndpoint.objects.filter(pk__in=keys).order_by("pk").values()]


def failing(tenant: Tenant, lasts: timedelta, **fields: Any) -> WebhookEndpoint:
    return make(tenant, failing_since=timezone.now() - lasts, **fields)


def fail(endpoint: WebhookEndpoint) -> list[tuple[str, str, str, object]]:
    """The mails after a call that was not taken."""
    webhook_endpoints.note_outcome(endpoint=endpoint, is_taken=False)
    mails = Message.objects.filter(channel=Message.Channel.EMAIL).order_by("pk")
    return [
        (each.tenant.code, each.template, each.recipient, json.loads(decrypt(each.context_encrypted))) for each in mails
    ]


def context_of(since: datetime | None) -> dict[str, str]:
    return {"endpoint": "erp", "since": f"{since:%Y-%m-%d %H:%M} UTC"}


@pytest.mark.usefixtures("stopped_clock")
def test_a_first_failure_is_noted(tenant: Tenant, others: Callable[[], Any]) -> None:
    endpoint, before = make(tenant), others()
    assert fail(endpoint) == []
    assert endpoint.failing_since == stored(endpoint).failing_since == timezone.now()
    assert others() == before


@pytest.mark.usefixtures("stopped_clock")
def test_a_failure_that_another_worker_has_noted_stays_as_it_is(tenant: Tenant) -> None:
    endpoint = make(tenant)
    earlier = timezone.now() - timedelta(hours=1)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=earlier)
    fail(endpoint)
    assert stored(endpoint).failing_since == earlier


@pytest.mark.usefixtures("stopped_clock")
def test_of_an_endpoint_that_is_off_nothing_is_noted(tenant: Tenant) -> None:
    endpoint = make(tenant, is_enabled=False)
    assert fail(endpoint) == []
    assert stored(endpoint).failing_since is None
    assert fail(failing(tenant, OFF_AFTER, name="crm", is_enabled=False)) == []


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize("lasts", [None, OFF_AFTER - MOMENT])
def test_an_endpoint_that_has_taken_something_meanwhile_stays_on(tenant: Tenant, lasts: timedelta | None) -> None:
    endpoint = failing(tenant, OFF_AFTER)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(failing_since=lasts and timezone.now() - lasts)
    assert fail(endpoint) == []
    assert stored(endpoint).is_enabled


@pytest.mark.usefixtures("stopped_clock")
def test_the_owner_is_told_once_at_the_end_of_a_day(tenant: Tenant, others: Callable[[], Any]) -> None:
    endpoint, before = failing(tenant, OWNER_TOLD_AFTER - MOMENT), others()
    assert fail(endpoint) == []
    assert stored(endpoint).owner_told_at is None
    endpoint.failing_since = timezone.now() - OWNER_TOLD_AFTER
    told = [(tenant.code, FAILING, OWNER, context_of(endpoint.failing_since))]
    assert fail(endpoint) == told
    assert stored(endpoint).owner_told_at == timezone.now()
    assert fail(endpoint) == told
    assert others() == before


@pytest.mark.usefixtures("stopped_clock")
def test_after_three_days_it_is_switched_off(tenant: Tenant, others: Callable[[], Any]) -> None:
    endpoint, before = failing(tenant, OFF_AFTER - MOMENT, owner_told_at=timezone.now()), others()
    assert fail(endpoint) == []
    assert stored(endpoint).is_enabled
    endpoint = failing(tenant, OFF_AFTER, name="crm", owner_told_at=timezone.now())
    since = endpoint.failing_since
    assert fail(endpoint) == [(tenant.code, SWITCHED_OFF, OWNER, context_of(since) | {"endpoint": "crm"})]
    now = stored(endpoint)
    assert (now.is_enabled, now.failing_since, now.owner_told_at) == (False, None, None)
    assert len(fail(endpoint)) == 1, "it is told once"
    assert others() == before


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(("lasts", "is_enabled"), [(OWNER_TOLD_AFTER, True), (OFF_AFTER, False)])
def test_an_endpoint_without_an_owner_mails_nobody(tenant: Tenant, lasts: timedelta, is_enabled: bool) -> None:
    endpoint = failing(tenant, lasts, owner_email="")
    assert fail(endpoint) == []
    assert stored(endpoint).is_enabled is is_enabled


# -- an endpoint that takes something again --------------------------------------------------------------------------
def waiting(tenant: Tenant, **fields: Any) -> Message:
    """An event that was tried in vain and waits for an hour."""
    given = {"channel": Message.Channel.WEBHOOK, "recipient": "erp", "template": UPDATED} | fields
    return Message.objects.create(tenant=tenant, **{"next_attempt_at": timezone.now() + timedelta(hours=1)} | given)


@pytest.mark.usefixtures("stopped_clock")
def test_what_waits_is_due_at_once(tenant: Tenant, other_tenant: Tenant, others: Callable[[], Any]) -> None:
    endpoint = failing(tenant, timedelta(hours=1), owner_told_at=timezone.now())
    soon = timezone.now() + LEASE
    due = [waiting(tenant), waiting(tenant, next_attempt_at=soon + MOMENT)]
    kept = [
        waiting(tenant, next_attempt_at=soon),
        waiting(other_tenant),
        waiting(tenant, recipient="beside"),
        waiting(tenant, channel=Message.Channel.EMAIL),
        *(waiting(tenant, **{end: timezone.now()}) for end in ("sent_at", "failed_at", "dropped_at")),
    ]
    before, untouched = others(), [each.next_attempt_at for each in kept]
    webhook_endpoints.note_outcome(endpoint=endpoint, is_taken=True)
    for each in due + kept:
        each.refresh_from_db()
    assert [each.next_attempt_at for each in due] == [timezone.now()] * 2
    assert [each.next_attempt_at for each in kept] == untouched
    now = stored(endpoint)
    assert (now.failing_since, now.owner_told_at, endpoint.failing_since) == (None, None, None)
    assert others() == before


@pytest.mark.usefixtures("stopped_clock")
def test_an_endpoint_that_never_failed_changes_nothing(tenant: Tenant) -> None:
    endpoint, event = make(tenant), waiting(tenant)
    webhook_endpoints.note_outcome(endpoint=endpoint, is_taken=True)
    event.refresh_from_db()
    assert event.next_attempt_at == timezone.now() + timedelta(hours=1)
    assert stored(endpoint).failing_since is None
