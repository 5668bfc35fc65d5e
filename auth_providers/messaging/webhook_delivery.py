"""Delivering events of the outbox to a shop's own systems, signed (`webhook_signature`).

Many at once: most of the time each waits for another system.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from auth_providers.messaging import webhook_endpoints
from auth_providers.models import WebhookEndpoint
from auth_providers.outbound import circuit_breaker, http_client
from auth_providers.outbound.webhook_signature import new_id, signed
from customers import personal_details, profiles
from customers.models import THERE, Customer
from tenants.encryption import decrypt
from tenants.event_types import EventType
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import cloud_events
from tenants.outbox.worker import Result, Undeliverable, attempt

TEST = "test"
AT_ONCE = 10  # as many connections as requests keeps open to one host
# Of the profile's columns, those that an event holds where the endpoint asks for personal data.
PROFILE = sorted({*profiles.FIELDS, *personal_details.FIELDS} - {"properties"})

EndpointKey = tuple[int, str]


class NotTaken(Exception):
    """The endpoint did not say that it took the message."""


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One message on its way: all that is needed without the database."""

    message: Message
    endpoint: WebhookEndpoint
    body: bytes
    headers: Mapping[str, str]


def deliver(messages: Iterable[Message]) -> Iterator[Result]:
    """Deliver rows of the outbox, and tell what became of each (`worker.Sender`)."""
    batch = list(messages)
    source = _Source(batch)
    calls: list[_Call] = []
    for message in batch:
        try:
            calls.append(source.call_of(message))
        except Exception as error:
            yield Result(message=message, error=error)
    taken: dict[EndpointKey, bool] = {}
    for call, result in _made(calls):
        key = (call.endpoint.tenant_id, call.endpoint.name)
        taken[key] = taken.get(key, False) or result.is_sent
        yield result
    for key, is_taken in taken.items():
        webhook_endpoints.note_outcome(endpoint=source.endpoints[key], is_taken=is_taken)


def _made(calls: list[_Call]) -> Iterator[tuple[_Call, Result]]:
    """The results of the calls, as they come."""
    if not calls:
        return
    with ThreadPoolExecutor(min(AT_ONCE, len(calls))) as pool, closing(http_client.kept_sessions()) as sessions:
        running = {pool.submit(attempt, call.message, _act(call, sessions)): call for call in calls}
        for done in as_completed(running):
            yield running[done], done.result()


def _act(call: _Call, sessions: http_client.KeptSessions) -> Callable[[Message], bool]:
    def act(message: Message) -> bool:
        circuit_breaker.call(
            tenant=message.tenant,
            system=f"endpoint:{call.endpoint.pk}",
            act=lambda: _post(call.endpoint, call.headers, call.body, sessions),
        )
        return True

    return act


class _Source:
    """What a batch needs of the database, in a few statements."""

    def __init__(self, batch: list[Message]) -> None:
        self.endpoints: dict[EndpointKey, WebhookEndpoint] = {
            (each.tenant_id, each.name): each
            for each in WebhookEndpoint.objects.filter(
                tenant__in={each.tenant_id for each in batch},
                name__in={each.recipient for each in batch},
                is_enabled=True,
            )
        }
        self.rows = AuditEvent.objects.in_bulk({each.event_id for each in batch if each.event_id})
        self.customers = self._customers(batch)

    def _customers(self, batch: list[Message]) -> dict[tuple[int, str], Customer]:
        """Those whose profiles go along: who was erased has none."""
        wanted = [each for each in batch if self._is_personal(each)]
        found = Customer.objects.filter(
            tenant__in={each.tenant_id for each in wanted},
            number__in={each.customer_number for each in wanted},
            **THERE,
        )
        return {(each.tenant_id, each.number): each for each in found} if wanted else {}

    def _is_personal(self, message: Message) -> bool:
        endpoint = self.endpoints.get((message.tenant_id, message.recipient))
        return endpoint is not None and endpoint.has_personal_data and message.template in cloud_events.WITH_PROFILE

    def call_of(self, message: Message) -> _Call:
        """Raises `Undeliverable`."""
        endpoint = self.endpoints.get((message.tenant_id, message.recipient))
        if endpoint is None:
            raise Undeliverable("There is no such endpoint, or it is switched off.")
        body = _encoded(self._event_of(message))
        headers = _signed(endpoint, f"msg_{message.reference.hex}", body)
        return _Call(message=message, endpoint=endpoint, body=body, headers=headers)

    def _event_of(self, message: Message) -> dict[str, object]:
        if message.event_id is None:  # a flow's own
            return cloud_events.envelope(
                event_id=message.reference.hex,
                tenant=message.tenant,
                kind=message.template,
                at=message.created_at,
                subject=message.customer_number,
                data=json.loads(decrypt(message.context_encrypted)),
            )
        key = (message.tenant_id, message.customer_number)
        customer = self.customers.get(key) if self._is_personal(message) else None
        return cloud_events.event_of(
            self.rows[message.event_id],
            message.tenant,
            EventType(message.template),
            profile=_profile(customer) if customer else None,
        )


def _profile(customer: Customer) -> dict[str, object]:
    return {name: _plain(getattr(customer, name)) for name in PROFILE}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value


def send_test(endpoint: WebhookEndpoint) -> None:
    """Send an event of the type `test` at once. Raises `NotTaken` and `ProviderUnavailable`."""
    event = _test_event(endpoint.tenant, endpoint)
    with closing(http_client.kept_sessions()) as sessions:
        body = _encoded(event)
        _post(endpoint, _signed(endpoint, new_id(), body), body, sessions)


def _test_event(tenant: Tenant, endpoint: WebhookEndpoint) -> dict[str, object]:
    return cloud_events.envelope(
        event_id=new_id(), tenant=tenant, kind=TEST, at=timezone.now(), subject="", data={"endpoint": endpoint.name}
    )


def _encoded(event: Mapping[str, object]) -> bytes:
    return json.dumps(event).encode()


def _signed(endpoint: WebhookEndpoint, webhook_id: str, body: bytes) -> dict[str, str]:
    return {
        **signed(
            decrypt(endpoint.secret_encrypted), webhook_id, body, previous=webhook_endpoints.previous_secret(endpoint)
        ),
        "Content-Type": cloud_events.MEDIA_TYPE,
    }


def _post(
    endpoint: WebhookEndpoint, headers: Mapping[str, str], body: bytes, sessions: http_client.KeptSessions
) -> None:
    status, _ = http_client.post_json(endpoint.url, body, headers=headers, is_answer_read=False, sessions=sessions)
    if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
        raise NotTaken(f"The endpoint answered {status}.")
