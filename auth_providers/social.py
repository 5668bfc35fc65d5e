"""Logging in at another provider: the storefront brings the code, we fetch and check the id token
(OpenID Connect Core 1.0, 3.1.3; PKCE, RFC 7636)."""

from dataclasses import dataclass
from typing import Any

from auth_providers import identities, oidc, outgoing, sessions
from auth_providers.models import AuthProvider, Session
from tenants.clients import Client
from tenants.encryption import decrypt
from tenants.errors import InvalidInput
from tenants.models import Tenant


@dataclass(frozen=True, kw_only=True)
class LoggedInElsewhere:
    """Our session, and the provider's tokens, which a storefront may want to call the provider with."""

    started: sessions.Started
    access_token: str
    id_token: str


def log_in_with_code(
    *,
    tenant: Tenant,
    provider_name: str,
    code: str,
    redirect_uri: str,
    code_verifier: str,
    issue: sessions.Issue,
    client: Client,
    continuing: Session | None,
) -> LoggedInElsewhere:
    """Exchange the code and log in whoever the id token is about.

    `redirect_uri` must be on the provider's list, exactly; "" is the only one there is. Raises `InvalidInput`,
    `identities.UnknownProvider`, `identities.UnknownCustomer`, `sessions.LogInRefused`, `outgoing.ProviderUnavailable`.
    """
    provider = identities.get_provider(tenant=tenant, kind=AuthProvider.Kind.OIDC, name=provider_name)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": _redirect_uri(provider, redirect_uri)}
    if code_verifier:
        form["code_verifier"] = code_verifier
    try:
        answer = _exchange(provider, form)
        id_token = answer.get("id_token")
        if not isinstance(id_token, str):
            raise oidc.TokenRefused("no id token")
        identity = oidc.identity_of(oidc.verify(id_token, provider))
    except (oidc.TokenRefused, outgoing.ProviderRefused) as error:
        sessions.refuse(tenant=tenant, client=client, method=provider.name, reason=f"code refused: {error}")
    started = identities.log_in(
        tenant=tenant, provider=provider, identity=identity, issue=issue, client=client, continuing=continuing
    )
    return LoggedInElsewhere(started=started, access_token=str(answer.get("access_token", "")), id_token=id_token)


def _redirect_uri(provider: AuthProvider, wanted: str) -> str:
    allowed: list[str] = provider.redirect_uris
    if not wanted and len(allowed) == 1:
        return allowed[0]
    if wanted not in allowed:
        raise InvalidInput.field("redirect_uri", "This redirect URI is not one of the provider's.")
    return wanted


def _exchange(provider: AuthProvider, form: dict[str, str]) -> dict[str, Any]:
    credentials = (provider.client_id, decrypt(provider.client_secret_encrypted))
    endpoint = oidc.metadata(provider).get("token_endpoint")
    if not isinstance(endpoint, str):
        raise outgoing.ProviderUnavailable("The provider names no token endpoint.")
    return outgoing.post_form(endpoint, form, credentials=credentials)
