"""Writing to the outbox: messages are rows, written in the transaction of what they announce.

A mail server or a gateway that is down delays them and loses none. A message is rendered when it is sent (`worker`):
so a request for an unknown address takes as long as one for a known address, and no token is stored in the outbox; a
one-time code is, encrypted, until it is sent.
"""

import json
from collections.abc import Collection, Mapping
from typing import TypeAlias

from tenants.compiled import writes
from tenants.compiled.instances import fresh
from tenants.models import AuditEvent, Message, Tenant
from tenants.secrets.encryption import encrypt

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

    `template` names the template; `language` defaults to the tenant's; `recipient` is an e-mail address or a telephone
    number in E.164, as `channel` says. An urgent message (`is_urgent`), for which somebody is waiting, is sent before
    all that are not.
    """
    return _store(
        fresh(
            Message,
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


def enqueue_event(
    *, tenant: Tenant, endpoint_name: str, event: str, payload: Mapping[str, object], customer_number: str = ""
) -> Message:
    """Write an event of a flow's own for one of the tenant's webhook endpoints. `event` is its type, such as
    `customer.activated`, `customer_number` whom it is about.

    The worker sends it and tries again, under the same id, until the endpoint takes it or it is too old
    (`worker.GIVE_UP_AFTER`).
    """
    message = Message(
        tenant=tenant,
        channel=Message.Channel.WEBHOOK,
        template=event,
        recipient=endpoint_name,
        customer_number=customer_number,
    )
    return _store(message, payload)


def deliveries_of(*, tenant: Tenant, endpoint_name: str, row: AuditEvent, types: Collection[str]) -> list[Message]:
    """The messages that bring the row's events of these types to the endpoint, not stored yet."""
    return [
        Message(
            tenant=tenant,
            channel=Message.Channel.WEBHOOK,
            template=kind,
            recipient=endpoint_name,
            event_id=row.pk,
            customer_number=row.customer_number,
        )
        for kind in row.events.split()
        if kind in types
    ]


def _store(message: Message, context: Mapping[str, object]) -> Message:
    message.context_encrypted = encrypt(json.dumps(dict(context)))
    writes.insert(message, waits=True)
    return message
