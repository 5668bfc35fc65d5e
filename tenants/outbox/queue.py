"""Writing to the outbox: messages are rows, written in the transaction of what they announce.

A mail server or a gateway that is down delays them and loses none. What a message says is worked out when it is sent
(`worker`), so that a request for an unknown address costs what one for a known address costs, and no token rests in the
outbox; a one-time code does, encrypted, until it is sent.
"""

import json
from collections.abc import Mapping
from typing import TypeAlias

from tenants.encryption import encrypt
from tenants.models import Message, Tenant

# What a message's template is filled with, or what its sender looks up by it.
MessageContext: TypeAlias = Mapping[str, str | int | bool]
SITE_MAX_LENGTH: int = Message._meta.get_field("site").max_length or 0


def enqueue(
    *,
    tenant: Tenant,
    template: str,
    recipient: str,
    context: MessageContext | None = None,
    language: str = "",
    site: str = "",
    channel: str = Message.Channel.EMAIL,
    is_urgent: bool = False,
) -> Message:
    """Write a message to the outbox, in the caller's transaction.

    `template` names its words; `language` defaults to the tenant's; `recipient` is what `channel` sends to, an e-mail
    address or a number in E.164. What somebody waits for `is_urgent`: it is sent before everything that is not.
    """
    return _store(
        Message(
            tenant=tenant,
            template=template,
            channel=channel,
            recipient=recipient,
            language=language or tenant.default_language,
            site=site[:SITE_MAX_LENGTH],  # a longer one, which a profile may prefer, is no site's code
            is_urgent=is_urgent,
        ),
        context or {},
    )


def enqueue_event(*, tenant: Tenant, endpoint_name: str, event: str, payload: Mapping[str, object]) -> Message:
    """Write an event for one of the tenant's webhook endpoints. `event` is its type, such as `customer.updated`.

    The worker sends it and tries again, under the same id, until the endpoint takes it or it is too old
    (`worker.GIVE_UP_AFTER`).
    """
    message = Message(tenant=tenant, channel=Message.Channel.WEBHOOK, template=event, recipient=endpoint_name)
    return _store(message, payload)


def _store(message: Message, context: Mapping[str, object]) -> Message:
    message.context_encrypted = encrypt(json.dumps(dict(context)))
    message.save(force_insert=True)
    return message
