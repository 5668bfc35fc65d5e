"""Logging in at another provider: the storefront brings an id token, an access token or a code, and the provider's
backend says whose it is (OpenID Connect Core 1.0, 3.1.3; PKCE, RFC 7636)."""

import base64
import hashlib
import json
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from social_core.exceptions import SocialAuthBaseException

from auth_providers.login import federated, used_id_tokens
from auth_providers.models import AuthProvider
from auth_providers.outbound import http_client
from auth_providers.providers import kinds, oidc, registry
from auth_providers.providers.sign_in import Backend, SignIn, Tokens
from auth_providers.tokens import sessions
from auth_providers.tokens.log_in_attempt import LogInAttempt
from tenants.errors import InvalidInput
from tenants.models import Tenant


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a storefront brings: an id token, an access token or both, or else a code. `nonce` is what it asked the
    provider to put into the id token, `code_verifier` what it keeps of PKCE, and `user` the JSON object that Apple
    sends beside the tokens, once."""

    id_token: str = ""
    access_token: str = ""
    code: str = ""
    redirect_uri: str = ""
    code_verifier: str = ""
    nonce: str = ""
    user: str = ""


@dataclass(frozen=True, kw_only=True)
class SocialLogIn:
    """Our session, and the provider's tokens, which a storefront may want to call the provider with."""

    started: sessions.Started
    access_token: str
    id_token: str


def get_provider(*, tenant: Tenant, name: str = "") -> AuthProvider:
    """The enabled provider of this name that customers log in at; without one, the only one there is, or the one called
    "default". Raises `registry.UnknownProvider`."""
    return registry.get_provider(tenant=tenant, kind=kinds.names_of(SignIn), name=name)


def authorization_address(
    *, provider: AuthProvider, redirect_uri: str, state: str, nonce: str, code_verifier: str
) -> str:
    """Where a browser is sent to log in at the provider, who answers with a code (OpenID Connect Core 1.0, 3.1.2.1;
    RFC 7636, 4.3). What is asked for is `OWN_PAGE_SCOPE`. Raises `http_client.ProviderUnavailable`."""
    kind = kinds.of(provider)
    if not isinstance(kind, SignIn):
        raise registry.UnknownProvider
    backend = kind.backend()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        **({"scope": backend.OWN_PAGE_SCOPE} if backend.OWN_PAGE_SCOPE else {}),
        **({"nonce": nonce} if nonce_for(provider, nonce) else {}),
    }
    try:
        address = backend.authorization_url()
    except SocialAuthBaseException as error:
        raise http_client.ProviderUnavailable(retry_after=http_client.RETRY_AFTER) from error
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def nonce_for(provider: AuthProvider, nonce: str) -> str:
    """The nonce, where the provider answers with an id token that has it; "" where it does not."""
    kind = kinds.of(provider)
    return nonce if isinstance(kind, SignIn) and kind.backend().OWN_PAGE_SCOPE else ""


def log_in(
    *,
    attempt: LogInAttempt,
    provider: AuthProvider,
    credentials: Credentials,
) -> SocialLogIn:
    """Log in the customer whom the credentials identify.

    A redirect URI must be on the provider's list, exactly; "" is the only one there is. An id token is accepted once,
    also one that came for a code. Raises `InvalidInput`,
    `federated.UnknownCustomer`, `registry.UnknownProvider`, `sessions.LogInRefused`, `http_client.ProviderUnavailable`
    and what `sessions.start` raises.
    """
    kind = kinds.of(provider)
    if not isinstance(kind, SignIn):
        raise registry.UnknownProvider
    credentials = _checked(provider, credentials)
    attempt = replace(attempt, method=provider.name, provider_kind=provider.kind)
    try:
        backend = kind.backend()
        tokens = _redeem(backend, credentials) if credentials.code else _brought(credentials)
        identity = _identify(backend, tokens, credentials.nonce)
        if tokens.id_token:
            used_id_tokens.spend(tenant=attempt.tenant, claims=identity.claims)
    except (oidc.TokenRefused, http_client.ProviderRefused) as error:
        what = "code" if credentials.code else "token"
        sessions.refuse(attempt=attempt, reason=f"{what} refused: {error}")
    except SocialAuthBaseException as error:  # what the library makes of an answer that lacks something or contradicts
        raise http_client.ProviderUnavailable(retry_after=http_client.RETRY_AFTER) from error
    named = _named(backend, identity, credentials.user)
    started = federated.log_in(attempt=attempt, provider=provider, identity=named)
    return SocialLogIn(started=started, access_token=tokens.access_token, id_token=tokens.id_token)


def _checked(provider: AuthProvider, credentials: Credentials) -> Credentials:
    """The credentials with the redirect URI that they mean. Raises `InvalidInput`."""
    has_tokens = bool(credentials.id_token or credentials.access_token)
    if has_tokens == bool(credentials.code):
        raise InvalidInput.field("code", "Send an id token, an access token or both, or else a code.")
    if has_tokens:
        return credentials
    return replace(credentials, redirect_uri=_redirect_uri(provider, credentials.redirect_uri))


def _redirect_uri(provider: AuthProvider, wanted: str) -> str:
    allowed: list[str] = provider.redirect_uris
    if not wanted and len(allowed) == 1:
        return allowed[0]
    if wanted not in allowed:
        raise InvalidInput.field("redirect_uri", "This redirect URI is not one of the provider's.")
    return wanted


def _brought(credentials: Credentials) -> Tokens:
    return Tokens(access_token=credentials.access_token, id_token=credentials.id_token)


def _redeem(backend: Backend, credentials: Credentials) -> Tokens:
    return backend.redeem(
        code=credentials.code, redirect_uri=credentials.redirect_uri, code_verifier=credentials.code_verifier
    )


def _named(backend: Backend, identity: oidc.Identity, user: str) -> oidc.Identity:
    """The identity with the names that came beside its tokens; what a token says of them goes first."""
    try:
        told = json.loads(user) if user else {}
    except (ValueError, RecursionError):
        return identity
    beside = backend.named_beside(told) if isinstance(told, dict) else {}
    return replace(identity, claims={**beside, **identity.claims}) if beside else identity


def _identify(backend: Backend, tokens: Tokens, nonce: str) -> oidc.Identity:
    if tokens.id_token:
        return backend.by_id_token(tokens, nonce=nonce)
    if nonce:
        raise oidc.TokenRefused("no id token, so no nonce")
    if tokens.access_token:
        return backend.by_access_token(tokens.access_token)
    raise oidc.TokenRefused("no token")
