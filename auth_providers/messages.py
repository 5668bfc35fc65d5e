"""The outbox: messages are rows written in the transaction of what they announce, and sent by the worker afterwards.

A mail server or a gateway that is down delays them and loses none. What a message says is worked out when it is sent
(`letters`), so that a request for an unknown address costs what one for a known address costs, and no token rests in
the outbox; a one-time code does, encrypted, until it is sent.
"""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.core.mail import EmailMultiAlternatives
from django.db.models import F, QuerySet
from django.utils import timezone

from auth_providers import letters, sms, webhook_delivery
from auth_providers.models import Message
from tenants.encryption import encrypt
from tenants.models import Tenant

FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=1)
# Somebody sits and waits for these.
URGENT = ("log_in_code", "verification_code", "second_factor_code")
GIVE_UP_AFTER = timedelta(days=3)  # RFC 5321, 4.5.4.1 asks a sender for 4 to 5 days; a notice is stale before

logger = logging.getLogger(__name__)


def enqueue(
    *,
    tenant: Tenant,
    template: str,
    recipient: str,
    context: Mapping[str, str | int | bool] | None = None,
    language: str = "",
    site: str = "",
    channel: str = Message.Channel.EMAIL,
) -> Message:
    """Write a message to the outbox. `template` names its words; `language` defaults to the tenant's; `recipient` is
    what `channel` sends to, an e-mail address or a number in E.164."""
    message = Message(
        tenant=tenant,
        template=template,
        channel=channel,
        recipient=recipient,
        language=language or tenant.default_language,
        site=site,
        context_encrypted=encrypt(json.dumps(dict(context or {}))),
    )
    message.save(force_insert=True)
    return message


def send_due(*, limit: int = 100) -> int:
    """Send up to `limit` messages that are due, and the codes that come in meanwhile before the next of them. Returns
    how many went out. Several workers may run at once."""
    count = _send_each(_due().filter(template__in=URGENT)[:limit])
    for message in _due().exclude(template__in=URGENT)[:limit]:
        count += _send_each([message]) + _send_each(_due().filter(template__in=URGENT)[:limit])
    return count


def _due() -> QuerySet[Message]:
    waiting = Message.objects.filter(sent_at=None, failed_at=None, next_attempt_at__lte=timezone.now())
    return waiting.select_related("tenant").order_by("pk")


def _send_each(due: Iterable[Message]) -> int:
    return sum(_send(message) for message in due if _claim(message))


def _claim(message: Message) -> bool:
    """Reserve the mail for this worker, in one conditional UPDATE. If it dies, the lease ends and another one tries."""
    mine = Message.objects.filter(pk=message.pk, sent_at=None, next_attempt_at=message.next_attempt_at)
    return mine.update(next_attempt_at=timezone.now() + Message.LEASE, attempts=F("attempts") + 1) == 1


def _send(message: Message) -> bool:
    """Send one message, or find out that there is nothing to send. No transaction waits for whoever takes it."""
    try:
        is_sent = SENDERS[message.channel](message)
    except Exception as error:
        logger.warning("Message %s was not sent: %s", message.pk, type(error).__name__)
        _postpone(message, error)
        return False
    Message.objects.filter(pk=message.pk).update(sent_at=timezone.now(), context_encrypted="", last_error="")
    return is_sent


def _postpone(message: Message, error: Exception) -> None:
    """Try again later, unless that is of no use, or has been for too long."""
    now = timezone.now()
    outcome: dict[str, Any] = {
        "next_attempt_at": now + min(FIRST_DELAY * (1 << min(message.attempts, 20)), LONGEST_DELAY),
        "last_error": f"{type(error).__name__}: {error}"[:255],
    }
    if isinstance(error, FINAL) or now - message.created_at > GIVE_UP_AFTER:
        outcome |= {"failed_at": now, "context_encrypted": ""}
    Message.objects.filter(pk=message.pk).update(**outcome)


def _send_mail(message: Message) -> bool:
    mail = render(message)
    if mail is not None:
        mail.send()
    return mail is not None


def _send_sms(message: Message) -> bool:
    text = letters.write_sms(message)
    if text is not None:
        sms.send(to=message.recipient, text=text, reference=_reference(message))
    return text is not None


# By channel: each sends one message and returns whether there was anything to send.
SENDERS: dict[str, Callable[[Message], bool]] = {
    Message.Channel.EMAIL: _send_mail,
    Message.Channel.SMS: _send_sms,
    Message.Channel.WEBHOOK: webhook_delivery.send,
}
# What makes another attempt pointless.
FINAL = (sms.Refused, webhook_delivery.Undeliverable)


def _reference(message: Message) -> str:
    """What tells a repeated attempt from another message."""
    return f"{message.tenant.code}.{message.pk}.{message.created_at:%Y%m%d%H%M%S}"


def render(message: Message) -> EmailMultiAlternatives | None:
    """The mail as it goes out; None when its letter has nothing to say any more.

    Its Message-ID is that of the row, so that a server can tell a repeated one.
    """
    letter = letters.write(message)
    if letter is None:
        return None
    mail = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        from_email=message.tenant.mail_sender or None,
        to=[message.recipient],
        headers={"Message-ID": f"<{_reference(message)}@patron>"},
    )
    if letter.html:
        mail.attach_alternative(letter.html, "text/html")
    return mail
