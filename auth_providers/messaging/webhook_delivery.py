"""Delivering events of the outbox to a shop's own systems, signed (`webhook_signature`).

Many at once: most of the time each waits for another system.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone

from auth_providers.messaging import webhook_endpoints, webhook_threads
from auth_providers.messaging.webhook_threads import Endpoint, Threads, endpoint_of
from auth_providers.models import WebhookEndpoint
from auth_providers.outbound import circuit_breaker, http_client
from auth_providers.outbound.webhook_signature import new_id, signed
from customers import personal_details, profiles
from customers.models import THERE, Customer
from tenants.models import AuditEvent, Message, Tenant
from tenants.outbox import cloud_events
from tenants.outbox.worker import Result, Undeliverable
from tenants.secrets.encryption import decrypt
from tenants.trail.event_types import EventType

TEST = "test"
# Of the profile's columns, those that an event holds where the endpoint asks for personal data.
PROFILE = sorted({*profiles.FIELDS, *personal_details.FIELDS} - {"properties"})


class NotBegun(Exception):
    """It may be another worker's by now."""


class SwitchedOff(Exception):
    """The endpoint may be on again tomorrow: events wait for that, in their order, as for one that is down."""


class NotTaken(Exception):
    """The endpoint did not say that it took the message."""


@dataclass(frozen=True, kw_only=True)
class _Call:
    """One message on its way: all that is needed without the database."""

    endpoint: WebhookEndpoint
    body: bytes
    headers: Mapping[str, str]


def deliver(messages: Iterable[Message]) -> Iterator[Result]:
    """Deliver rows of the outbox, and tell what became of each once all have been tried (`worker.Sender`)."""
    with Threads() as threads, closing(Deliveries(threads)) as deliveries:
        deliveries.begin(list(messages))
        while threads.is_busy:
            results = threads.results(webhook_threads.SLOW_SECONDS)
            yield from results
            deliveries.note(results)


class Deliveries:
    """Deliveries that go on in threads, and what comes of them. `close` it in the end."""

    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        self._sessions = http_client.kept_sessions()
        self._endpoints: dict[Endpoint, WebhookEndpoint] = {}

    def begin(self, batch: list[Message], *, is_ours: Callable[[], bool] = lambda: True) -> None:
        """Deliver these as threads become free, unless they are not `is_ours` any more by then."""
        source = _Source(batch)
        self._endpoints |= source.endpoints
        for message in batch:
            self.threads.put(message, self._act(message, source, is_ours))

    def note(self, results: Iterable[Result]) -> None:
        """Note of the endpoints that these were for whether they took anything."""
        taken: dict[Endpoint, bool] = {}
        for result in results:
            key = endpoint_of(result.message)
            if key in self._endpoints and not isinstance(result.error, NotBegun | SwitchedOff):
                taken[key] = taken.get(key, False) or result.is_sent
        for key, is_taken in taken.items():
            webhook_endpoints.note_outcome(endpoint=self._endpoints[key], is_taken=is_taken)

    def hang_up(self) -> None:
        """Keep no connection, as nothing is being sent; nor what is known of endpoints."""
        self._sessions.close()
        self._sessions, self._endpoints = http_client.kept_sessions(), {}

    def close(self) -> None:
        """End it, once nothing is being sent."""
        self._sessions.close()

    def _act(self, message: Message, source: "_Source", is_ours: Callable[[], bool]) -> Callable[[Message], bool]:
        """What a thread does, without the database."""
        try:
            call = source.call_of(message)
        except Exception as error:
            return _failing(error)
        sessions = self._sessions

        def act(message: Message) -> bool:
            if not is_ours():
                raise NotBegun
            circuit_breaker.call(
                tenant=message.tenant,
                system=f"endpoint:{call.endpoint.pk}",
                act=lambda: _post(call.endpoint, call.headers, call.body, sessions),
            )
            return True

        return act


def _failing(error: Exception) -> Callable[[Message], bool]:
    def fail(message: Message) -> bool:
        raise error

    return fail


class _Source:
    """What a batch needs of the database, in a few statements."""

    def __init__(self, batch: list[Message]) -> None:
        self.endpoints: dict[Endpoint, WebhookEndpoint] = {
            (each.tenant_id, each.name): each
            for each in WebhookEndpoint.objects.filter(
                tenant__in={each.tenant_id for each in batch},
                name__in={each.recipient for each in batch},
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
        """Raises `Undeliverable` and `SwitchedOff`."""
        endpoint = self.endpoints.get((message.tenant_id, message.recipient))
        if endpoint is None:
            raise Undeliverable("There is no such endpoint.")
        if not endpoint.is_enabled:
            raise SwitchedOff("The endpoint is switched off.")
        body = _encoded(self._event_of(message))
        headers = _signed(endpoint, f"msg_{message.reference.hex}", body)
        return _Call(endpoint=endpoint, body=body, headers=headers)

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
        if message.event_id not in self.rows:
            raise Undeliverable("The audit trail does not have this event any more.")
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
    status, _ = http_client.post_json(
        endpoint.url, body, headers=headers, is_answer_read=False, sessions=sessions, system="endpoint"
    )
    if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
        raise NotTaken(f"The endpoint answered {status}.")
