"""Receipts: that something was done at a moment, without saying whom it was about."""

import uuid

from django.db import models
from django.utils import timezone

from tenants.models.owned import TenantOwned
from tenants.privacy.classification import Kept, Privacy


class Receipt(TenantOwned):
    """A statement that was recorded, as a digest. The worker chains it to the one before it, by position and hash."""

    class Kind(models.TextChoices):
        CONSENT = "consent", "A consent was given or withdrawn"
        ERASURE = "erasure", "A customer was erased"

    reference = models.UUIDField(default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    digest = models.BinaryField(
        max_length=32, help_text="SHA-256 of a salt, kept beside the statement, and of the statement."
    )
    position = models.PositiveBigIntegerField(null=True)
    chain_digest = models.BinaryField(
        max_length=32, null=True, help_text="SHA-256 of the hash before and this receipt."
    )

    privacy = Privacy(kept=Kept.FOR_GOOD, technical="reference kind at digest position chain_digest")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "reference"], name="receipt_reference_unique"),
            models.UniqueConstraint(fields=["tenant", "position"], name="receipt_position_unique"),
        ]
        indexes = [models.Index(fields=["tenant"], name="receipt_unchained", condition=models.Q(position=None))]

    def __str__(self) -> str:
        return str(self.reference)
