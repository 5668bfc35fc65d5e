"""A message to a shop's own system, signed so that the receiver can tell it from anybody else's (Standard Webhooks).

Each carries an id that stays the same however often it is sent, the moment of sending, and an HMAC-SHA256 over both and
the body; the receiver drops ids that it has seen and moments that are long past.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.utils import timezone
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from auth_providers import circuit_breaker, outgoing
from auth_providers.models import Message, WebhookEndpoint
from auth_providers.outgoing import ProviderUnavailable
from tenants.encryption import decrypt

SECRET_BYTES = 32  # Standard Webhooks asks for 24 to 64
TEST = "test"


class Undeliverable(Exception):
    """The tenant has no such endpoint, or has switched it off: sending again would not help."""


class NotTaken(Exception):
    """The endpoint did not say that it took the message."""


def new_secret() -> str:
    """A secret for signing, in the form that receivers' libraries take."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether something can be signed with it."""
    try:
        Webhook(text)
    except (ValueError, EmptyWebhookSecretError):
        return False
    return True


def body_of(kind: str, at: datetime, data: Mapping[str, Any]) -> bytes:
    """What is posted: the type of the event, its moment, and its data, as Standard Webhooks has it."""
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}).encode()


def signed(secret: str, webhook_id: str, body: bytes) -> dict[str, str]:
    """The headers that go with the body. Raises `ProviderUnavailable` when the secret is none."""
    if not is_secret(secret):
        raise ProviderUnavailable("Its secret is not one that can sign.", retry_after=outgoing.RETRY_AFTER)
    now = timezone.now()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(webhook_id, now, body.decode()),
    }


def new_id() -> str:
    """An id for a message that is sent once."""
    return f"msg_{uuid4().hex}"


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
    webhook_id = f"msg_{message.tenant.code}_{message.pk}_{message.created_at:%Y%m%d%H%M%S}"
    circuit_breaker.call(
        tenant=message.tenant, system=f"endpoint:{endpoint.pk}", act=lambda: _post(endpoint, webhook_id, body)
    )
    return True


def send_test(endpoint: WebhookEndpoint) -> None:
    """Send an event of the type `test` at once. Raises `NotTaken` and `ProviderUnavailable`."""
    _post(endpoint, new_id(), body_of(TEST, timezone.now(), {"endpoint": endpoint.name}))


def _post(endpoint: WebhookEndpoint, webhook_id: str, body: bytes) -> None:
    headers = signed(decrypt(endpoint.secret_encrypted), webhook_id, body)
    status, _ = outgoing.post_json(endpoint.url, body, headers=headers, is_answer_read=False)
    if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
        raise NotTaken(f"The endpoint answered {status}.")
