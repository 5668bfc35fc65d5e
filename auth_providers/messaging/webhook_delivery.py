"""Delivering events of the outbox to a shop's own systems, signed (`webhook_signature`)."""

import json

from django.utils import timezone

from auth_providers.models import WebhookEndpoint
from auth_providers.outbound import circuit_breaker, http_client
from auth_providers.outbound.webhook_signature import body_of, new_id, signed
from tenants.encryption import decrypt
from tenants.models import Message
from tenants.outbox.worker import Undeliverable

TEST = "test"


class NotTaken(Exception):
    """The endpoint did not say that it took the message."""


def send(message: Message) -> bool:
    """Deliver a row of the outbox; there is always something to send.

    Raises `Undeliverable`, and `NotTaken` or `ProviderUnavailable` when it should be tried again.
    """
    endpoint = (
        WebhookEndpoint.objects.for_tenant(message.tenant).filter(name=message.recipient, is_enabled=True).first()
    )
    if endpoint is None:
        raise Undeliverable("There is no such endpoint, or it is switched off.")
    data = json.loads(decrypt(message.context_encrypted))
    body = body_of(message.template, message.created_at, data)
    webhook_id = f"msg_{message.reference.hex}"
    circuit_breaker.call(
        tenant=message.tenant, system=f"endpoint:{endpoint.pk}", act=lambda: _post(endpoint, webhook_id, body)
    )
    return True


def send_test(endpoint: WebhookEndpoint) -> None:
    """Send an event of the type `test` at once. Raises `NotTaken` and `ProviderUnavailable`."""
    _post(endpoint, new_id(), body_of(TEST, timezone.now(), {"endpoint": endpoint.name}))


def _post(endpoint: WebhookEndpoint, webhook_id: str, body: bytes) -> None:
    headers = signed(decrypt(endpoint.secret_encrypted), webhook_id, body)
    status, _ = http_client.post_json(endpoint.url, body, headers=headers, is_answer_read=False)
    if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
        raise NotTaken(f"The endpoint answered {status}.")
