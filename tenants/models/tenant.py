"""A tenant: one shop operator, its defaults and its policies."""

from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from tenants.clients import check_networks
from tenants.compiled.instances import FromRow
from tenants.privacy.classification import Kept, Privacy

# The pattern and the lengths are those of the contracts' documents.
CODE_PATTERN = r"^[a-z][a-z0-9]+$"
CODE_MIN_LENGTH, CODE_MAX_LENGTH = 3, 16

COLOR_PATTERN = r"^#[0-9a-fA-F]{6}$"
LINK_HELP = "URL of the storefront's page; {token} stands for the token. Empty: a page of Patron."

HOUR = 60 * 60  # seconds
DAY = 24 * HOUR

SHORTEST_IDLE_LIMIT = 5 * 60  # seconds: the last use of a session is known to a minute or two

PASSWORD_MIN_LENGTH = 8  # characters, of any tenant: OWASP ASVS 5.0, 6.2.1


def check_time_zone(name: str) -> None:
    """Raises `ValidationError` for what is no zone of the IANA Time Zone Database."""
    if name not in available_timezones():
        raise ValidationError("Enter the name of a time zone, such as Europe/Berlin.", code="invalid")


class CheckIn(models.TextChoices):
    """What is required before data that is submitted without the customer's own token changes a profile."""

    NONE = "none", "As with the next; what a server with an API key hands in counts as proven"
    PARTIAL = "partial", "A one-time code when the data matches an existing customer"
    FULL = "full", "A one-time code always, also for new customers"
    NO_IDENTIFICATION = "no_identification", "Nothing: every submission creates a new profile"


class SecondFactor(models.TextChoices):
    """When a tenant asks for a second factor. Customers who have an authenticator app are always asked."""

    OWN = "own", "Only from customers who have set one up"
    NEW_DEVICE = "new_device", "When the customer uses a device for the first time"
    ALWAYS = "always", "At every log-in"


class Tenant(FromRow):
    """A shop operator, its defaults and its policies. All lifetimes are in seconds."""

    code = models.CharField(max_length=CODE_MAX_LENGTH, unique=True, validators=[RegexValidator(CODE_PATTERN)])
    number = models.PositiveIntegerField(
        unique=True,
        validators=[MinValueValidator(1)],
        help_text="Some interfaces identify the tenant by it.",
    )
    name = models.CharField(max_length=255)
    is_active = models.BooleanField(default=True, help_text="When off, nobody can use this tenant's API.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Some of its customers' passwords came from elsewhere, in other kinds of hashes (`accounts.dummy_hashes`).
    has_imported_hashes = models.BooleanField(default=False, editable=False)

    default_language = models.CharField(max_length=35, default="en_US")
    default_currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217")
    default_country = models.CharField(max_length=2, default="US", help_text="ISO 3166-1 alpha-2")
    default_site = models.CharField(max_length=64, default="main")
    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[check_time_zone],
        help_text="Staff read times in it, such as Europe/Berlin (IANA Time Zone Database).",
    )

    is_customer_active_on_signup = models.BooleanField(default=True)
    is_customer_on_hold_on_signup = models.BooleanField(default=False)
    is_signup_enumeration_safe = models.BooleanField(
        default=False,
        help_text="A sign-up with an e-mail address that is registered already is answered like any other, and its "
        "owner gets a mail: nobody can find out who is a customer.",
    )
    is_opt_in_required = models.BooleanField(
        default=False, help_text="New customers can log in only after they have followed the link in a mail."
    )
    is_confirmation_mailed = models.BooleanField(
        default=True,
        help_text="Where no opt-in is required: mail a link that confirms the e-mail address of a new account, and "
        "blocks nothing.",
    )
    is_deletion_confirmed = models.BooleanField(
        default=True, help_text="A customer who deletes the profile has to confirm it by a link in a mail."
    )
    password_min_length = models.PositiveSmallIntegerField(
        default=PASSWORD_MIN_LENGTH,
        validators=[MinValueValidator(PASSWORD_MIN_LENGTH)],
        help_text="In characters. NIST SP 800-63B asks for 15 where the password is the only factor.",
    )
    is_common_password_refused = models.BooleanField(
        default=True,
        help_text="Refuse common passwords and those that consist of the customer's name or e-mail address.",
    )

    check_in_policy = models.CharField(
        max_length=20,
        choices=CheckIn,
        default=CheckIn.PARTIAL,
        help_text="What is required before data that a storefront submits changes a profile.",
    )
    second_factor_policy = models.CharField(
        max_length=16,
        choices=SecondFactor,
        default=SecondFactor.OWN,
        help_text="When a log-in needs a second factor.",
    )

    server_networks = models.CharField(
        max_length=500,
        blank=True,
        default="",
        validators=[check_networks],
        help_text="Networks of the shop's own servers, such as 192.0.2.0/28, with spaces between them: the "
        "shopper's address that they forward (X-Forwarded-For) is believed, and is what counts as the caller's.",
    )

    anonymous_access_lifetime = models.PositiveIntegerField(
        default=HOUR, help_text="Access token of a visitor who is not logged in."
    )
    anonymous_refresh_lifetime = models.PositiveIntegerField(
        default=DAY, help_text="Refresh token of a visitor who is not logged in."
    )
    customer_access_lifetime = models.PositiveIntegerField(
        default=30 * DAY, help_text="Access token of a customer who is logged in."
    )
    customer_refresh_lifetime = models.PositiveIntegerField(
        default=DAY, help_text="Refresh token of a customer who is logged in."
    )
    renewable_access_lifetime = models.PositiveIntegerField(
        default=HOUR, help_text="Access token of a customer whose storefront refreshes it only once it has expired."
    )
    renewable_refresh_lifetime = models.PositiveIntegerField(
        default=30 * DAY, help_text="Refresh token of such a customer. Longer than that of the access token."
    )
    service_jwt_lifetime = models.PositiveIntegerField(
        default=4 * HOUR, help_text="JWT for the shop's other services, such as the cart."
    )
    customer_jwt_lifetime = models.PositiveIntegerField(
        default=DAY, help_text="JWT by which a storefront recognizes a customer who is logged in."
    )
    session_lifetime = models.PositiveIntegerField(
        default=180 * DAY,
        help_text="The customer has to log in again after this time, even if tokens were refreshed.",
    )
    session_idle_limit = models.PositiveIntegerField(
        default=0,
        help_text="The customer has to log in again after this time without a call, 300 or more. 0: however long.",
    )
    sessions_at_most = models.PositiveSmallIntegerField(
        default=0,
        help_text="How many sessions a customer has at once; a log-in beyond ends the oldest. 0: however many.",
    )
    audit_client_lifetime = models.PositiveIntegerField(
        default=90 * DAY,
        validators=[MinValueValidator(DAY)],
        help_text="How long the audit trail keeps network address and browser of an event.",
    )

    mail_sender = models.CharField(
        max_length=255,
        blank=True,
        default="",
        help_text="Sender of mails, such as Acme Shop <shop@acme.example>. Empty: the default of this installation.",
    )
    brand_color = models.CharField(
        max_length=7,
        default="#0b6e4f",
        validators=[RegexValidator(COLOR_PATTERN)],
        help_text="Colour of headings and buttons in mails, such as #0b6e4f.",
    )
    logo_url = models.URLField(blank=True, default="", help_text="Shown at the top of mails.")
    opt_in_link = models.CharField(max_length=500, blank=True, default="", help_text=LINK_HELP)
    password_reset_link = models.CharField(max_length=500, blank=True, default="", help_text=LINK_HELP)
    email_change_link = models.CharField(max_length=500, blank=True, default="", help_text=LINK_HELP)
    deletion_link = models.CharField(max_length=500, blank=True, default="", help_text=LINK_HELP)

    privacy = Privacy(
        kept=Kept.UNTIL_CHANGED,
        technical="code number name is_active created_at has_imported_hashes default_language default_currency "
        "default_country "
        "default_site time_zone is_customer_active_on_signup is_customer_on_hold_on_signup is_signup_enumeration_safe "
        "is_opt_in_required is_confirmation_mailed is_deletion_confirmed password_min_length "
        "is_common_password_refused check_in_policy second_factor_policy server_networks anonymous_access_lifetime "
        "anonymous_refresh_lifetime customer_access_lifetime customer_refresh_lifetime "
        "renewable_access_lifetime renewable_refresh_lifetime service_jwt_lifetime customer_jwt_lifetime "
        "session_lifetime session_idle_limit sessions_at_most audit_client_lifetime mail_sender brand_color "
        "logo_url opt_in_link "
        "password_reset_link email_change_link deletion_link",
    )

    class Meta:
        ordering = ["code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=CODE_PATTERN), name="tenant_code_well_formed"),
            models.CheckConstraint(condition=Q(number__gte=1), name="tenant_number_positive"),
            models.CheckConstraint(
                condition=Q(renewable_refresh_lifetime__gt=F("renewable_access_lifetime")),
                name="tenant_renewable_refresh_longer",
                violation_error_message="The refresh token has to live longer than the access token.",
            ),
            models.CheckConstraint(
                condition=Q(session_idle_limit=0) | Q(session_idle_limit__gte=SHORTEST_IDLE_LIMIT),
                name="tenant_session_idle_limit",
                violation_error_message=f"A session is idle after {SHORTEST_IDLE_LIMIT} seconds or more; 0 for never.",
            ),
            models.CheckConstraint(
                condition=Q(password_min_length__gte=PASSWORD_MIN_LENGTH), name="tenant_password_min_length"
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def logo_origin(self) -> str:
        """The origin that the logo comes from, for a content security policy; "" without one."""
        parts = urlsplit(self.logo_url)
        return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} and parts.netloc else ""
