"""The providers that our own pages let customers log in at, without a cookie and without a script.

What has to be known again when the customer comes back is in `state`, encrypted: the token of the mail's link, which
only its reader has, the verifier of PKCE (RFC 7636) and the nonce. A provider is offered where its list of redirect
URIs has our page's.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from auth_providers.login import social
from auth_providers.models import AuthProvider
from auth_providers.outbound import http_client
from auth_providers.providers import kinds
from auth_providers.providers.sign_in import SignIn
from tenants.models import Tenant
from tenants.secrets.encryption import CannotDecrypt, decrypt, encrypt

PATH = "provider"  # of the page that they lead back to (`config/own_pages.py`)
LIFETIME = timedelta(minutes=15)  # of a log-in at the provider


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A log-in at a provider that began on our page. `began_at` is in seconds."""

    tenant: str
    token: str
    provider: str
    verifier: str
    nonce: str
    began_at: int


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A provider, by its name for people, and the address at which one logs in there."""

    name: str
    address: str


def redirect_uri(tenant: Tenant) -> str:
    """What the provider has to have on its list, and here, for our pages to offer it."""
    return f"{settings.PUBLIC_URL}/pages/{tenant.code}/{PATH}"


def offers(*, tenant: Tenant, token: str) -> list[Offer]:
    """The providers that customers can log in at from our page, in the order in which they were set up; without those
    that can't be asked for their address now."""
    enabled = AuthProvider.objects.for_tenant(tenant).filter(is_enabled=True, kind__in=kinds.names_of(SignIn))
    back = redirect_uri(tenant)
    found = [_offer(tenant, each, token) for each in enabled.order_by("pk") if back in each.redirect_uris]
    return [each for each in found if each is not None]


def name_of(provider: AuthProvider) -> str:
    """The provider's name for people."""
    label = kinds.of(provider).label
    return provider.name.capitalize() if ":" in label else label


def read(*, tenant: Tenant, state: str) -> Visit | None:
    """The visit that this state stands for; None for one that is not ours, too old, or another tenant's."""
    try:
        visit = Visit(**json.loads(decrypt(state)))
    except (CannotDecrypt, ValueError, TypeError):
        return None
    is_over = visit.began_at < (timezone.now() - LIFETIME).timestamp()
    return None if is_over or visit.tenant != tenant.code else visit


def _offer(tenant: Tenant, provider: AuthProvider, token: str) -> Offer | None:
    visit = Visit(
        tenant=tenant.code,
        token=token,
        provider=provider.name,
        verifier=secrets.token_urlsafe(48),
        nonce=secrets.token_urlsafe(16),
        began_at=int(timezone.now().timestamp()),
    )
    try:
        address = social.authorization_address(
            provider=provider,
            redirect_uri=redirect_uri(tenant),
            state=encrypt(json.dumps(asdict(visit))),
            nonce=visit.nonce,
            code_verifier=visit.verifier,
        )
    except (http_client.ProviderUnavailable, http_client.ProviderRefused):
        return None
    return Offer(name=name_of(provider), address=address)
