"""Exchanging another issuer's access token for a session of ours: checked offline with the issuer's keys, or by asking
the issuer (RFC 7662), as the tenant's named provider says."""

from dataclasses import replace

from auth_providers.login import federated, used_id_tokens
from auth_providers.models import AuthProvider
from auth_providers.providers import kinds, oidc, registry
from auth_providers.providers.kinds.jwt import TokenExchange
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from tenants.models import Tenant


def exchange(
    *,
    attempt: LogInAttempt,
    subject_token: str,
    provider_name: str,
) -> sessions.Started:
    """Log in the customer whom the token identifies, as often as it is brought: it is a credential at its issuer, and
    ends there; but an id token that has logged somebody in at a provider is not one for here. "" names the tenant's
    only provider, or the one called "default".

    Raises `registry.UnknownProvider`, `federated.UnknownCustomer`, `sessions.LogInRefused` and
    `http_client.ProviderUnavailable`.
    """
    provider = registry.get_provider(tenant=attempt.tenant, kind=kinds.names_of(TokenExchange), name=provider_name)
    kind = kinds.of(provider)
    if not isinstance(kind, TokenExchange):
        raise registry.UnknownProvider
    attempt = replace(attempt, method=provider.name, provider_kind=provider.kind)
    try:
        identity = kind.identify(subject_token)
        used_id_tokens.check_unused(tenant=attempt.tenant, claims=identity.claims)
    except oidc.TokenRefused as error:
        sessions.refuse(attempt=attempt, reason=f"token refused: {error}")
    return federated.log_in(attempt=attempt, provider=provider, identity=identity)


def provider_name(*, tenant: Tenant, named: str, client_id: str) -> str:
    """Which provider a token is checked by: the one that is named, else one that is called like the client, else ""."""
    if named:
        return named
    of_client = AuthProvider.objects.for_tenant(tenant).filter(kind__in=kinds.names_of(TokenExchange), name=client_id)
    return client_id if of_client.exists() else ""
