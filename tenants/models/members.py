"""Which members of staff work for which tenant, and what they may do there."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from tenants.models.owned import TenantOwned
from tenants.privacy.classification import Disguise, Expires, Kept, Privacy


class Role(models.TextChoices):
    """What a member of staff may do for a tenant; each may do what those before may."""

    VIEWER = "viewer", "Viewer: reads"
    SUPPORT = "support", "Support: helps customers"
    MANAGER = "manager", "Manager: also erases, and keeps segments, companies and mail texts"
    OWNER = "owner", "Owner: also sets the shop up, and says who works for it"

    @property
    def rank(self) -> int:
        """How much the role may do, compared with the others."""
        return list(Role).index(self)


class StaffMembership(TenantOwned):
    """That a user of the back office works for the tenant."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=8, choices=Role)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    privacy = Privacy(
        kept=Kept.UNTIL_CHANGED, personal={"user": Disguise.SAME}, technical="role created_at", is_copied=False
    )

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "user"], name="staff_membership_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.role}"


class StaffInvitation(TenantOwned):
    """That a colleague is invited to work for the tenant. The link in the mail is known to us by the token's hash only,
    and made when the mail is sent."""

    email = models.EmailField()
    role = models.CharField(max_length=8, choices=Role)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="None for an operator's command.",
    )
    token_hash = models.BinaryField(max_length=32, unique=True, null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True, help_text="When it was accepted.")

    privacy = Privacy(
        kept=Expires(("expires_at",), timedelta(days=30)),  # owners see who did not answer
        personal={"email": Disguise.EMAIL, "invited_by": Disguise.SAME},
        secret=("token_hash",),
        technical="role created_at expires_at spent_at",
        is_copied=False,
    )

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["expires_at"], name="staff_invitation_by_expiry")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"], name="staff_invitation_once", condition=models.Q(spent_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.role}"
