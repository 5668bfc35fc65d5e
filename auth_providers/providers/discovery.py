"""What a provider publishes about itself: where its endpoints are, and the keys that it signs with. Fetched rarely,
kept for a while, asked for again when a token names an unknown key."""

import time

from django.core.cache import cache

from auth_providers.outbound import http_client
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers.token_issuer import IssuerSettings, Published, TokenIssuer

Issuer = TokenIssuer[IssuerSettings]

FRESH_SECONDS = 10 * 60
# Keys of a provider that can't be reached for longer than this are not used any more.
STALE_SECONDS = 60 * 60
# A token with an unknown `kid` asks for the keys again, but not more often than this.
REFRESH_SECONDS = 10
# A provider that did not answer is not asked again for so long: every token with an unknown `kid` would wait for it.
PAUSE_SECONDS = 5


def published(issuer: Issuer) -> Published:
    """Whose tokens are the provider's, and where its keys are. Raises `ProviderUnavailable`."""
    return issuer.documented or _published(metadata(issuer))


def probe(issuer: Issuer) -> list[object]:
    """The provider's keys as they are at this moment, whatever is kept. Raises `ProviderUnavailable`."""
    published_now = issuer.documented or _published(_own(issuer, _get(issuer, _document_url(issuer))))
    return _entries(_get(issuer, issuer.endpoint(published_now.jwks_uri)))


def _published(document: dict[str, object]) -> Published:
    jwks_uri = document.get("jwks_uri")
    if not isinstance(jwks_uri, str):
        raise ProviderUnavailable("Its discovery document names no jwks_uri.", retry_after=http_client.RETRY_AFTER)
    return Published(issuers=(str(document["issuer"]),), jwks_uri=jwks_uri)


def metadata(issuer: Issuer) -> dict[str, object]:
    """The provider's discovery document (OpenID Connect Discovery 1.0, 4). Raises `ProviderUnavailable`."""
    return _own(issuer, _cached(issuer, _document_url(issuer)))


def _document_url(issuer: Issuer) -> str:
    return issuer.endpoint(f"{issuer.provider.issuer.rstrip('/')}/.well-known/openid-configuration")


def _own(issuer: Issuer, document: dict[str, object]) -> dict[str, object]:
    """The document, when it is the provider's own (OpenID Connect Discovery 1.0, 4.3)."""
    if str(document.get("issuer", "")).rstrip("/") != issuer.provider.issuer.rstrip("/"):
        raise ProviderUnavailable("The provider calls itself by another name.", retry_after=http_client.RETRY_AFTER)
    return document


def keys(issuer: Issuer, *, must_refresh: bool = False) -> list[object]:
    """The entries of the provider's key set, as they came (RFC 7517, 5). Raises `ProviderUnavailable`."""
    jwks_uri = issuer.endpoint(published(issuer).jwks_uri)
    return _entries(_cached(issuer, jwks_uri, must_refresh=must_refresh))


def _entries(key_set: dict[str, object]) -> list[object]:
    entries = key_set.get("keys")
    return entries if isinstance(entries, list) else []


def _cached(issuer: Issuer, url: str, *, must_refresh: bool = False) -> dict[str, object]:
    """The JSON at `url`, fetched again when it is old, or when asked to and not just fetched; an old one for a while
    when the provider can't be reached. Raises `ProviderUnavailable`."""
    now = time.time()
    kept: tuple[float, dict[str, object]] | None = cache.get(f"oidc:{url}")
    age = abs(now - kept[0]) if kept is not None else 0.0  # after the clock was set back, nothing is just fetched
    if kept is not None and age > STALE_SECONDS:
        kept = None
    if kept is not None and age < (REFRESH_SECONDS if must_refresh else FRESH_SECONDS):
        return kept[1]
    try:
        fetched = _fetch(issuer, url, now)
    except ProviderUnavailable:
        if kept is None:
            raise
        return kept[1]
    cache.set(f"oidc:{url}", (now, fetched), STALE_SECONDS)
    return fetched


def _fetch(issuer: Issuer, url: str, now: float) -> dict[str, object]:
    failed_at: float | None = cache.get(f"oidc-failed:{url}")
    if failed_at is not None and abs(now - failed_at) < PAUSE_SECONDS:
        raise ProviderUnavailable(retry_after=PAUSE_SECONDS)
    try:
        return _get(issuer, url)
    except ProviderUnavailable:
        cache.set(f"oidc-failed:{url}", now, PAUSE_SECONDS)
        raise


def _get(issuer: Issuer, url: str) -> dict[str, object]:
    return http_client.get_json(url, system=issuer.name)
