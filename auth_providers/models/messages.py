"""A tenant's overrides of message templates."""

from django.core.exceptions import ValidationError
from django.db import models

from tenants import codes
from tenants.models import TenantOwned
from tenants.privacy.classification import Kept, Privacy

NO_LANGUAGE = "Enter a language such as it or pt-BR."


def check_language(text: str) -> None:
    """Raises `ValidationError` unless the text is a language tag in its one spelling, by which a reader's is found."""
    tag = codes.language_tag(text)
    if tag is None:
        raise ValidationError(NO_LANGUAGE, code="invalid")
    if tag != text:
        raise ValidationError(f"This language is spelled {tag}.", code="invalid")


class MessageTemplate(TenantOwned):
    """A tenant's template for a message, in one language, for one site or all. Django's template language."""

    template = models.CharField(max_length=64, help_text="Such as password_reset.")
    site = models.CharField(max_length=64, blank=True, default="", help_text="Empty: every site.")
    language = models.CharField(
        max_length=codes.TAG_MAX_LENGTH,
        validators=[check_language],
        help_text="A language tag (BCP 47), such as it or pt-BR.",
    )
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
