"""A tenant: one shop operator, its defaults and its policies."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

# The pattern and the lengths are those of the contracts' documents.
CODE_PATTERN = r"^[a-z][a-z0-9]+$"
CODE_MIN_LENGTH, CODE_MAX_LENGTH = 3, 16

COLOR_PATTERN = r"^#[0-9a-fA-F]{6}$"
LINK_HELP = "The storefront's page, with {token} where the token belongs. Empty: the mail shows the token alone."

HOUR = 60 * 60  # seconds
DAY = 24 * HOUR


class CheckIn(models.TextChoices):
    """What data about a customer must prove when it comes without the customer's own token."""

    NONE = "none", "Nothing: for trusted tills only"
    PARTIAL = "partial", "Whoever matches a profile is challenged"
    FULL = "full", "Also who is new is challenged"
    NO_IDENTIFICATION = "no_identification", "Every submission is a new profile"


class SecondFactor(models.TextChoices):
    """When a tenant asks for a second factor. Customers who have an authenticator app are always asked."""

    OWN = "own", "Only from customers who chose one"
    NEW_DEVICE = "new_device", "From a device that is new for the customer"
    ALWAYS = "always", "At every log-in"


class Tenant(models.Model):
    """A shop operator, its defaults and its policies. All lifetimes are in seconds."""

    code = models.CharField(max_length=CODE_MAX_LENGTH, unique=True, validators=[RegexValidator(CODE_PATTERN)])
    number = models.PositiveIntegerField(
        unique=True,
        validators=[MinValueValidator(1)],
        help_text="For contracts that name a tenant by a number.",
    )
    name = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True, help_text="When off, nobody can use this tenant's API.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    default_language = models.CharField(max_length=35, default="en_US")
    default_currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217")
    default_country = models.CharField(max_length=2, default="US", help_text="ISO 3166-1 alpha-2")
    default_site = models.CharField(max_length=64, default="main")

    is_customer_active_on_signup = models.BooleanField(default=True)
    is_customer_on_hold_on_signup = models.BooleanField(default=False)
    is_signup_enumeration_safe = models.BooleanField(
        default=False,
        help_text="Answer a sign-up for a known e-mail like any other, and tell its owner by mail.",
    )
    is_opt_in_required = models.BooleanField(
        default=False, help_text="A new account logs in only after its owner has followed a link in a mail."
    )
    is_deletion_confirmed = models.BooleanField(
        default=True, help_text="A customer who deletes the profile has to follow a link in a mail."
    )
    password_min_length = models.PositiveSmallIntegerField(
        default=8,
        validators=[MinValueValidator(8)],
        help_text="Characters; 15 where a password is the only factor.",
    )
    is_common_password_refused = models.BooleanField(
        default=True, help_text="Refuse common passwords and those made of the customer's own data."
    )

    check_in_policy = models.CharField(
        max_length=20,
        choices=CheckIn,
        default=CheckIn.PARTIAL,
        help_text="What a storefront's data must prove before it reaches a profile.",
    )
    second_factor_policy = models.CharField(
        max_length=16,
        choices=SecondFactor,
        default=SecondFactor.OWN,
        help_text="When a log-in needs a second factor.",
    )

    anonymous_access_lifetime = models.PositiveIntegerField(default=HOUR)
    anonymous_refresh_lifetime = models.PositiveIntegerField(default=DAY)
    customer_access_lifetime = models.PositiveIntegerField(default=30 * DAY)
    customer_refresh_lifetime = models.PositiveIntegerField(default=DAY)
    service_jwt_lifetime = models.PositiveIntegerField(
        default=4 * HOUR, help_text="A JWT that other services of the shop read."
    )
    customer_jwt_lifetime = models.PositiveIntegerField(
        default=DAY, help_text="A JWT that a storefront logs a customer in with."
    )
    session_lifetime = models.PositiveIntegerField(
        default=180 * DAY,
        help_text="After this a customer logs in again, however often tokens were refreshed.",
    )

    mail_sender = models.CharField(
        max_length=255,
        blank=True,
        default="",
        help_text="Name and address, as a From line has them. Empty: the deployment's.",
    )
    brand_color = models.CharField(max_length=7, default="#0b6e4f", validators=[RegexValidator(COLOR_PATTERN)])
    logo_url = models.URLField(blank=True, default="", help_text="Shown at the top of mails.")
    opt_in_link = models.CharField(max_length=500, blank=True, default="", help_text=LINK_HELP)
    password_reset_link = models.CharField(max_length=500, blank=True, default="", help_text=LINK_HELP)
    email_change_link = models.CharField(max_length=500, blank=True, default="", help_text=LINK_HELP)
    deletion_link = models.CharField(max_length=500, blank=True, default="", help_text=LINK_HELP)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=CODE_PATTERN), name="tenant_code_well_formed"),
            models.CheckConstraint(condition=Q(number__gte=1), name="tenant_number_positive"),
            models.CheckConstraint(condition=Q(password_min_length__gte=8), name="tenant_password_min_length"),
        ]

    def __str__(self) -> str:
        return self.code
