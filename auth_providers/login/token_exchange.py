"""Exchanging another issuer's access token for a session of ours: checked offline with the issuer's keys, or by asking
the issuer (RFC 7662), as the tenant's named provider says."""

from auth_providers.login import federated
from auth_providers.models import AuthProvider, Session
from auth_providers.providers import kinds, oidc, registry
from auth_providers.providers.kinds.jwt import TokenExchange
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
    provider = registry.get_provider(tenant=tenant, kind=kinds.names_of(TokenExchange), name=provider_name)
    kind = kinds.of(provider)
    if not isinstance(kind, TokenExchange):
        raise registry.UnknownProvider
    try:
        identity = kind.identify(subject_token)
    except oidc.TokenRefused as error:
        sessions.refuse(tenant=tenant, client=client, method=provider.name, reason=f"token refused: {error}")
    return federated.log_in(
        tenant=tenant, provider=provider, identity=identity, issue=issue, client=client, continuing=continuing
    )


def provider_name(*, tenant: Tenant, named: str, client_id: str) -> str:
    """Which provider a token is checked by: the one that is named, else one that is called like the client, else ""."""
    if named:
        return named
    of_client = AuthProvider.objects.for_tenant(tenant).filter(kind__in=kinds.names_of(TokenExchange), name=client_id)
    return client_id if of_client.exists() else ""
