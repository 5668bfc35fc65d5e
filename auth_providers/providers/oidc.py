"""OpenID Connect as a relying party: what makes a token believable, and what it says about whom.

The algorithm comes from the key and a list of ours, never from the token alone; unsigned tokens are refused, and so are
signatures by a shared secret, but for LINE, which signs so for websites (RFC 8725, 3.1; OpenID Connect Core 1.0,
3.1.3.7).
"""

import base64
import hashlib
import hmac
import logging
import math
from dataclasses import dataclass, field
from typing import Any

import jwt

from auth_providers.models import AuthProvider
from auth_providers.outbound import http_client
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import discovery
from customers.profiles import normalize_email
from tenants.encryption import decrypt

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
SHARED_SECRET = "HS256"  # noqa: S105
SHORTEST_SHARED_SECRET = 32  # bytes, RFC 7518, 3.2
LEEWAY = 30  # seconds between two clocks


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


@dataclass(frozen=True, kw_only=True)
class _Key:
    material: Any
    algorithm: str


def test(provider: AuthProvider) -> int:
    """Fetch what the provider publishes. Returns how many of its keys we can use.

    Raises `ProviderUnavailable` with what is wrong.
    """
    entries = discovery.probe(provider)
    usable = [entry for entry in entries if isinstance(entry, dict) and entry.get("alg", "RS256") in ALGORITHMS]
    if not usable:
        raise ProviderUnavailable("It has no key of an algorithm that is accepted.")
    return len(usable)


def client_secret(provider: AuthProvider) -> str:
    """Ours, there; "" for a client without one."""
    return decrypt(provider.client_secret_encrypted) if provider.client_secret_encrypted else ""


def client_ids(provider: AuthProvider) -> list[str]:
    """Ours, there: the one that calls, and those of the same shop's apps (`settings["other_client_ids"]`)."""
    return [provider.client_id, *provider.settings.get("other_client_ids", [])]


def verify(token: str, provider: AuthProvider, *, nonce: str = "") -> dict[str, Any]:
    """The claims of a token that the provider signed for us. Raises `TokenRefused` and `ProviderUnavailable`."""
    issuers = discovery.published(provider).issuers
    try:
        key = _key(provider, jwt.get_unverified_header(token))
        claims: dict[str, Any] = jwt.decode(
            token,
            key.material,
            algorithms=[key.algorithm],
            audience=client_ids(provider),
            issuer=issuers,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "iss", "aud"]},
        )
    except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
        raise TokenRefused(str(error)) from error
    _check_parties(claims, provider)
    if nonce and not _is_same(claims.get("nonce"), nonce):
        raise TokenRefused("another nonce")
    return claims


def verify_id_token(token: str, provider: AuthProvider, *, nonce: str = "", access_token: str = "") -> dict[str, Any]:
    """The claims of an id token for us. `access_token` is what came with it.

    Raises `TokenRefused` and `ProviderUnavailable`.
    """
    claims = verify(token, provider, nonce=nonce)
    header = jwt.get_unverified_header(token)
    # An access token for us, or a notice that someone logged out, is signed by the same key (RFC 8725, 3.11).
    if str(header.get("typ", "JWT")).lower() != "jwt" or "events" in claims:
        raise TokenRefused("not an id token")
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
        raise TokenRefused("for several audiences and nobody in particular")
    if access_token and "at_hash" in claims and not _is_same(claims["at_hash"], _left_half(access_token, header)):
        raise TokenRefused("came with another access token")
    return claims


def introspect(token: str, provider: AuthProvider, *, now: float) -> dict[str, Any]:
    """What the provider says about an access token when it is asked (RFC 7662).

    Raises `TokenRefused` and `ProviderUnavailable`.
    """
    credentials = (provider.client_id, client_secret(provider))
    try:
        said = http_client.post_form(
            discovery.endpoint(provider, provider.introspection_url), {"token": token}, credentials=credentials
        )
    except http_client.ProviderRefused as error:
        raise refuses_us(provider, error) from error
    check_introspected(said, provider, now=now)
    return said


def refuses_us(provider: AuthProvider, error: http_client.ProviderRefused) -> ProviderUnavailable:
    """What to raise where the provider refuses our own credentials: the customer has done nothing wrong, so the
    operator is told instead."""
    logger.error("Provider %s of tenant %s refuses our credentials: %s", provider, provider.tenant_id, error)
    return ProviderUnavailable("The identity provider refuses our credentials.", retry_after=http_client.RETRY_AFTER)


def check_introspected(said: dict[str, Any], provider: AuthProvider, *, now: float) -> None:
    """Check what an issuer answered about an access token (RFC 7662, 2.2). Raises `TokenRefused`."""
    if said.get("active") is not True:
        raise TokenRefused("not active")
    if str(said.get("iss", provider.issuer)).rstrip("/") != provider.issuer.rstrip("/"):
        raise TokenRefused("another issuer")
    if said.get("exp") is not None and seconds(said["exp"]) + LEEWAY < now:
        raise TokenRefused("expired")
    audience = said.get("aud", provider.client_id)
    if provider.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise TokenRefused("another audience")
    party = said.get("azp", said.get("client_id"))
    _check_parties(said | ({"azp": party} if party is not None else {}), provider)


def seconds(value: object) -> float:
    """A number of seconds that some providers send as text. Raises `TokenRefused` for anything else."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise TokenRefused("a time that is none")
    return number


def identity_of(claims: dict[str, Any]) -> Identity:
    """The identity that claims describe. Raises `TokenRefused` for claims that name nobody."""
    subject, issuer = claims.get("sub"), claims.get("iss")
    if not isinstance(subject, str) or not isinstance(issuer, str) or not 0 < len(subject) <= 255:  # noqa: PLR2004
        raise TokenRefused("no subject")
    if "\0" in subject:  # no database keeps it
        raise TokenRefused("a subject that can't be stored")
    email = claims.get("email")
    return Identity(
        issuer=issuer,
        subject=subject,
        email=normalize_email(email) if isinstance(email, str) and "\0" not in email else "",
        is_email_verified=claims.get("email_verified") is True,
        claims=claims,
    )


def _check_parties(claims: dict[str, Any], provider: AuthProvider) -> None:
    """`azp`, in an access token perhaps `client_id` (RFC 9068, 2.2), names the party that a token was issued to: us, or
    for token exchange one of those that are accepted."""
    party = claims.get("azp")
    if provider.kind == AuthProvider.Kind.JWT:
        party = claims.get("azp", claims.get("client_id"))
        is_accepted = not provider.authorized_parties or party in provider.authorized_parties
    else:
        is_accepted = party is None or party in client_ids(provider)
    if not is_accepted:
        raise TokenRefused("issued to another party")


def _is_same(said: object, wanted: str) -> bool:
    return isinstance(said, str) and hmac.compare_digest(said.encode(), wanted.encode())


def _left_half(access_token: str, header: dict[str, Any]) -> str:
    """What `at_hash` has to be (OpenID Connect Core 1.0, 3.1.3.6)."""
    if header["alg"] == "EdDSA":  # hashes with SHA-512 itself (RFC 8032, 5.1)
        digest = hashlib.sha512(access_token.encode()).digest()
    else:
        digest = jwt.get_algorithm_by_name(header["alg"]).compute_hash_digest(access_token.encode())
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _key(provider: AuthProvider, header: dict[str, Any]) -> _Key:
    """The provider's key for a token with this header. Raises `TokenRefused`."""
    algorithm = header.get("alg")
    if algorithm == SHARED_SECRET and provider.kind == AuthProvider.Kind.LINE:
        return _shared_secret(provider)
    if algorithm not in ALGORITHMS:
        raise TokenRefused("signed by an algorithm that is not accepted")
    for must_refresh in (False, True):
        entries = discovery.keys(provider, must_refresh=must_refresh)
        fitting = [entry for entry in entries if _could_have_signed(entry, header)]
        if len(fitting) == 1:
            return _Key(material=jwt.PyJWK(fitting[0], algorithm=algorithm).key, algorithm=algorithm)
    raise TokenRefused("signed by an unknown key")


def _shared_secret(provider: AuthProvider) -> _Key:
    secret = client_secret(provider)
    if len(secret) < SHORTEST_SHARED_SECRET:
        raise TokenRefused("signed by a secret that anybody could guess")
    return _Key(material=secret, algorithm=SHARED_SECRET)


def _could_have_signed(entry: Any, header: dict[str, Any]) -> bool:
    """Whether the entry of a key set has the `kid` and algorithm of the header, as far as either names them
    (OpenID Connect Core 1.0, 10.1)."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return False
    if entry.get("alg", header["alg"]) != header["alg"]:
        return False
    return "kid" not in header or entry.get("kid") == header["kid"]
