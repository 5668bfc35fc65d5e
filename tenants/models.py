"""Whose is it? A tenant is one shop operator: its sites, its API keys, its signing keys, its policies."""

from typing import Any, Generic, TypeVar

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

# The pattern and the lengths are those of the contracts' documents.
CODE_PATTERN = r"^[a-z][a-z0-9]+$"
CODE_MIN_LENGTH, CODE_MAX_LENGTH = 3, 16
# Words that stand in a tenant's place in some contract's paths.
RESERVED_CODES = ("commerce", "platform")

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
            models.CheckConstraint(
                condition=Q(code__regex=CODE_PATTERN) & ~Q(code__in=RESERVED_CODES),
                name="tenant_code_well_formed",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="tenant_number_positive"),
            models.CheckConstraint(condition=Q(password_min_length__gte=8), name="tenant_password_min_length"),
        ]

    def __str__(self) -> str:
        return self.code


T = TypeVar("T", bound=models.Model)


class TenantQuerySet(models.QuerySet[T], Generic[T]):
    """Rows of tenants; every read names whose."""

    def for_tenant(self, tenant: Tenant) -> "TenantQuerySet[T]":
        """Only this tenant's rows. Raises `TypeError` for anything but a saved `Tenant`: a code, an id or None would
        be a mistake that a filter turns into someone else's data."""
        if not isinstance(tenant, Tenant) or tenant.pk is None:
            raise TypeError(f"for_tenant() takes a saved Tenant, not {tenant!r}")
        return self.filter(tenant=tenant)


class TenantOwned(models.Model):
    """A row that belongs to one tenant. Unique constraints of subclasses start with `tenant`."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+")

    objects = TenantQuerySet.as_manager()

    class Meta:
        abstract = True


class Site(TenantOwned):
    """A storefront of the tenant: a country shop, a brand."""

    code = models.CharField(max_length=64)
    number = models.PositiveIntegerField(null=True, blank=True, help_text="For contracts that name a site by a number.")
    name = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="site_code_unique"),
            models.UniqueConstraint(fields=["tenant", "number"], name="site_number_unique"),
        ]

    def __str__(self) -> str:
        return self.code


class ApiKey(TenantOwned):
    """What a storefront names itself by: a public client id and, for backends, a secret that is shown once."""

    client_id = models.CharField(max_length=128)
    secret_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    name = models.CharField(max_length=255, blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_forwarding_trusted = models.BooleanField(
        default=False,
        help_text="A server that puts the shopper's address into X-Forwarded-For. Only with a secret: anybody knows a "
        "client id. Without it, attempts of all its shoppers count as one client's.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["client_id"]
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "client_id"], name="api_key_client_id_unique"),
            models.CheckConstraint(
                condition=Q(is_forwarding_trusted=False) | ~Q(secret_hash=""),
                name="api_key_trusted_with_secret",
                violation_error_message="Only a key with a secret can be trusted to forward addresses.",
            ),
        ]

    def __str__(self) -> str:
        return self.client_id


class SigningKey(TenantOwned):
    """A P-256 key pair of the tenant (RFC 7518, ES256). The private half is encrypted at rest."""

    kid = models.CharField(max_length=43)
    public_jwk = models.JSONField()
    private_pem_encrypted = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    signs_from = models.DateTimeField(help_text="Published at once, used from this moment on.")
    is_revoked = models.BooleanField(default=False, help_text="Taken out of use at once: its tokens are refused.")

    class Meta:
        ordering = ["-signs_from"]
        constraints = [models.UniqueConstraint(fields=["tenant", "kid"], name="signing_key_kid_unique")]

    def __str__(self) -> str:
        return self.kid


class AppendOnlyError(TypeError):
    """Someone tried to rewrite history."""


class AppendOnly(models.Model):
    """A row of a trail: only ever added. A trigger in the database refuses UPDATE, too."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("A trail is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("A trail is never deleted event by event.")


class AuditEvent(AppendOnly, TenantOwned):
    """One thing that happened to a customer or an account. Rows are only ever added.

    A customer is named by number and not by key, so that the trail outlives the profile.
    """

    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=64)
    is_success = models.BooleanField(default=True)
    reason = models.CharField(max_length=255, blank=True, default="")
    customer_number = models.CharField(max_length=8, blank=True, default="")
    session_id = models.UUIDField(null=True)
    staff_username = models.CharField(max_length=150, blank=True, default="")
    method = models.CharField(max_length=64, blank=True, default="")
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True, default="")
    device = models.CharField(max_length=32, blank=True, default="")

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["tenant", "customer_number", "-at"], name="audit_by_customer"),
            models.Index(fields=["tenant", "-at"], name="audit_by_time"),
            models.Index(
                fields=["tenant", "customer_number", "device"],
                name="audit_known_devices",
                condition=Q(is_success=True, action__in=["log_in", "sign_up"]),
            ),
            # The few among many: what staff did, and what failed.
            models.Index(fields=["staff_username", "-id"], name="audit_by_staff", condition=~Q(staff_username="")),
            models.Index(fields=["-id"], name="audit_failures", condition=Q(is_success=False)),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.customer_number}"


class StaffEvent(AppendOnly):
    """A member of staff came, left or was refused at the back office's door, which belongs to no tenant.

    `username` is what was typed, so it may be nobody's.
    """

    at = models.DateTimeField(default=timezone.now)
    action = models.CharField(max_length=64)
    username = models.CharField(max_length=150)
    is_success = models.BooleanField(default=True)
    reason = models.CharField(max_length=255, blank=True, default="")
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True, default="")

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["username", "-at"], name="staff_event_by_username"),
            models.Index(fields=["address", "-at"], name="staff_event_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.username}"
