"""The outbox, and a tenant's own words for it."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.models import TenantOwned


class Message(TenantOwned):
    """Something to be sent: the outbox, written in the transaction of what it announces."""

    class Channel(models.TextChoices):
        EMAIL = "email", "Mail"
        SMS = "sms", "Text message"
        WEBHOOK = "webhook", "Webhook"

    # Long enough for a slow mail server to answer, short enough that a crashed worker's mail is not late for long.
    LEASE = timedelta(minutes=5)

    template = models.CharField(max_length=64)
    language = models.CharField(max_length=35, blank=True, default="")
    site = models.CharField(max_length=64, blank=True, default="")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.EMAIL)
    recipient = models.CharField(max_length=254, help_text="An e-mail address, a number in E.164, a webhook's name.")
    context_encrypted = models.TextField(blank=True, default="", editable=False)
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


class MessageTemplate(TenantOwned):
    """A mail's words as a tenant wants them, for one language, and for one site or all. Django's template language."""

    template = models.CharField(max_length=64, help_text="Such as password_reset.")
    site = models.CharField(max_length=64, blank=True, default="", help_text="Empty: every site.")
    language = models.CharField(max_length=8, help_text="Two letters, such as de.")
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField(blank=True, default="", help_text="Empty: the mail has a text part only.")

    class Meta:
        ordering = ["template", "site", "language"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "template", "site", "language"], name="message_template_unique")
        ]

    def __str__(self) -> str:
        return f"{self.template} ({self.language}) {self.site}".strip()
