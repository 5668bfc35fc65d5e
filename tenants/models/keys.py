"""A tenant's sites, the API keys of its storefronts, and the keys that sign its tokens."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from tenants.models.owned import TenantOwned
from tenants.privacy.classification import Kept, Privacy


class Site(TenantOwned):
    """A storefront of the tenant: a country shop, a brand."""

    code = models.CharField(max_length=64)
    number = models.PositiveIntegerField(null=True, blank=True, help_text="Some interfaces identify the site by it.")
    name = models.CharField(max_length=255, blank=True, default="")

    privacy = Privacy(kept=Kept.UNTIL_CHANGED, technical="code number name")

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="site_code_unique"),
            models.UniqueConstraint(fields=["tenant", "number"], name="site_number_unique"),
        ]

    def __str__(self) -> str:
        return self.code


class Scope(models.TextChoices):
    """What a key's secret opens beyond naming the storefront."""

    CUSTOMERS_WRITE = "customers.write", "Write customers' data without asking them"
    EVENTS = "events", "Read the events of the tenant"
    TOKENS_INTROSPECT = "tokens.introspect", "Ask whose a token is and whether it is good"


class ApiKey(TenantOwned):
    """Identifies a storefront: a public client id and, for a backend, a secret that is shown once."""

    client_id = models.CharField(max_length=128)
    secret_hash = models.CharField(max_length=64, blank=True, default="", editable=False)
    name = models.CharField(max_length=255, blank=True, default="")
    is_active = models.BooleanField(default=True)
    is_forwarding_trusted = models.BooleanField(
        default=False,
        help_text="For a server that sends the shopper's network address in X-Forwarded-For. The key needs a secret, "
        "because client ids are public. When off, limits count all shoppers of this server as one.",
    )
    scopes = models.CharField(
        max_length=255,
        blank=True,
        default="",
        help_text="What its secret opens beyond naming the storefront. The key needs a secret.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    privacy = Privacy(
        kept=Kept.UNTIL_CHANGED,
        secret=("secret_hash",),
        technical="client_id name is_active is_forwarding_trusted scopes created_at",
    )

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
            models.CheckConstraint(
                condition=Q(scopes="") | ~Q(secret_hash=""),
                name="api_key_scopes_with_secret",
                violation_error_message="Only a key with a secret can have scopes.",
            ),
        ]

    def __str__(self) -> str:
        return self.client_id

    def has_scope(self, scope: Scope) -> bool:
        """Whether the key's secret opens this; `scopes` are separated by spaces (RFC 6749, 3.3)."""
        return scope in self.scopes.split()


class SigningKey(TenantOwned):
    """A P-256 key pair of the tenant (RFC 7518, ES256). The private half is encrypted at rest."""

    kid = models.CharField(max_length=43)
    public_jwk = models.JSONField()
    private_pem_encrypted = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    signs_from = models.DateTimeField(help_text="Published at once, used from this moment on.")
    is_revoked = models.BooleanField(default=False, help_text="Taken out of use at once: its tokens are refused.")

    privacy = Privacy(
        kept=Kept.UNTIL_CHANGED,
        secret=("private_pem_encrypted",),
        technical="kid public_jwk created_at signs_from is_revoked",
        is_copied=False,
    )

    class Meta:
        ordering = ["-signs_from"]
        constraints = [models.UniqueConstraint(fields=["tenant", "kid"], name="signing_key_kid_unique")]

    def __str__(self) -> str:
        return self.kid
