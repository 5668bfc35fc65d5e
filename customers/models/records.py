"""What a shop records about its customers, and what it refers to."""

from django.db import models
from django.utils import timezone

from customers.models.profile import TEXT_MAX_LENGTH, Customer
from tenants.models import TenantOwned
from tenants.privacy.classification import AtErasure, Disguise, Kept, Privacy


class MixinSchema(TenantOwned):
    """A JSON Schema that the tenant's staff have registered under a URL. The URL names it; nothing is fetched."""

    url = models.CharField(max_length=500)
    schema = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    privacy = Privacy(kept=Kept.UNTIL_CHANGED, technical="url schema created_at")

    class Meta:
        ordering = ["url"]
        constraints = [models.UniqueConstraint(fields=["tenant", "url"], name="mixin_schema_url_unique")]

    def __str__(self) -> str:
        return self.url


class LegalEntity(TenantOwned):
    """A company that customers act for."""

    public_id = models.CharField(max_length=64)
    name = models.CharField(max_length=TEXT_MAX_LENGTH)

    privacy = Privacy(kept=Kept.UNTIL_CHANGED, personal={"name": Disguise.TEXT}, technical="public_id")

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "legal entities"
        constraints = [models.UniqueConstraint(fields=["tenant", "public_id"], name="legal_entity_id_unique")]

    def __str__(self) -> str:
        return self.name


class ContactAssignment(TenantOwned):
    """That a customer acts for a legal entity."""

    public_id = models.CharField(max_length=64)
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.CASCADE, related_name="+")

    privacy = Privacy(
        kept=Kept.UNTIL_ERASURE,
        personal={"public_id": Disguise.TEXT, "legal_entity": Disguise.SAME},
        technical="customer",
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "public_id"], name="contact_assignment_id_unique"),
            models.UniqueConstraint(fields=["tenant", "customer", "legal_entity"], name="contact_assigned_once"),
        ]

    def __str__(self) -> str:
        return self.public_id


class CustomerIdentifier(TenantOwned):
    """Identifies the customer in another system of the shop: a loyalty card, a till's number."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=64, help_text="Kind of the identifier, such as loyaltyCard.")
    value = models.CharField(max_length=TEXT_MAX_LENGTH)

    privacy = Privacy(
        kept=Kept.UNTIL_ERASURE,
        personal={"name": Disguise.SAME, "value": Disguise.TEXT},
        technical="customer",
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        ordering = ["name", "value"]
        constraints = [models.UniqueConstraint(fields=["tenant", "name", "value"], name="customer_identifier_unique")]
        indexes = [models.Index(fields=["tenant", "customer"], name="identifier_by_customer")]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"


class Segment(TenantOwned):
    """A group of customers that the shop treats alike."""

    code = models.CharField(max_length=64)
    name = models.CharField(max_length=TEXT_MAX_LENGTH, blank=True, default="")
    description = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    privacy = Privacy(kept=Kept.UNTIL_CHANGED, technical="code name description created_at")

    class Meta:
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="segment_code_unique")]

    def __str__(self) -> str:
        return self.code


class SegmentMembership(TenantOwned):
    """That a customer is in a segment."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    privacy = Privacy(
        kept=Kept.UNTIL_ERASURE,
        personal={"segment": Disguise.SAME},
        technical="customer created_at",
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "customer", "segment"], name="segment_member_once")]

    def __str__(self) -> str:
        return f"{self.customer_id} in {self.segment_id}"


class Note(TenantOwned):
    """A note of the staff about a customer."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    text = models.TextField()
    staff_username = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    privacy = Privacy(
        kept=Kept.UNTIL_ERASURE,
        personal={"text": Disguise.TEXT, "staff_username": Disguise.TEXT},
        technical="customer created_at",
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["tenant", "customer"], name="note_by_customer")]

    def __str__(self) -> str:
        return f"Note {self.pk}"


class Consent(TenantOwned):
    """That a customer gave or withdrew consent to a purpose at a moment. The newest row of a purpose is in force; the
    others show what was in force when (GDPR, Article 7, 1). The database refuses to change one, and to delete one while
    its customer is there."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    purpose = models.CharField(max_length=64, help_text="Such as email, post, sms.")
    is_given = models.BooleanField()
    at = models.DateTimeField(default=timezone.now, editable=False)
    source = models.CharField(max_length=64, blank=True, default="", help_text="Where the customer said so.")
    text_version = models.CharField(max_length=64, blank=True, default="", help_text="Of the text that was agreed to.")
    locale = models.CharField(max_length=35, blank=True, default="", help_text="The language of that text.")
    proof = models.CharField(max_length=64, blank=True, default="", help_text="What shows that it was the customer.")
    receipt = models.UUIDField(editable=False, null=True)
    receipt_salt = models.BinaryField(max_length=16, default=bytes, editable=False)

    privacy = Privacy(
        kept=Kept.UNTIL_ERASURE,
        personal={
            "purpose": Disguise.SAME,
            "is_given": Disguise.SAME,
            "source": Disguise.TEXT,
            "locale": Disguise.SAME,
            "proof": Disguise.TEXT,
        },
        secret=("receipt_salt",),
        technical="customer at text_version receipt",
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        ordering = ["-pk"]
        indexes = [models.Index(fields=["tenant", "customer", "purpose", "-id"], name="consent_newest")]

    def __str__(self) -> str:
        return f"{self.purpose}: {self.is_given}"


class PostalCode(models.Model):
    """A place that a postal code names, as GeoNames has it; the same for every tenant."""

    country = models.CharField(max_length=2, help_text="ISO 3166-1 alpha-2")
    code = models.CharField(max_length=20, help_text="In capitals, without spaces.")
    locality = models.CharField(max_length=180)
    region = models.CharField(max_length=100, blank=True, default="", help_text="The name of the first-order division.")
    region_code = models.CharField(max_length=20, blank=True, default="")

    privacy = Privacy(kept=Kept.UNTIL_CHANGED, technical="country code locality region region_code")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["country", "code", "locality"], name="postal_code_unique")]

    def __str__(self) -> str:
        return f"{self.country} {self.code} {self.locality}"
