"""Signing what is sent to a shop's own system, so that the receiver can tell it from others' (Standard Webhooks).

Each message carries an id that stays the same however often it is sent, the moment of sending, and an HMAC-SHA256 over
both and the body; the receiver drops ids that it has seen and moments that are long past.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from django.utils import timezone
from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from auth_providers.outbound import http_client
from auth_providers.outbound.http_client import ProviderUnavailable

SECRET_BYTES = 32
SHORTEST, LONGEST = 24, 64  # bytes of a secret, as Standard Webhooks asks
PREFIX = "whsec_"
# What is said where something else is entered.
NO_SECRET = f"A secret that signs is {SHORTEST} to {LONGEST} bytes in base64, with or without {PREFIX} in front."


def new_secret() -> str:
    """A secret for signing, in the form that receivers' libraries take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether it may be entered as one."""
    digits = text.removeprefix(PREFIX).rstrip("=")
    try:
        secret = base64.b64decode(digits + "=" * (-len(digits) % 4), validate=True)
    except ValueError:
        return False
    return SHORTEST <= len(secret) <= LONGEST


def _can_sign(text: str) -> bool:
    """What was entered before the length was asked for goes on signing."""
    try:
        Webhook(text)
    except (ValueError, EmptyWebhookSecretError):
        return False
    return True


def body_of(kind: str, at: datetime, data: Mapping[str, object]) -> bytes:
    """What is posted: the type of the event, its moment, and its data, as Standard Webhooks has it."""
    return json.dumps({"type": kind, "timestamp": at.isoformat(), "data": data}).encode()


def signed(secret: str, webhook_id: str, body: bytes, *, previous: str = "") -> dict[str, str]:
    """The headers that go with the body, signed with the `previous` secret as well while it is being replaced. Raises
    `ProviderUnavailable` when a secret is none."""
    secrets_in_use = [secret, previous] if previous else [secret]
    if not all(_can_sign(each) for each in secrets_in_use):
        raise ProviderUnavailable("Its secret is not one that can sign.", retry_after=http_client.RETRY_AFTER)
    now = timezone.now()
    signatures = [Webhook(each).sign(webhook_id, now, body.decode()) for each in secrets_in_use]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def new_id() -> str:
    """An id for a message that is sent once."""
    return f"msg_{uuid4().hex}"
