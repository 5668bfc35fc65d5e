"""Who is this? Log-ins, sessions and what they leave behind."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

from customers.models import Customer, LegalEntity
from tenants.models import ApiKey, TenantOwned

PASSWORD = "password"  # noqa: S105 - the name of the provider that every tenant has


class AuthProvider(TenantOwned):
    """Someone else who vouches for customers: an OpenID provider that they log in at, or an issuer of tokens."""

    class Kind(models.TextChoices):
        OIDC = "oidc", "OpenID Connect: the customer logs in there"
        JWT = "jwt", "Token exchange: the storefront brings its access token"

    name = models.CharField(max_length=64, help_text="How storefronts name it.")
    kind = models.CharField(max_length=16, choices=Kind)
    is_enabled = models.BooleanField(default=True)
    issuer = models.URLField(max_length=500, help_text="Its `iss`; its discovery document lies under it.")
    client_id = models.CharField(max_length=255, help_text="Ours, there; the audience that its tokens must name.")
    client_secret_encrypted = models.TextField(blank=True, default="", editable=False)
    redirect_uris = models.JSONField(default=list, blank=True, help_text="Those that storefronts may come back to.")
    authorized_parties = models.JSONField(
        default=list, blank=True, help_text="Token exchange: the `azp` that are accepted. Empty: any."
    )
    introspection_url = models.URLField(
        max_length=500, blank=True, default="", help_text="Token exchange: ask here (RFC 7662). Empty: check offline."
    )
    is_provisioning = models.BooleanField(default=True, help_text="Create a customer for whoever is new.")
    is_linking_by_email = models.BooleanField(
        default=False, help_text="Let whoever has a verified e-mail there into the account with that e-mail here."
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="auth_provider_name_unique"),
            models.CheckConstraint(condition=~Q(name=PASSWORD), name="auth_provider_name_free"),
        ]

    def __str__(self) -> str:
        return self.name


class Account(TenantOwned):
    """One way for one customer to log in: an e-mail and a password, or an identity at a provider.

    An identity is (tenant, provider, issuer, subject); the e-mail that came with it is what people know it by.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=64, default=PASSWORD)
    issuer = models.CharField(max_length=500, blank=True, default="")
    identifier = models.CharField(max_length=255, help_text="The e-mail address, lower-case, or the subject.")
    email = models.CharField(max_length=254, blank=True, default="", help_text="What an identity's provider said.")
    password = models.CharField(max_length=255, blank=True, default="", editable=False)
    is_password_initial = models.BooleanField(default=False, help_text="Set by staff; to be changed at once.")
    is_confirmed = models.BooleanField(default=True, help_text="Whether its owner has followed the link of the opt-in.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["tenant", "customer"], name="account_by_customer")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider", "identifier", "issuer"], name="account_identity_unique"
            ),
            models.CheckConstraint(
                condition=(Q(provider=PASSWORD) & Q(issuer="") & ~Q(password=""))
                | (~Q(provider=PASSWORD) & ~Q(issuer="") & Q(password="")),
                name="account_password_or_issuer",
            ),
        ]

    def __str__(self) -> str:
        return self.email or self.identifier

    @property
    def mail_address(self) -> str:
        """Where mail to its owner goes; "" when nobody told us an address."""
        return self.identifier if self.provider == PASSWORD else self.email


class Session(TenantOwned):
    """A visit to a storefront, from the first anonymous page to log-out.

    Logging in keeps the session, so that a cart survives; it does not lift the anonymous tokens, which stay anonymous.
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
    address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=255, blank=True, default="")

    created_at = models.DateTimeField(default=timezone.now)
    authenticated_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(help_text="No token of the session outlives this.")
    ended_at = models.DateTimeField(null=True)
    end_reason = models.CharField(max_length=64, blank=True, default="")

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
    kind = models.CharField(max_length=17, choices=Kind)
    token_hash = models.BinaryField(max_length=32, unique=True)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True, help_text="When a refresh token was exchanged for its successor.")

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="token_by_expiry")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.session_id}"


class Challenge(TenantOwned):
    """A token that was mailed to prove that its receiver reads that mailbox. Good once, for one purpose."""

    class Purpose(models.TextChoices):
        OPT_IN = "opt_in"
        PASSWORD_RESET = "password_reset"  # noqa: S105
        EMAIL_CHANGE = "email_change"
        DELETION = "deletion"

    purpose = models.CharField(max_length=32, choices=Purpose)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    token_hash = models.BinaryField(max_length=32, unique=True)
    details = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="challenge_by_expiry")]

    def __str__(self) -> str:
        return f"{self.purpose} for {self.account_id}"


class Attempts(TenantOwned):
    """How often something was tried in vain, or at all: the memory of `limits`."""

    rule = models.CharField(max_length=32)
    key = models.BinaryField(max_length=32)
    count = models.PositiveIntegerField()
    since = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant", "rule", "key"], name="attempts_key_unique")]
        indexes = [models.Index(fields=["since"], name="attempts_by_age")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.count}"


class Message(TenantOwned):
    """A mail to be sent: the outbox, written in the transaction of what the mail announces."""

    # Long enough for a slow mail server to answer, short enough that a crashed worker's mail is not late for long.
    LEASE = timedelta(minutes=5)

    template = models.CharField(max_length=64)
    language = models.CharField(max_length=35, blank=True, default="")
    site = models.CharField(max_length=64, blank=True, default="")
    recipient = models.CharField(max_length=254)
    context_encrypted = models.TextField(blank=True, default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    last_error = models.CharField(max_length=255, blank=True, default="")
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True, help_text="When we gave up.")

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="message_due",
                condition=Q(sent_at__isnull=True, failed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.template} to {self.recipient}"


class MessageTemplate(TenantOwned):
    """A mail's words as a tenant wants them, for one language, and for one site or all. Django's template language."""

    template = models.CharField(max_length=64, help_text="Such as password_reset.")
    site = models.CharField(max_length=64, blank=True, default="", help_text="Empty: every site.")
    language = models.CharField(max_length=8, help_text="Two letters, such as de.")
    subject = models.CharField(max_length=255)
    text = models.TextField()
    html = models.TextField(blank=True, default="", help_text="Empty: the mail has a text part only.")

    class Meta:
        ordering = ["template", "site", "language"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "template", "site", "language"], name="message_template_unique")
        ]

    def __str__(self) -> str:
        return f"{self.template} ({self.language}) {self.site}".strip()
