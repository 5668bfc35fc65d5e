"""OpenID Connect as a relying party: discovery, keys, and what makes a token believable.

The algorithm comes from the key and a list of ours, never from the token alone; signatures by a shared secret and
unsigned tokens are refused (RFC 8725, 3.1; OpenID Connect Core 1.0, 3.1.3.7).
"""

import time
from dataclasses import dataclass, field
from typing import Any

import jwt
from django.core.cache import cache

from auth_providers import outgoing
from auth_providers.models import AuthProvider
from auth_providers.outgoing import ProviderUnavailable
from customers.profiles import normalize_email

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
LEEWAY = 30  # seconds between two clocks
FRESH_SECONDS = 10 * 60
# A provider that can't be reached for longer than this takes its keys with it.
STALE_SECONDS = 60 * 60
# A token with an unknown `kid` asks for the keys again, but not more often than this.
REFRESH_SECONDS = 10


class TokenRefused(Exception):
    """The token does not prove what it should."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who someone is at a provider."""

    issuer: str
    subject: str
    email: str = ""
    is_email_verified: bool = False
    claims: dict[str, Any] = field(default_factory=dict)


def metadata(provider: AuthProvider) -> dict[str, Any]:
    """The provider's discovery document (OpenID Connect Discovery 1.0, 4). Raises `ProviderUnavailable`."""
    document = _cached(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if str(document.get("issuer", "")).rstrip("/") != provider.issuer.rstrip("/"):
        raise ProviderUnavailable("The provider calls itself by another name.")
    return document


def test(provider: AuthProvider) -> int:
    """Fetch the provider's discovery document and keys. Returns how many of them we can use.

    Raises `ProviderUnavailable` with what is wrong.
    """
    document = metadata(provider)
    try:
        entries = _entries(str(document["jwks_uri"]), must_refresh=True)
    except KeyError as error:
        raise ProviderUnavailable("Its discovery document names no jwks_uri.") from error
    usable = [entry for entry in entries if isinstance(entry, dict) and entry.get("alg", "RS256") in ALGORITHMS]
    if not usable:
        raise ProviderUnavailable("It has no key of an algorithm that is accepted.")
    return len(usable)


def verify(token: str, provider: AuthProvider, *, nonce: str = "") -> dict[str, Any]:
    """The claims of a token that the provider signed for us. Raises `TokenRefused` and `ProviderUnavailable`."""
    document = metadata(provider)
    try:
        key = _key(str(document["jwks_uri"]), jwt.get_unverified_header(token))
        claims: dict[str, Any] = jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm_name],
            audience=provider.client_id,
            issuer=str(document["issuer"]),
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "iss", "aud"]},
        )
    except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
        raise TokenRefused(str(error)) from error
    _check_parties(claims, provider)
    if nonce and claims.get("nonce") != nonce:
        raise TokenRefused("another nonce")
    return claims


def check_introspected(said: dict[str, Any], provider: AuthProvider, *, now: float) -> None:
    """Check what an issuer answered about an access token (RFC 7662, 2.2). Raises `TokenRefused`."""
    if said.get("active") is not True:
        raise TokenRefused("not active")
    if str(said.get("iss", provider.issuer)).rstrip("/") != provider.issuer.rstrip("/"):
        raise TokenRefused("another issuer")
    expires_at = said.get("exp")
    if isinstance(expires_at, int | float) and expires_at + LEEWAY < now:
        raise TokenRefused("expired")
    audience = said.get("aud", provider.client_id)
    if provider.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise TokenRefused("another audience")
    party = said.get("azp", said.get("client_id"))
    _check_parties(said | ({"azp": party} if party is not None else {}), provider)


def identity_of(claims: dict[str, Any]) -> Identity:
    """The identity that claims describe. Raises `TokenRefused` for claims that name nobody."""
    subject, issuer = claims.get("sub"), claims.get("iss")
    if not isinstance(subject, str) or not isinstance(issuer, str) or not 0 < len(subject) <= 255:  # noqa: PLR2004
        raise TokenRefused("no subject")
    email = claims.get("email")
    return Identity(
        issuer=issuer,
        subject=subject,
        email=normalize_email(email) if isinstance(email, str) else "",
        is_email_verified=claims.get("email_verified") is True,
        claims=claims,
    )


def _check_parties(claims: dict[str, Any], provider: AuthProvider) -> None:
    """`azp` names the party a token was issued to: us, or for token exchange one of those that are accepted."""
    party = claims.get("azp")
    if provider.kind == AuthProvider.Kind.JWT:
        is_accepted = not provider.authorized_parties or party in provider.authorized_parties
    else:
        is_accepted = party in (None, provider.client_id)
    if not is_accepted:
        raise TokenRefused("issued to another party")


def _key(jwks_uri: str, header: dict[str, Any]) -> jwt.PyJWK:
    """The provider's key for a token with this header. Raises `TokenRefused`."""
    if header.get("alg") not in ALGORITHMS:
        raise TokenRefused("signed by an algorithm that is not accepted")
    for must_refresh in (False, True):
        fitting = [
            entry for entry in _entries(jwks_uri, must_refresh=must_refresh) if _could_have_signed(entry, header)
        ]
        if len(fitting) == 1:
            return jwt.PyJWK(fitting[0], algorithm=header["alg"])
    raise TokenRefused("signed by an unknown key")


def _could_have_signed(entry: Any, header: dict[str, Any]) -> bool:
    """Whether the entry of a key set has the `kid` and algorithm of the header, as far as either names them
    (OpenID Connect Core 1.0, 10.1)."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return False
    if entry.get("alg", header["alg"]) != header["alg"]:
        return False
    return "kid" not in header or entry.get("kid") == header["kid"]


def _entries(jwks_uri: str, *, must_refresh: bool) -> list[Any]:
    entries = _cached(jwks_uri, must_refresh=must_refresh).get("keys")
    return entries if isinstance(entries, list) else []


def _cached(url: str, *, must_refresh: bool = False) -> dict[str, Any]:
    """The JSON at `url`, fetched again when it is old, or when asked to and not just fetched; an old one for a while
    when the provider can't be reached. Raises `ProviderUnavailable`."""
    now = time.time()
    kept: tuple[float, dict[str, Any]] | None = cache.get(f"oidc:{url}")
    if kept is not None and now - kept[0] < (REFRESH_SECONDS if must_refresh else FRESH_SECONDS):
        return kept[1]
    try:
        fetched = outgoing.get_json(url)
    except ProviderUnavailable:
        if kept is None:
            raise
        return kept[1]
    cache.set(f"oidc:{url}", (now, fetched), STALE_SECONDS)
    return fetched
