"""The outbox: what is to be sent, written in the transaction of what it announces."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.classification import AtErasure, Disguise, Expires, Privacy
from tenants.models.owned import TenantOwned

# Neither sent, nor given up, nor dropped.
WAITING = Q(sent_at=None, failed_at=None, dropped_at=None)


class Message(TenantOwned):
    """A mail, a text message or a webhook event to be sent.

    `template` names the template or, for a webhook, the type of the event; the sender of the channel renders it when it
    is sent. Urgent messages are sent before all others.
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

    privacy = Privacy(
        kept=Expires(("sent_at", "failed_at", "dropped_at"), timedelta(days=30)),
        personal={"recipient": Disguise.EMAIL, "last_error": Disguise.TEXT},
        secret=("context_encrypted",),
        technical="template language site channel is_urgent reference created_at attempts next_attempt_at sent_at "
        "failed_at dropped_at",
        destination="recipient",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="message_due", condition=WAITING),
            # Staff look for what somebody was sent, and an erasure deletes it.
            models.Index(fields=["tenant", "recipient"], name="message_by_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.template} to {self.recipient}"
