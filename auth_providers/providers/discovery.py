"""What a provider publishes about itself: where its endpoints are, and the keys that it signs with. Fetched rarely,
kept for a while, asked for again when a token names a key that nobody has seen."""

import time
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from auth_providers.models import AuthProvider
from auth_providers.outbound import http_client
from auth_providers.outbound.http_client import ProviderUnavailable

FRESH_SECONDS = 10 * 60
# A provider that can't be reached for longer than this takes its keys with it.
STALE_SECONDS = 60 * 60
# A token with an unknown `kid` asks for the keys again, but not more often than this.
REFRESH_SECONDS = 10
# Who did not answer is not asked again for so long: every token with an unknown `kid` would wait for it.
PAUSE_SECONDS = 5


@dataclass(frozen=True, kw_only=True)
class Published:
    """Names that the provider's tokens may have for their issuer, the first of which is ours for it, and its keys."""

    issuers: tuple[str, ...]
    jwks_uri: str


# By their documentation. The others say it themselves, in a discovery document.
KNOWN: dict[str, Published] = {
    AuthProvider.Kind.GOOGLE: Published(
        issuers=("https://accounts.google.com", "accounts.google.com"),
        jwks_uri="https://www.googleapis.com/oauth2/v3/certs",
    ),
    AuthProvider.Kind.APPLE: Published(
        issuers=("https://appleid.apple.com",), jwks_uri="https://appleid.apple.com/auth/keys"
    ),
    AuthProvider.Kind.FACEBOOK: Published(
        issuers=("https://www.facebook.com", "https://facebook.com", "https://limited.facebook.com"),
        jwks_uri="https://www.facebook.com/.well-known/oauth/openid/jwks/",
    ),
    AuthProvider.Kind.LINE: Published(
        issuers=("https://access.line.me",), jwks_uri="https://api.line.me/oauth2/v2.1/certs"
    ),
}


def endpoint(provider: AuthProvider, url: str) -> str:
    """Where a call to `url` really goes: `settings["endpoints"]` maps beginnings of addresses to others, for a network
    that reaches the provider through a gateway of its own."""
    others = provider.settings.get("endpoints") or {}
    for beginning, other in others.items():
        if url == beginning or url.startswith(f"{beginning.rstrip('/')}/"):
            return str(other).rstrip("/") + url[len(beginning.rstrip("/")) :]
    return url


def published(provider: AuthProvider) -> Published:
    """Whose tokens are the provider's, and where its keys are. Raises `ProviderUnavailable`."""
    return KNOWN[provider.kind] if provider.kind in KNOWN else _published(metadata(provider))


def probe(provider: AuthProvider) -> list[Any]:
    """The provider's keys as they are at this moment, whatever is kept. Raises `ProviderUnavailable`."""
    if provider.kind in KNOWN:
        jwks_uri = KNOWN[provider.kind].jwks_uri
    else:
        jwks_uri = _published(_own(provider, http_client.get_json(_document_url(provider)))).jwks_uri
    return _entries(http_client.get_json(endpoint(provider, jwks_uri)))


def _published(document: dict[str, Any]) -> Published:
    jwks_uri = document.get("jwks_uri")
    if not isinstance(jwks_uri, str):
        raise ProviderUnavailable("Its discovery document names no jwks_uri.", retry_after=http_client.RETRY_AFTER)
    return Published(issuers=(str(document["issuer"]),), jwks_uri=jwks_uri)


def metadata(provider: AuthProvider) -> dict[str, Any]:
    """The provider's discovery document (OpenID Connect Discovery 1.0, 4). Raises `ProviderUnavailable`."""
    return _own(provider, _cached(_document_url(provider)))


def _document_url(provider: AuthProvider) -> str:
    return endpoint(provider, f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")


def _own(provider: AuthProvider, document: dict[str, Any]) -> dict[str, Any]:
    """The document, when it is the provider's own (OpenID Connect Discovery 1.0, 4.3)."""
    if str(document.get("issuer", "")).rstrip("/") != provider.issuer.rstrip("/"):
        raise ProviderUnavailable("The provider calls itself by another name.", retry_after=http_client.RETRY_AFTER)
    return document


def keys(provider: AuthProvider, *, must_refresh: bool = False) -> list[Any]:
    """The entries of the provider's key set, as they came (RFC 7517, 5). Raises `ProviderUnavailable`."""
    jwks_uri = endpoint(provider, published(provider).jwks_uri)
    return _entries(_cached(jwks_uri, must_refresh=must_refresh))


def _entries(key_set: dict[str, Any]) -> list[Any]:
    entries = key_set.get("keys")
    return entries if isinstance(entries, list) else []


def _cached(url: str, *, must_refresh: bool = False) -> dict[str, Any]:
    """The JSON at `url`, fetched again when it is old, or when asked to and not just fetched; an old one for a while
    when the provider can't be reached. Raises `ProviderUnavailable`."""
    now = time.time()
    kept: tuple[float, dict[str, Any]] | None = cache.get(f"oidc:{url}")
    if kept is not None and now - kept[0] > STALE_SECONDS:
        kept = None
    if kept is not None and now - kept[0] < (REFRESH_SECONDS if must_refresh else FRESH_SECONDS):
        return kept[1]
    try:
        fetched = _fetch(url, now)
    except ProviderUnavailable:
        if kept is None:
            raise
        return kept[1]
    cache.set(f"oidc:{url}", (now, fetched), STALE_SECONDS)
    return fetched


def _fetch(url: str, now: float) -> dict[str, Any]:
    failed_at: float | None = cache.get(f"oidc-failed:{url}")
    if failed_at is not None and now - failed_at < PAUSE_SECONDS:
        raise ProviderUnavailable(retry_after=PAUSE_SECONDS)
    try:
        return http_client.get_json(url)
    except ProviderUnavailable:
        cache.set(f"oidc-failed:{url}", now, PAUSE_SECONDS)
        raise
