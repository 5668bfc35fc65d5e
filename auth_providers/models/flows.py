"""What happens after a storefront has handed in a customer's data."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from tenants.customer_numbers import NUMBER_DIGITS
from tenants.models import TenantOwned
from tenants.privacy.classification import AtErasure, Disguise, Expires, Kept, Privacy


class WebhookEndpoint(TenantOwned):
    """A URL of the shop's own systems that is sent events and called by flows, and the secret that signs what is sent.

    `told_transaction_id` and `told_id` are the place in the feed (`tenants.outbox.feed`) up to which its deliveries are
    written. `failing_since` is when it took nothing any more.
    """

    name = models.CharField(max_length=64, help_text="How flows name it.")
    url = models.URLField(max_length=500)
    secret_encrypted = models.TextField(blank=True, default="", editable=False)
    previous_secret_encrypted = models.TextField(blank=True, default="", editable=False)
    previous_secret_until = models.DateTimeField(null=True, editable=False)
    is_enabled = models.BooleanField(default=True)
    event_types = models.CharField(
        max_length=512,
        blank=True,
        default="",
        help_text="Of which events it is told. Without any, only flows call it.",
    )
    has_personal_data = models.BooleanField(
        default=False,
        help_text="Events of new and changed customers hold the profile, as it is when they are sent.",
    )
    owner_email = models.EmailField(
        blank=True,
        default="",
        help_text="Who is told when it has taken nothing for a day, and when it is switched off, after three.",
    )
    told_transaction_id = models.BigIntegerField(default=0, editable=False)
    told_id = models.BigIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    owner_told_at = models.DateTimeField(null=True, editable=False)

    privacy = Privacy(
        kept=Kept.UNTIL_CHANGED,
        personal={"owner_email": Disguise.EMAIL},
        secret=("secret_encrypted", "previous_secret_encrypted"),
        technical="name url is_enabled event_types has_personal_data previous_secret_until told_transaction_id told_id "
        "failing_since owner_told_at",
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="webhook_endpoint_name_unique")]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """What is off takes nothing, and is not failing: once it is on again, its days are counted anew."""
        super().clean()
        if not self.is_enabled:
            self.failing_since = self.owner_told_at = None


class Flow(TenantOwned):
    """A named list of steps, run in order after a submission was written."""

    name = models.CharField(max_length=64, help_text="How storefronts name it.")
    is_enabled = models.BooleanField(default=True)
    steps = models.JSONField(default=list, help_text="Each an object with `step` and what that step needs.")

    privacy = Privacy(kept=Kept.UNTIL_CHANGED, technical="name is_enabled steps")

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="flow_name_unique")]

    def __str__(self) -> str:
        return self.name


class Submission(TenantOwned):
    """What a storefront handed in and a challenge is open for: kept, encrypted, until the answer or the expiry.

    `position` is the step of the flow to go on with; `customer_number` is whose profile it would change, "" for a new
    one, and `is_written` says whether the profile has the data already (a challenge in the middle of a flow). Once the
    challenge is answered and a second factor is due, it waits on under that factor's handle.
    """

    challenge_id = models.UUIDField()
    handle_hash = models.BinaryField(max_length=32, null=True)
    data_encrypted = models.TextField(editable=False)
    flow = models.CharField(max_length=64, blank=True, default="")
    position = models.PositiveSmallIntegerField(default=0)
    customer_number = models.CharField(max_length=NUMBER_DIGITS, blank=True, default="")
    is_written = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    privacy = Privacy(
        kept=Expires(("expires_at",), timedelta(0)),  # nobody can answer any more, and it is personal
        personal={"customer_number": Disguise.CUSTOMER_NUMBER},
        secret=("handle_hash", "data_encrypted"),
        technical="challenge_id flow position is_written created_at expires_at spent_at",
        subject="customer_number",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "challenge_id"], name="submission_challenge_unique"),
            models.UniqueConstraint(fields=["tenant", "handle_hash"], name="submission_handle_unique"),
        ]
        indexes = [models.Index(fields=["expires_at"], name="submission_by_expiry")]

    def __str__(self) -> str:
        return f"Submission {self.pk}"
