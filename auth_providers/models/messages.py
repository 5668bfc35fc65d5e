"""A tenant's overrides of message templates."""

from django.db import models

from tenants.classification import Kept, Privacy
from tenants.models import TenantOwned


class MessageTemplate(TenantOwned):
    """A tenant's template for a message, in one language, for one site or all. Django's template language."""

    template = models.CharField(max_length=64, help_text="Such as password_reset.")
    site = models.CharField(max_length=64, blank=True, default="", help_text="Empty: every site.")
    language = models.CharField(max_length=8, help_text="Two letters, such as de.")
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField(blank=True, default="", help_text="Empty: the mail has a text part only.")

    privacy = Privacy(kept=Kept.UNTIL_CHANGED, technical="template site language subject text html")

    class Meta:
        ordering = ["template", "site", "language"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "template", "site", "language"], name="message_template_unique")
        ]

    def __str__(self) -> str:
        return f"{self.template} ({self.language}) {self.site}".strip()
