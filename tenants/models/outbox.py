"""The outbox: what is to be sent, written in the transaction of what it announces."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.models.owned import TenantOwned


class Message(TenantOwned):
    """Something to be sent.

    `template` names its words or, for a webhook, the type of the event; the sender of its channel makes of it what goes
    out. An urgent message goes before all that are not.
    """

    class Channel(models.TextChoices):
        EMAIL = "email", "Mail"
        SMS = "sms", "Text message"
        WEBHOOK = "webhook", "Webhook"

    template = models.CharField(max_length=64)
    language = models.CharField(max_length=35, blank=True, default="")
    site = models.CharField(max_length=64, blank=True, default="")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.EMAIL)
    recipient = models.CharField(max_length=254, help_text="An e-mail address, a number in E.164, a webhook's name.")
    context_encrypted = models.TextField(blank=True, default="", editable=False)
    is_urgent = models.BooleanField(default=False, editable=False, help_text="Somebody waits for it.")
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    last_error = models.CharField(max_length=255, blank=True, default="")
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True, help_text="When we gave up.")

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="message_due",
                condition=Q(sent_at__isnull=True, failed_at__isnull=True),
            ),
            # Staff look for what somebody was sent, and an erasure deletes it.
            models.Index(fields=["tenant", "recipient"], name="message_by_recipient"),
        ]

    def __str__(self) -> str:
        return f"{self.template} to {self.recipient}"
