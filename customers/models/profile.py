"""Profiles of customers.

`null` in a text column means "not given" and "" means "given, and empty": merge patch (RFC 7396) tells them apart, and
a storefront gets back what it sent.
"""

from collections.abc import Sequence
from typing import Literal, cast

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from customers.spelling import search_words
from tenants.customer_numbers import NUMBER_DIGITS, NUMBER_PATTERN
from tenants.models import TenantOwned
from tenants.privacy.classification import AtErasure, Disguise, Kept, Privacy

TEXT_MAX_LENGTH = 255


class ProfileText(models.TextField[str, str]):
    """What the profile says, folded for search whenever a row is inserted or saved."""

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        text = cast("Customer", model_instance).profile_text()
        setattr(model_instance, self.attname, text)
        return text

    def deconstruct(self) -> tuple[str, str, Sequence[object], dict[str, object]]:
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.TextField", args, options


# Of a customer whose row is there: neither erased nor merged into another.
THERE: dict[str, None] = {"erased_at": None, "merged_into": None}


class Customer(TenantOwned):
    """A customer's profile. How the customer logs in is `auth_providers.models.Account`."""

    number = models.CharField(max_length=NUMBER_DIGITS, editable=False)
    title = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    first_name = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    middle_name = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    last_name = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    contact_email = models.CharField(max_length=254, null=True, blank=True)
    contact_phone = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    company = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    company_registration_id = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    preferred_language = models.CharField(max_length=35)
    preferred_currency = models.CharField(max_length=3, help_text="ISO 4217")
    preferred_site = models.CharField(max_length=TEXT_MAX_LENGTH)

    sex = models.CharField(max_length=16, null=True, blank=True)
    birth_date = models.DateField(null=True, blank=True)
    nationality = models.CharField(max_length=2, null=True, blank=True, help_text="ISO 3166-1 alpha-2")
    advisor = models.CharField(
        max_length=TEXT_MAX_LENGTH, null=True, blank=True, help_text="The member of staff who looks after the customer."
    )
    is_prospect = models.BooleanField(default=False, help_text="Is registered, but not a customer yet.")
    is_activated = models.BooleanField(default=False, help_text="Has completed the activation.")
    properties = models.JSONField(default=dict, blank=True, help_text="Further data that a storefront sent, unchanged.")

    mixins = models.JSONField(default=dict, blank=True, help_text="The shop's own properties, by key.")
    mixin_schemas = models.JSONField(default=dict, blank=True, help_text="The URL of the schema of each key.")

    is_active = models.BooleanField(default=True, help_text="When off, the customer can't log in.")
    is_on_hold = models.BooleanField(default=False, help_text="While on, the customer can't log in.")
    version = models.PositiveIntegerField(default=1, editable=False)
    last_login_at = models.DateTimeField(null=True, editable=False)
    pending_void_before = models.DateTimeField(
        null=True, editable=False, help_text="What began before and waits for an answer has ended."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    erased_at = models.DateTimeField(null=True, editable=False, help_text="When the personal data was erased.")
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        db_index=False,
        help_text="Who has this customer's data now: they turned out to be one person.",
    )
    search_profile = ProfileText(blank=True, default="", editable=False)
    search_addresses = models.TextField(blank=True, default="", editable=False, help_text="Folded for search.")
    search_identifiers = models.TextField(blank=True, default="", editable=False, help_text="Folded for search.")
    search_text = models.GeneratedField(expression=search_words.TEXT, output_field=models.TextField(), db_persist=True)

    privacy = Privacy(
        kept=Kept.FOR_GOOD,
        personal={
            "number": Disguise.CUSTOMER_NUMBER,
            "first_name": Disguise.GIVEN_NAME,
            "middle_name": Disguise.GIVEN_NAME,
            "last_name": Disguise.FAMILY_NAME,
            "contact_email": Disguise.EMAIL,
            "contact_phone": Disguise.PHONE,
            "company": Disguise.TEXT,
            "company_registration_id": Disguise.TEXT,
            "birth_date": Disguise.DATE,
            **dict.fromkeys(("title", "sex", "nationality", "advisor", "properties"), Disguise.EMPTY),
            **dict.fromkeys(("mixins", "mixin_schemas"), Disguise.EMPTY),
            **dict.fromkeys(
                ("search_profile", "search_addresses", "search_identifiers", "search_text"), Disguise.EMPTY
            ),
        },
        technical="preferred_language preferred_currency preferred_site is_prospect is_activated is_active is_on_hold "
        "version last_login_at pending_void_before created_at updated_at erased_at merged_into",
        subject="pk",
        at_erasure=AtErasure.EMPTIED,
        stays=("number", "search_text"),  # the database makes the text of the other columns
    )

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="customer_number_unique"),
            models.CheckConstraint(condition=Q(number__regex=NUMBER_PATTERN), name="customer_number_digits"),
            models.CheckConstraint(condition=Q(version__gte=1), name="customer_version_positive"),
        ]
        indexes = [
            models.Index(fields=["tenant", "contact_email"], name="customer_by_contact_email"),
            models.Index(fields=["tenant", "contact_phone"], name="customer_by_phone"),
            # A partial index: staff list them, and they are few.
            models.Index(
                fields=["id"], name="customer_without_log_in", condition=Q(is_active=False) | Q(is_on_hold=True)
            ),
            models.Index(fields=["tenant", "-id"], name="customer_erased", condition=Q(erased_at__isnull=False)),
            models.Index(fields=["merged_into"], name="customer_merged", condition=Q(merged_into__isnull=False)),
            # Staff turn pages by it, newest first.
            models.Index(fields=["tenant", "-id"], name="customer_newest"),
            # Who is new, where these are few of many.
            models.Index(fields=["tenant", "created_at"], name="customer_by_creation"),
            # Trigrams, so that any part is found at once. SQLite makes an ordinary index of it and reads that.
            GinIndex(fields=["search_text"], name="customer_search", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        name = " ".join(part for part in (self.first_name, self.last_name) if part)
        return f"{self.number} {name}".strip()

    def profile_text(self) -> str:
        """What the profile is found by. A statement that changes names or contact points without `save` writes it to
        `search_profile`."""
        names = (self.first_name, self.middle_name, self.last_name, self.company)
        return search_words.profile_text(
            number=self.number, names=names, email=self.contact_email, phone=self.contact_phone
        )

    @property
    def is_there(self) -> bool:
        """Whether there is a profile: it is neither erased nor merged into another."""
        return self.erased_at is None and self.merged_into_id is None

    @property
    def can_log_in(self) -> bool:
        """Whether log-ins succeed and tokens are accepted."""
        return self.is_active and not self.is_on_hold

    @property
    def is_authenticated(self) -> Literal[True]:
        """What Django REST framework's permissions ask of `request.user`."""
        return True


class CustomerNumber(TenantOwned):
    """The last customer number handed out in a tenant."""

    last = models.PositiveIntegerField()

    privacy = Privacy(kept=Kept.FOR_GOOD, technical="last")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant"], name="customer_number_one_row")]

    def __str__(self) -> str:
        return str(self.last)
