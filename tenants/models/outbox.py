"""The outbox: what is to be sent, written in the transaction of what it announces."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.customer_numbers import NUMBER_DIGITS
from tenants.models.owned import TenantOwned
from tenants.privacy.classification import AtErasure, Disguise, Expires, Kept, Privacy

# Neither sent, nor given up, nor dropped.
WAITING = Q(sent_at=None, failed_at=None, dropped_at=None)


class Message(TenantOwned):
    """A mail, a text message or an event to be sent.

    `template` names the template or, for a webhook, the type of the event; the sender of the channel renders it when it
    is sent. An event is that of the trail's line `event_id`, or what a flow says. Urgent messages are sent before all
    others, and the events of one customer to one endpoint one after the other. `last_error` also says why one was
    dropped.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", "Mail"
        SMS = "sms", "Text message"
        WEBHOOK = "webhook", "Webhook"

    template = models.CharField(max_length=64)
    language = models.CharField(max_length=35, blank=True, default="")
    site = models.CharField(max_length=64, blank=True, default="")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.EMAIL)
    recipient = models.CharField(
        max_length=254, help_text="An e-mail address, a telephone number in E.164, or the name of a webhook endpoint."
    )
    event_id = models.BigIntegerField(null=True, editable=False)
    customer_number = models.CharField(
        max_length=NUMBER_DIGITS, blank=True, default="", help_text="Whom an event is about."
    )
    context_encrypted = models.TextField(blank=True, default="", editable=False)
    is_urgent = models.BooleanField(default=False, editable=False, help_text="Somebody is waiting for it.")
    reference = models.UUIDField(
        default=uuid.uuid4,
        editable=False,
        help_text="The same at every attempt: a receiver knows a repetition by it.",
    )
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    last_error = models.CharField(max_length=255, blank=True, default="")
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True, help_text="When sending was given up.")
    dropped_at = models.DateTimeField(null=True, help_text="When it turned out that there was nothing to say.")
    replayed_at = models.DateTimeField(null=True, help_text="When somebody had it sent again after it was given up.")

    privacy = Privacy(
        kept=Expires(("sent_at", "failed_at", "dropped_at"), timedelta(days=30)),
        personal={
            "recipient": Disguise.EMAIL,
            "customer_number": Disguise.CUSTOMER_NUMBER,
            "last_error": Disguise.TEXT,
        },
        secret=("context_encrypted",),
        technical="template language site channel event_id is_urgent reference created_at attempts next_attempt_at "
        "sent_at failed_at dropped_at replayed_at",
        destination="recipient",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        ordering = ["-pk"]
        indexes = [
            # One for each lane of the worker: a code is not looked for among all notices.
            models.Index(
                fields=["next_attempt_at", "id"], name="message_urgent", condition=WAITING & Q(is_urgent=True)
            ),
            models.Index(
                fields=["next_attempt_at", "id"],
                name="message_notices",
                condition=WAITING & Q(is_urgent=False) & ~Q(channel="webhook"),
            ),
            models.Index(
                fields=["next_attempt_at", "id"],
                name="message_events",
                condition=WAITING & Q(is_urgent=False, channel="webhook"),
            ),
            # What an event of the same customer has to wait for.
            models.Index(
                fields=["tenant", "recipient", "customer_number", "id"],
                name="message_event_order",
                condition=WAITING & Q(channel="webhook"),
            ),
            # Staff look for what somebody was sent, and an erasure deletes it.
            models.Index(fields=["tenant", "recipient"], name="message_by_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.template} to {self.recipient}"


class MailSuppression(TenantOwned):
    """An address that the tenant mails nothing to any more, until staff lift it: mail to it came back, or its reader
    complained, or staff said so."""

    class Why(models.TextChoices):
        BOUNCED = "bounced", "Mail came back"
        COMPLAINED = "complained", "Reported as spam"
        REFUSED = "refused", "The mail server knows no such mailbox"
        STAFF = "staff", "Added by staff"

    address = models.CharField(max_length=254)
    why = models.CharField(max_length=10, choices=Why)
    detail = models.CharField(max_length=255, blank=True, default="", help_text="In the words of the mail server.")
    created_at = models.DateTimeField(default=timezone.now)

    privacy = Privacy(
        kept=Kept.UNTIL_CHANGED,
        personal={"address": Disguise.EMAIL, "detail": Disguise.TEXT},
        technical="why created_at",
        destination="address",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "address"], name="mail_suppression_once")]

    def __str__(self) -> str:
        return f"{self.address}: {self.why}"
