"""Accounts, the devices that customers use, sessions, and the tokens of sessions."""

import uuid
from datetime import UTC, date, timedelta

from django.contrib.auth.hashers import is_password_usable
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from customers.models import Customer, LegalEntity
from tenants.models import ApiKey, TenantOwned
from tenants.privacy.classification import AtErasure, Disguise, Expires, Kept, Privacy


def today() -> date:
    """The day in UTC, whatever a tenant's time zone is."""
    return timezone.now().astimezone(UTC).date()


class Account(TenantOwned):
    """What one customer logs in with: an e-mail address, a telephone number, or an identity at another provider.

    An address or a number has one account, whatever its owner proves it with: a password or a one-time code. A customer
    who has never chosen a password has an unusable one (`passwords.NO_PASSWORD`). An external identity is known by
    (tenant, provider, issuer, subject); the e-mail that came with it is for people to recognize it.
    """

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail address"
        PHONE = "phone", "Telephone number"
        EXTERNAL = "external", "Identity at another provider"

    class Proof(models.TextChoices):
        """What showed whose it is."""

        LINK = "link", "A link in a mail"
        CODE = "code", "A one-time code"
        PROVIDER = "provider", "Another provider"
        SERVER = "server", "The shop's own server"

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.EMAIL)
    provider = models.CharField(
        max_length=64, blank=True, default="", help_text="The name of an external identity's provider."
    )
    issuer = models.CharField(
        max_length=500, blank=True, default="", help_text="Who gives out an external identity's subjects."
    )
    identifier = models.CharField(
        max_length=255, help_text="The e-mail address, lower-case, the number in E.164, or the subject."
    )
    email = models.CharField(
        max_length=254, blank=True, default="", help_text="What an external identity's provider said."
    )
    is_email_verified = models.BooleanField(
        default=False, help_text="Whether its provider says that an external identity's owner has proven `email`."
    )
    password = models.CharField(max_length=255, blank=True, default="", editable=False)
    is_password_initial = models.BooleanField(default=False, help_text="Set by staff; to be changed at once.")
    is_permitted = models.BooleanField(
        default=True, help_text="Whether it may be logged in with: not while the confirmation of its owner is awaited."
    )
    is_additional = models.BooleanField(
        default=False, editable=False, help_text="Added to a profile by its holder, and not confirmed by its owner yet."
    )
    verified_at = models.DateTimeField(
        null=True, editable=False, help_text="When its owner first showed to read the mailbox or to hold the telephone."
    )
    verified_by = models.CharField(max_length=8, choices=Proof, blank=True, default="", editable=False)
    session_id = models.UUIDField(
        null=True, editable=False, help_text="The session in which it was made or its password was set."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    privacy = Privacy(
        kept=Kept.FOR_GOOD,
        personal={"identifier": Disguise.EMAIL, "email": Disguise.EMAIL},
        secret=("password",),
        technical="customer kind provider issuer is_email_verified is_password_initial is_permitted is_additional "
        "verified_at verified_by session_id created_at",
        subject="customer",
        at_erasure=AtErasure.EMPTIED,
    )

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["tenant", "customer"], name="account_by_customer"),
            # Staff list who waits for an opt-in, and they are few.
            models.Index(fields=["tenant", "customer"], name="account_waiting", condition=Q(is_permitted=False)),
            # Staff search by any part of an address or a number.
            GinIndex(fields=["identifier"], name="account_search", opclasses=["gin_trgm_ops"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "identifier", "provider", "issuer"], name="account_identity_unique"
            ),
            models.CheckConstraint(
                condition=(Q(kind="email", provider="", issuer="", email="") & ~Q(password=""))
                | Q(kind="phone", provider="", issuer="", email="", password="")
                | (Q(kind="external", password="") & ~Q(provider="") & ~Q(issuer="")),
                name="account_fields_of_kind",
            ),
            models.CheckConstraint(
                condition=Q(verified_at=None, verified_by="")
                | (Q(is_permitted=True, is_additional=False, verified_at__isnull=False) & ~Q(verified_by="")),
                name="account_verified_by_something",
            ),
        ]

    def __str__(self) -> str:
        return self.email or self.identifier

    @property
    def has_password(self) -> bool:
        """Whether its owner has ever chosen one."""
        return is_password_usable(self.password) and self.password != ""

    @property
    def is_email_log_in(self) -> bool:
        """Whether it is an e-mail address that may be logged in with."""
        return self.kind == self.Kind.EMAIL and self.is_permitted

    @property
    def is_verified(self) -> bool:
        """Whether somebody has proven to own it."""
        return self.verified_at is not None

    @property
    def mail_address(self) -> str:
        """Where mail to its owner goes; "" when nobody told us an address."""
        return self.identifier if self.kind == self.Kind.EMAIL else self.email

    @property
    def proven_address(self) -> str:
        """The mail address, if its owner has proven it; else ""."""
        is_proven = self.is_verified and (self.kind == self.Kind.EMAIL or self.is_email_verified)
        return self.mail_address if is_proven else ""


class KnownDevice(TenantOwned):
    """A device that a customer has signed up or logged in with (`Client.device`).

    Log-ins from it are never slowed down for what others try, and are no news to its owner. Days are enough, and a row
    is written anew once a day in effect: an index does not change with every log-in.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    device = models.CharField(max_length=32)
    first_seen_date = models.DateField(default=today)
    last_seen_date = models.DateField(default=today)

    privacy = Privacy(
        kept=Expires(("last_seen_date",), timedelta(days=180)),  # who comes back later is told of a new device
        personal={"device": Disguise.TEXT, "first_seen_date": Disguise.SAME, "last_seen_date": Disguise.SAME},
        technical="customer",
        subject="customer",
        at_erasure=AtErasure.ROW_GOES,
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "customer", "device"], name="known_device_unique")]
        indexes = [models.Index(fields=["last_seen_date"], name="known_device_by_age")]

    def __str__(self) -> str:
        return f"Device of {self.customer_id}"


class UnfinishedErasure(TenantOwned):
    """A customer who is erased, with rows left that the worker still has to delete.

    `destinations_encrypted` are the e-mail addresses and numbers that were theirs, to find what waits for them.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    destinations_encrypted = models.TextField(editable=False)
    created_at = models.DateTimeField(default=timezone.now)

    privacy = Privacy(
        kept=Kept.UNTIL_DONE,
        secret=("destinations_encrypted",),
        technical="customer created_at",
        is_copied=False,
    )

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["tenant", "customer"], name="unfinished_erasure_once")]

    def __str__(self) -> str:
        return f"Erasure of {self.customer_id}"


class Session(TenantOwned):
    """A customer's session with a storefront, from the first anonymous call to log-out.

    A log-in continues an anonymous session, so that a cart is kept; the anonymous tokens stay anonymous.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api_key = models.ForeignKey(ApiKey, on_delete=models.SET_NULL, null=True, related_name="+")
    site = models.CharField(max_length=64, blank=True, default="")
    currency = models.CharField(max_length=3, blank=True, default="")
    language = models.CharField(max_length=35, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, null=True, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")
    legal_entity = models.ForeignKey(LegalEntity, on_delete=models.SET_NULL, null=True, related_name="+")
    method = models.CharField(max_length=64, blank=True, default="", help_text="How the customer logged in.")
    second_factor = models.CharField(max_length=16, blank=True, default="", help_text="What was proven on top.")
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True, default="")

    created_at = models.DateTimeField(default=timezone.now)
    authenticated_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(default=timezone.now, help_text="To a minute or two.")
    expires_at = models.DateTimeField(help_text="No token of the session outlives this.")
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=64, blank=True, default="")

    privacy = Privacy(
        kept=Expires(("expires_at",), timedelta(days=90)),  # staff look at a customer's past sessions
        personal={"address": Disguise.EMPTY, "user_agent": Disguise.EMPTY},
        technical="api_key site currency language country customer account legal_entity method second_factor "
        "created_at authenticated_at last_used_at expires_at ended_at end_reason",
        subject="customer",
        at_erasure=AtErasure.EMPTIED,
    )

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(customer__isnull=True) | Q(authenticated_at__isnull=False),
                name="session_customer_authenticated",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="session_by_expiry")]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_customers(self) -> bool:
        """Whether a customer is logged in here."""
        return self.customer_id is not None and self.ended_at is None and self.expires_at > timezone.now()


class Token(TenantOwned):
    """An opaque token, known to us by its SHA-256 only.

    The hash is unique across tenants: it is looked up before the tenant is known.
    """

    class Kind(models.TextChoices):
        ANONYMOUS_ACCESS = "anonymous_access"
        ANONYMOUS_REFRESH = "anonymous_refresh"
        CUSTOMER_ACCESS = "customer_access"
        CUSTOMER_REFRESH = "customer_refresh"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="+")
    api_key = models.ForeignKey(
        ApiKey,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        help_text="The client that it was issued to; none where the log-in named none.",
    )
    kind = models.CharField(max_length=17, choices=Kind)
    token_hash = models.BinaryField(max_length=32, unique=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True, help_text="When a refresh token was exchanged for its successor.")

    privacy = Privacy(
        # A spent refresh token that comes back within this time is still recognized as stolen.
        kept=Expires(("expires_at",), timedelta(days=7)),
        secret=("token_hash",),
        technical="session api_key kind issued_at expires_at spent_at",
    )

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="token_by_expiry")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.session_id}"
