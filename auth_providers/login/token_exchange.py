"""Exchanging another issuer's access token for a session of ours: checked offline with the issuer's keys, or by asking
the issuer (RFC 7662), as the tenant's named provider says."""

import time
from typing import Any

from auth_providers.login import federated
from auth_providers.models import AuthProvider, Session
from auth_providers.providers import oidc, registry
from auth_providers.tokens import sessions
from tenants.clients import Client
from tenants.models import Tenant


def exchange(
    *,
    tenant: Tenant,
    subject_token: str,
    provider_name: str,
    issue: sessions.Issue,
    client: Client,
    continuing: Session | None,
) -> sessions.Started:
    """Log in whoever the token is about. "" names the tenant's only provider, or the one called "default".

    Raises `registry.UnknownProvider`, `federated.UnknownCustomer`, `sessions.LogInRefused` and
    `http_client.ProviderUnavailable`.
    """
    provider = registry.get_provider(tenant=tenant, kind=AuthProvider.Kind.JWT, name=provider_name)
    try:
        identity = oidc.identity_of(_claims(provider, subject_token))
    except oidc.TokenRefused as error:
        sessions.refuse(tenant=tenant, client=client, method=provider.name, reason=f"token refused: {error}")
    return federated.log_in(
        tenant=tenant, provider=provider, identity=identity, issue=issue, client=client, continuing=continuing
    )


def provider_name(*, tenant: Tenant, named: str, client_id: str) -> str:
    """Which provider a token is checked by: the one that is named, else one that is called like the client, else ""."""
    if named:
        return named
    of_client = AuthProvider.objects.for_tenant(tenant).filter(kind=AuthProvider.Kind.JWT, name=client_id)
    return client_id if of_client.exists() else ""


def _claims(provider: AuthProvider, token: str) -> dict[str, Any]:
    return _introspected(provider, token) if provider.introspection_url else oidc.verify(token, provider)


def _introspected(provider: AuthProvider, token: str) -> dict[str, Any]:
    """What the issuer says about the token. Raises `oidc.TokenRefused`."""
    return oidc.introspect(token, provider, now=time.time()) | {"iss": provider.issuer}
