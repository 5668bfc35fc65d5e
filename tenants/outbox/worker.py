"""Sending what is in the outbox: the senders (`settings.OUTBOX_SENDERS`), attempts, and when they are given up."""

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from tenants.models import Message
from tenants.models.outbox import WAITING

# Long enough for a slow mail server to answer, short enough that a crashed worker's mail is not late for long.
LEASE = timedelta(minutes=5)
FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)  # RFC 5321, 4.5.4.1 asks a sender for 4 to 5 days; a notice is stale before

# Sends one message and returns whether there was anything to send. Raises `Undeliverable` when another attempt would
# not help, and anything else when it might.
Sender = Callable[[Message], bool]

logger = logging.getLogger(__name__)


class Undeliverable(Exception):
    """Another attempt would not help: the receiver will never accept this message."""


def send_due(*, limit: int = 100) -> int:
    """Send up to `limit` messages that are due. Urgent ones that arrive meanwhile are sent before the next of the rest.
    Returns how many went out. Several workers may run at once."""
    count = _send_each(_due().filter(is_urgent=True)[:limit])
    for message in _due().filter(is_urgent=False)[:limit]:
        count += _send_each([message]) + _send_each(_due().filter(is_urgent=True)[:limit])
    return count


def _due() -> QuerySet[Message]:
    waiting = Message.objects.filter(WAITING, next_attempt_at__lte=timezone.now())
    return waiting.select_related("tenant").order_by("pk")


def _send_each(due: Iterable[Message]) -> int:
    return sum(_send(message) for message in due if _claim(message))


def _claim(message: Message) -> bool:
    """Reserve the message for this worker, in one conditional UPDATE. If it dies, the lease ends and another one
    tries."""
    mine = Message.objects.filter(WAITING, pk=message.pk, next_attempt_at=message.next_attempt_at)
    return mine.update(next_attempt_at=timezone.now() + LEASE, attempts=F("attempts") + 1) == 1


@cache
def _sender(channel: str) -> Sender:
    sender: Sender = import_string(settings.OUTBOX_SENDERS[channel])
    return sender


def _send(message: Message) -> bool:
    """Send one message, or find out that there is nothing to send. No transaction is open during the transfer."""
    try:
        is_sent = _sender(message.channel)(message)
    except Exception as error:
        logger.warning("Message %s was not sent: %s", message.pk, type(error).__name__)
        _postpone(message, error)
        return False
    done = "sent_at" if is_sent else "dropped_at"
    Message.objects.filter(pk=message.pk).update(**{done: timezone.now()}, context_encrypted="", last_error="")
    return is_sent


def _postpone(message: Message, error: Exception) -> None:
    """Try again later, unless that would not help or the message is too old."""
    now = timezone.now()
    message.next_attempt_at = now + min(FIRST_DELAY * (1 << min(message.attempts, 20)), LONGEST_DELAY)
    message.last_error = f"{type(error).__name__}: {error}"[:255]
    changed = ["next_attempt_at", "last_error"]
    if isinstance(error, Undeliverable) or now - message.created_at > GIVE_UP_AFTER:
        message.failed_at, message.context_encrypted = now, ""
        changed += ["failed_at", "context_encrypted"]
    message.save(update_fields=changed)
