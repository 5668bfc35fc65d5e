"""What customers log in with: a tenant's identity providers."""

from django.db import models
from django.db.models import F, Q

from tenants.models import TenantOwned
from tenants.privacy.classification import Kept, Privacy

# Of these three kinds a tenant has one provider at most, which is called like the kind.
PASSWORD = "password"  # noqa: S105 - the name of the provider that every tenant has
OTP = "otp"
TOTP = "totp"


class AuthProvider(TenantOwned):
    """A provider that customers log in with. `kind` names one of `providers.kinds`, which state what it needs.

    Every tenant has passwords without a row; a row of that kind can switch them off.
    """

    name = models.CharField(max_length=64, help_text="The name that storefronts send.")
    kind = models.CharField(max_length=16)
    is_enabled = models.BooleanField(default=True)
    issuer = models.URLField(
        max_length=500,
        blank=True,
        default="",
        help_text="The `iss` of its tokens; its discovery document lies under this address.",
    )
    client_id = models.CharField(
        max_length=255,
        blank=True,
        default="",
        help_text="The id by which it knows the shop; its tokens must name it as audience.",
    )
    client_secret_encrypted = models.TextField(blank=True, default="", editable=False)
    settings = models.JSONField(default=dict, blank=True, help_text="What this kind needs beyond the other fields.")
    redirect_uris = models.JSONField(default=list, blank=True, help_text="Where it may send customers back to.")
    authorized_parties = models.JSONField(
        default=list,
        blank=True,
        help_text="Token exchange: the applications (`azp` or `client_id`) whose tokens are accepted.",
    )
    introspection_url = models.URLField(
        max_length=500,
        blank=True,
        default="",
        help_text="Where it is asked about a token (RFC 7662). Empty: its signature is checked.",
    )
    is_provisioning = models.BooleanField(default=True, help_text="Create a customer for an identity that is new.")
    is_linking_by_email = models.BooleanField(
        default=False,
        help_text="Log in as the customer with the same e-mail address, where the provider has verified it.",
    )

    privacy = Privacy(
        kept=Kept.UNTIL_CHANGED,
        secret=("client_secret_encrypted",),
        technical="name kind is_enabled issuer client_id settings redirect_uris authorized_parties introspection_url "
        "is_provisioning is_linking_by_email",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="auth_provider_name_unique"),
            models.CheckConstraint(
                condition=Q(kind__in=[PASSWORD, OTP, TOTP], kind=F("name"))
                | (~Q(kind__in=[PASSWORD, OTP, TOTP]) & ~Q(name__in=[PASSWORD, OTP, TOTP])),
                name="auth_provider_own_names",
            ),
        ]

    def __str__(self) -> str:
        return self.name
