"""Postal addresses of customers. `null` in a text column means what it means in `profile`."""

from typing import TypedDict

from django.db import models
from django.db.models import Q
from django.utils import timezone

from customers.models.profile import TEXT_MAX_LENGTH, Customer
from tenants.models import TenantOwned
from tenants.privacy.classification import AtErasure, Disguise, Kept, Privacy


class PostalTexts(TypedDict, total=False):
    """Where an address is, by the names of the model. `country` is ISO 3166-1 alpha-2."""

    street: str | None
    street_number: str | None
    street_appendix: str | None
    extra_line_1: str | None
    extra_line_2: str | None
    extra_line_3: str | None
    extra_line_4: str | None
    postal_code: str | None
    city: str | None
    country: str | None
    state: str | None


class Address(TenantOwned):
    """A postal address of a customer."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    public_id = models.CharField(max_length=64)
    contact_name = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    company_name = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    street = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    street_number = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    street_appendix = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    extra_line_1 = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    extra_line_2 = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    extra_line_3 = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    extra_line_4 = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    postal_code = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    city = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    country = models.CharField(max_length=2, null=True, blank=True, help_text="ISO 3166-1 alpha-2")
    state = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    contact_phone = models.CharField(max_length=TEXT_MAX_LENGTH, null=True, blank=True)
    tags = models.JSONField(default=list, blank=True)
    mixins = models.JSONField(default=dict, blank=True)
    mixin_schemas = models.JSONField(default=dict, blank=True)
    is_default = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    privacy = Privacy(
        kept=Kept.UNTIL_ERASURE,
        personal={
            "public_id": Disguise.TEXT,
            "contact_name": Disguise.FAMILY_NAME,
            "company_name": Disguise.TEXT,
            "street": Disguise.TEXT,
            "city": Disguise.TEXT,
            "country": Disguise.SAME,
            "contact_phone": Disguise.PHONE,
            "tags": Disguise.SAME,
            **dict.fromkeys(("street_number", "street_appendix", "postal_code", "state"), Disguise.EMPTY),
            **dict.fromkeys([f"extra_line_{number}" for number in range(1, 5)], Disguise.EMPTY),
            **dict.fromkeys(("mixins", "mixin_schemas"), Disguise.EMPTY),
        },
        technical="customer is_default version created_at",
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "addresses"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "customer", "public_id"], name="address_id_unique"),
            models.UniqueConstraint(
                fields=["tenant", "customer"], condition=Q(is_default=True), name="address_one_default"
            ),
        ]

    def __str__(self) -> str:
        return ", ".join(part for part in (self.contact_name, self.street, self.city, self.country) if part)
