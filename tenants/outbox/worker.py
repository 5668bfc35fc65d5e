"""Sending what is in the outbox: who takes which message, attempts, and when they are given up.

What sends a channel is in `settings.OUTBOX_SENDERS`. Lanes are served apart, so that a code that somebody waits for is
never behind notices, nor behind a system of a shop, and one by mail not behind a gateway of text messages that hangs,
nor one by text message behind a mail server. Any number of workers may run at once.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache, reduce
from itertools import count as count_from
from operator import or_

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.module_loading import import_string

from tenants import clocks
from tenants.compiled.writes import Change, compiled_update
from tenants.models import Message
from tenants.models.outbox import WAITING
from tenants.outbox import leases
from tenants.telemetry import context, metrics

FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)  # RFC 5321, 4.5.4.1 asks a sender for 4 to 5 days; a notice is stale before
SMS, WEBHOOK = Message.Channel.SMS, Message.Channel.WEBHOOK
REASON_MAX_LENGTH: int = Message._meta.get_field("last_error").max_length or 0

# Events that have these in common are sent one after the other.
_ORDERED_BY = ("tenant_id", "recipient", "customer_number")

logger = logging.getLogger(__name__)


class Lane(StrEnum):
    """What is served apart from the rest."""

    URGENT = "urgent"
    URGENT_TEXTS = "urgent_texts"
    NOTICES = "notices"
    EVENTS = "events"


_OF_LANE = {
    Lane.URGENT: Q(is_urgent=True) & ~Q(channel=SMS),
    Lane.URGENT_TEXTS: Q(is_urgent=True, channel=SMS),
    Lane.NOTICES: Q(is_urgent=False) & ~Q(channel=WEBHOOK),
    Lane.EVENTS: Q(is_urgent=False, channel=WEBHOOK),
}
# How many messages a worker takes at once, and after how many that were sent it records so: a mail that is sent twice
# disturbs somebody, an event does not.
_TAKEN_AT_ONCE = {Lane.URGENT: 10, Lane.URGENT_TEXTS: 10, Lane.NOTICES: 25, Lane.EVENTS: 100}
_RECORDED_AT_ONCE = {Lane.URGENT: 1, Lane.URGENT_TEXTS: 1, Lane.NOTICES: 1, Lane.EVENTS: 25}


# What is left of a message that was sent, beside when that was.
SENT: dict[str, str | None] = {"dropped_at": None, "context_encrypted": "", "last_error": ""}

# Messages that this process has sent, and could not say so.
_unrecorded: set[int] = set()


class Undeliverable(Exception):
    """Another attempt would not help: the receiver will never accept this message."""


class NothingToSend(Exception):
    """What the message was about has ended meanwhile: why, as staff read it, such as "the code had expired". It is
    dropped."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a message: sent, dropped (`NothingToSend`), or failed by another error. After `Undeliverable` it
    is not tried again."""

    message: Message
    is_sent: bool = False
    error: Exception | None = None


# Sends messages of its channel, in any order, and tells what became of each as soon as it knows.
Sender = Callable[[Iterable[Message]], Iterator[Result]]


def attempt(message: Message, send: Callable[[Message], object]) -> Result:
    """The result of sending one message by `send`, which raises what kept it from being handed over."""
    try:
        with context.sending(tenant=message.tenant.code, message=message.reference.hex):
            return _sent_or_dropped(message, send)
    except Exception as error:
        return Result(message=message, error=error)


def _sent_or_dropped(message: Message, send: Callable[[Message], object]) -> Result:
    """Neither is an error of the span."""
    try:
        send(message)
    except NothingToSend as reason:
        return Result(message=message, error=reason)
    return Result(message=message, is_sent=True)


def send_due(*, limit: int = 100) -> int:
    """Serve every lane once, with up to `limit` messages each. Urgent ones that arrive meanwhile are sent before the
    next of the rest. Returns how many went out."""
    count = _serve_urgent(limit)
    for lane in (Lane.NOTICES, Lane.EVENTS):
        count += serve(lane, limit=limit, between=lambda: _serve_urgent(limit))
    return count


def _serve_urgent(limit: int) -> int:
    return sum(serve(lane, limit=limit) for lane in (Lane.URGENT, Lane.URGENT_TEXTS))


def serve(lane: Lane, *, limit: int = 100, between: Callable[[], int] = lambda: 0) -> int:
    """Send up to `limit` messages of the lane that are due, and do what is to be done `between` two of them. Returns
    how many messages went out."""
    count, left = 0, limit
    note_rest()
    while left > 0 and (taken := claim(lane, min(left, _TAKEN_AT_ONCE[lane]))):
        count += _deliver(lane, taken, between)
        left -= len(taken)
    return count


def seconds_until_due(lane: Lane) -> float | None:
    """How long nothing of the lane is due; None when nothing waits at all."""
    first = _waiting(lane).order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    return None if first is None else max(0.0, (first - timezone.now()).total_seconds())


@dataclass(frozen=True, kw_only=True)
class Depth:
    """How many messages of a lane wait, and for how long the first of them has been due."""

    waiting: int
    overdue_seconds: float


def depth(lane: Lane) -> Depth:
    """How long the lane's queue is. What is being sent at the moment waits, but is not overdue."""
    waiting = Message.objects.filter(WAITING, _OF_LANE[lane])
    first = waiting.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    overdue = (timezone.now() - first).total_seconds() if first else 0.0
    return Depth(waiting=waiting.count(), overdue_seconds=max(0.0, overdue))


@transaction.atomic
def claim(
    lane: Lane,
    limit: int,
    *,
    without: Iterable[tuple[int, str]] = (),
    fits: Callable[[Message], bool] = lambda message: True,
) -> list[Message]:
    """Reserve for this worker those of the first `limit` messages that are due, but for any to the receivers `without`
    (tenant's key and recipient), that also `fits`; what others have locked is passed over. All have one lease; if the
    worker dies, it ends and another one tries."""
    due = _due(lane)
    for tenant_id, recipient in without:
        due = due.exclude(tenant=tenant_id, recipient=recipient)
    taken = [each for each in due.select_for_update(skip_locked=True, of=("self",))[:limit] if fits(each)]
    until = timezone.now() + leases.LEASE
    Message.objects.filter(pk__in=[each.pk for each in taken]).update(next_attempt_at=until, attempts=F("attempts") + 1)
    for each in taken:
        each.next_attempt_at, each.attempts = until, each.attempts + 1
    return taken


def release(messages: Collection[Message]) -> None:
    """Leave to others what was claimed and not begun, while its lease lasts."""
    own = Message.objects.filter(WAITING, pk__in=[each.pk for each in messages])
    own.update(next_attempt_at=timezone.now(), attempts=F("attempts") - 1)


def bring_forward() -> int:
    """What was noted before the clock was set back, here or on another machine, does not wait until the clock gets
    there again: what was written ahead of now and not tried is due now, and what was tried when a lease that begins now
    ends, as it may be somebody's. Returns how many messages that are."""
    count = sum(_bring_forward(of_lane, timezone.now()) for of_lane in _OF_LANE.values())
    if count:
        logger.warning("%d messages were noted ahead of the clock: they are sent now", count)
    return count


def _bring_forward(of_lane: Q, now: datetime) -> int:
    later = Message.objects.filter(WAITING, of_lane, next_attempt_at__gt=now + clocks.TOLERANCE)
    written_ahead, too_far = Q(created_at__gt=now + clocks.TOLERANCE), _further_than_any_rule(now)
    if not later.filter(written_ahead | too_far).exists():
        return 0
    later.filter(written_ahead).update(created_at=now)
    due = later.filter(attempts=0).filter(Q(created_at=now) | too_far).update(next_attempt_at=now)
    return due + later.filter(too_far).update(next_attempt_at=now + leases.LEASE)


def _further_than_any_rule(now: datetime) -> Q:
    """For messages: more ahead than a lease, or the wait after so many attempts, ends. An event that was not tried may
    wait with another one, whose wait is the longest."""
    longest_after = next(number for number in count_from(1) if delay_after(number) == LONGEST_DELAY)
    waits = {number: max(delay_after(number), leases.LEASE) for number in range(1, longest_after)}
    tried = (Q(attempts=number, next_attempt_at__gt=now + wait + clocks.TOLERANCE) for number, wait in waits.items())
    return reduce(or_, tried, Q(next_attempt_at__gt=now + LONGEST_DELAY + clocks.TOLERANCE))


def _due(lane: Lane) -> QuerySet[Message]:
    due = _waiting(lane).filter(next_attempt_at__lte=timezone.now())
    return due.select_related("tenant").order_by("next_attempt_at", "pk")


def _waiting(lane: Lane) -> QuerySet[Message]:
    """What is not settled, but for events that have to wait for another one."""
    waiting = Message.objects.filter(WAITING, _OF_LANE[lane])
    return waiting.exclude(~Q(customer_number="") & Exists(_earlier())) if lane is Lane.EVENTS else waiting


def _earlier() -> QuerySet[Message]:
    """Events for the same endpoint of the same customer, which wait and come first. The channel is named, so that
    PostgreSQL looks into `message_event_order`: by the recipient alone, each look reads an endpoint's whole backlog."""
    same = {name: OuterRef(name) for name in _ORDERED_BY}
    return Message.objects.filter(WAITING, **same, channel=WEBHOOK, pk__lt=OuterRef("pk"))


@cache
def _sender(channel: str) -> Sender:
    sender: Sender = import_string(settings.OUTBOX_SENDERS[channel])
    return sender


def _deliver(lane: Lane, taken: list[Message], between: Callable[[], int]) -> int:
    """Send what was claimed. No transaction is open during the transfer. Returns how many were sent."""
    with leases.Lease([each.pk for each in taken], taken[0].next_attempt_at) as lease:
        count = 0
        for channel in dict.fromkeys(each.channel for each in taken):
            messages = _in_time((each for each in taken if each.channel == channel), lease)
            count += _deliver_by(channel, messages, _RECORDED_AT_ONCE[lane], between)
        return count


def _deliver_by(channel: str, messages: Iterable[Message], recorded_at_once: int, between: Callable[[], int]) -> int:
    count, sent = 0, list[int]()
    try:
        for result in _sender(channel)(messages):
            if result.is_sent:
                metrics.deliveries.labels(channel, "sent").inc()
                sent.append(result.message.pk)
            else:
                settle(result)
            if len(sent) >= recorded_at_once:
                count += record(sent)
            count += between()
    finally:
        count += record(sent)
    return count


def _in_time(messages: Iterable[Message], lease: leases.Lease) -> Iterator[Message]:
    """The messages, as long as enough of their lease is left: another worker takes the rest."""
    for message in messages:
        if lease.begin(message.pk):
            yield message


def record(sent: list[int]) -> int:
    """Note these as sent, and forget what they said. Returns how many there were; the list is empty then."""
    count = len(sent)
    if sent:
        try:
            _note_sent(sent)
        except (DatabaseError, InterfaceError):
            _unrecorded.update(sent)
            raise
        finally:
            sent.clear()
    return count


def _note_sent(keys: Sequence[int]) -> None:
    """A mail is noted alone, and each one is."""
    now = timezone.now()
    if len(keys) == 1:
        _note_one_sent(key=keys[0], sent_at=now)
    else:
        Message.objects.filter(pk__in=keys).update(sent_at=now, **SENT)


@compiled_update
def _note_one_sent(*, key: int, sent_at: datetime) -> Change:
    """Of any tenant: the worker serves all."""
    return Message.objects.filter(pk=key), {"sent_at": sent_at, **SENT}


def note_rest() -> None:
    """Note what was sent while the database was away, before anything is claimed. Raises what the database raises."""
    rest = list(_unrecorded)
    if rest:
        record([*rest])
        _unrecorded.difference_update(rest)


def settle(result: Result) -> None:
    """Note what was not sent: dropped, with the reason, or to be tried later. What staff have dropped meanwhile stays
    so."""
    message, error = result.message, result.error
    waiting = Message.objects.filter(WAITING, pk=message.pk)
    if error is None or isinstance(error, NothingToSend):
        metrics.deliveries.labels(message.channel, "dropped").inc()
        reason = str(error or "")[:REASON_MAX_LENGTH]
        waiting.update(dropped_at=timezone.now(), context_encrypted="", last_error=reason)
        return
    logger.warning("Message %s was not sent: %s", message.pk, type(error).__name__)
    _postpone(message, waiting, error)


def _postpone(message: Message, waiting: QuerySet[Message], error: Exception) -> None:
    """Try again later, unless that would not help or the message is too old. An event that is given up can be sent
    again by staff (`dead_letters`), so that what it says is kept."""
    now = timezone.now()
    message.next_attempt_at = now + delay_after(message.attempts)
    message.last_error = f"{type(error).__name__}: {error}"[:REASON_MAX_LENGTH]
    changed = ["next_attempt_at", "last_error"]
    if isinstance(error, Undeliverable) or now - _tried_since(message) > GIVE_UP_AFTER:
        message.failed_at = now
        changed.append("failed_at")
        if message.channel != WEBHOOK:
            message.context_encrypted = ""
            changed.append("context_encrypted")
    waiting.update(**{name: getattr(message, name) for name in changed})
    metrics.deliveries.labels(message.channel, "given_up" if message.failed_at else "failed").inc()
    if message.customer_number and message.failed_at is None:
        _let_followers_wait(message)


def _let_followers_wait(message: Message) -> None:
    """They would wait anyway, and would be looked at each time."""
    same = {name: getattr(message, name) for name in _ORDERED_BY}
    followers = Message.objects.filter(WAITING, **same, channel=message.channel, pk__gt=message.pk)
    followers.filter(next_attempt_at__lt=message.next_attempt_at).update(next_attempt_at=message.next_attempt_at)


def delay_after(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts."""
    return min(FIRST_DELAY * (1 << min(max(attempts - 1, 0), 20)), LONGEST_DELAY)


def _tried_since(message: Message) -> datetime:
    return message.replayed_at or message.created_at
