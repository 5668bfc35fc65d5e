"""What a customer logs in with or is reached at, as it was before a change."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from customers.models import Customer
from tenants.models import TenantOwned
from tenants.privacy.classification import AtErasure, Disguise, Expires, Privacy


class UndoableChange(TenantOwned):
    """A change that the customer is told of and may undo by a link in that mail: the state before it, encrypted."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    notice = models.CharField(max_length=64, help_text="The template of the mail that tells of it.")
    state_encrypted = models.TextField(editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)

    privacy = Privacy(
        kept=Expires(("expires_at",), timedelta(0)),
        secret=("state_encrypted",),
        technical="customer notice created_at expires_at undone_at",
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "customer"], name="undoable_change_by_customer"),
            models.Index(fields=["expires_at"], name="undoable_change_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.notice} of {self.customer_id}"


class CustomerMerge(TenantOwned):
    """That `merged` was merged into `customer`, and, while it may be undone, what both were before, encrypted."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    merged = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    staff_username = models.CharField(max_length=150)
    snapshot_encrypted = models.TextField(editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(help_text="Until then it can be undone.")
    undone_at = models.DateTimeField(null=True)

    privacy = Privacy(
        kept=Expires(("expires_at",), timedelta(0)),
        personal={"staff_username": Disguise.TEXT},
        secret=("snapshot_encrypted",),
        technical="customer merged created_at expires_at undone_at",
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "merged"], name="customer_merge_in_force", condition=models.Q(undone_at=None)
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "customer"], name="customer_merge_by_customer"),
            models.Index(fields=["expires_at"], name="customer_merge_by_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} into {self.customer_id}"
