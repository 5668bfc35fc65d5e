"""What customers log in with: a tenant's identity providers."""

from django.db import models
from django.db.models import F, Q

from tenants.models import TenantOwned

# Of these three kinds a tenant has one provider at most, which is called like the kind.
PASSWORD = "password"  # noqa: S105 - the name of the provider that every tenant has
OTP = "otp"
TOTP = "totp"


class AuthProvider(TenantOwned):
    """One way to log in: a kind, how storefronts name it, and what it needs to know.

    Every tenant has the password without a row; a row of that kind can switch it off. What a kind is, `providers.kinds`
    say.
    """

    name = models.CharField(max_length=64, help_text="How storefronts name it.")
    kind = models.CharField(max_length=16)
    is_enabled = models.BooleanField(default=True)
    issuer = models.URLField(
        max_length=500, blank=True, default="", help_text="Its `iss`; its discovery document lies under it."
    )
    client_id = models.CharField(
        max_length=255, blank=True, default="", help_text="Ours, there; the audience that its tokens must name."
    )
    client_secret_encrypted = models.TextField(blank=True, default="", editable=False)
    settings = models.JSONField(default=dict, blank=True, help_text="What this kind needs beyond that.")
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
            models.CheckConstraint(
                condition=Q(kind__in=[PASSWORD, OTP, TOTP], kind=F("name"))
                | (~Q(kind__in=[PASSWORD, OTP, TOTP]) & ~Q(name__in=[PASSWORD, OTP, TOTP])),
                name="auth_provider_own_names",
            ),
        ]

    def __str__(self) -> str:
        return self.name
