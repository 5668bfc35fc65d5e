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
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import jwt

from auth_providers.outbound import http_client
from auth_providers.outbound.http_client import ProviderUnavailable
from auth_providers.providers import discovery
from auth_providers.providers.discovery import Issuer
from customers.spelling.emails import normalize_email

if TYPE_CHECKING:
    from jwt.algorithms import AllowedPublicKeys

logger = logging.getLogger(__name__)

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
SHARED_SECRET = "HS256"  # noqa: S105
SHORTEST_SHARED_SECRET = 32  # bytes, RFC 7518, 3.2
LEEWAY = 30  # seconds between two clocks

Claims = dict[str, object]


class TokenRefused(Exception):
    """The token does not prove what it should."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who someone is at a provider."""

    issuer: str
    subject: str
    email: str = ""
    is_email_verified: bool = False
    claims: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Key:
    material: "AllowedPublicKeys | str"
    algorithm: str


def test(issuer: Issuer) -> str:
    """Fetch what the issuer publishes, and ask it about a token where it is asked about tokens. Returns what to tell
    staff; raises `ProviderUnavailable` with what is wrong."""
    entries = discovery.probe(issuer)
    usable = [entry for entry in entries if isinstance(entry, dict) and entry.get("alg", "RS256") in ALGORITHMS]
    if not usable:
        raise ProviderUnavailable("It has no key of an algorithm that is accepted.")
    if issuer.provider.introspection_url:
        _test_introspection(issuer)
    return f"It answers, with {len(usable)} keys that we can use."


def _test_introspection(issuer: Issuer) -> None:
    """A token that it can't know shows whether it knows us."""
    try:
        introspect("no-token-of-yours", issuer, now=0)
    except TokenRefused:
        return
    raise ProviderUnavailable("It says of a token that it can't know that it is good.")


def verify(token: str, issuer: Issuer, *, nonce: str = "") -> Claims:
    """The claims of a token that the provider signed for us. Raises `TokenRefused` and `ProviderUnavailable`."""
    issuers = discovery.published(issuer).issuers
    try:
        key = _key(issuer, jwt.get_unverified_header(token))
        claims: Claims = jwt.decode(
            token,
            key.material,
            algorithms=[key.algorithm],
            audience=issuer.client_ids,
            issuer=issuers,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "sub", "iss", "aud"]},
        )
    except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
        raise TokenRefused(str(error)) from error
    _check_party(claims, issuer)
    if nonce and not _is_same(claims.get("nonce"), nonce):
        raise TokenRefused("another nonce")
    return claims


def verify_id_token(token: str, issuer: Issuer, *, nonce: str = "", access_token: str = "") -> Claims:
    """The claims of an id token for us. `access_token` is what came with it.

    Raises `TokenRefused` and `ProviderUnavailable`.
    """
    claims = verify(token, issuer, nonce=nonce)
    header = jwt.get_unverified_header(token)
    # An access token for us, or a notice that someone logged out, is signed by the same key (RFC 8725, 3.11).
    if str(header.get("typ", "JWT")).lower() != "jwt" or "events" in claims:
        raise TokenRefused("not an id token")
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
        raise TokenRefused("for several audiences and nobody in particular")
    if (
        access_token
        and "at_hash" in claims
        and not _is_same(claims["at_hash"], _left_half(access_token, header["alg"]))
    ):
        raise TokenRefused("came with another access token")
    return claims


def introspect(token: str, issuer: Issuer, *, now: float) -> Claims:
    """What the provider says about an access token when it is asked (RFC 7662).

    Raises `TokenRefused` and `ProviderUnavailable`.
    """
    url = issuer.endpoint(issuer.provider.introspection_url)
    credentials = (issuer.provider.client_id, issuer.client_secret)
    try:
        said = http_client.post_form(url, {"token": token}, credentials=credentials, system=issuer.name)
    except http_client.ProviderRefused as error:
        raise refuses_us(issuer, error) from error
    check_introspected(said, issuer, now=now)
    return said


def refuses_us(issuer: Issuer, error: http_client.ProviderRefused) -> ProviderUnavailable:
    """What to raise where the provider refuses our own credentials: the customer has done nothing wrong, so the
    operator is told instead."""
    provider = issuer.provider
    logger.error("Provider %s of tenant %s refuses our credentials: %s", provider, provider.tenant_id, error)
    return ProviderUnavailable("The identity provider refuses our credentials.", retry_after=http_client.RETRY_AFTER)


def check_introspected(said: Claims, issuer: Issuer, *, now: float) -> None:
    """Check what an issuer answered about an access token (RFC 7662, 2.2). Raises `TokenRefused`."""
    ours = issuer.provider
    if said.get("active") is not True:
        raise TokenRefused("not active")
    if str(said.get("iss", ours.issuer)).rstrip("/") != ours.issuer.rstrip("/"):
        raise TokenRefused("another issuer")
    if said.get("exp") is not None and seconds(said["exp"]) + LEEWAY < now:
        raise TokenRefused("expired")
    _check_audience(said, issuer)
    party = said.get("azp", said.get("client_id"))
    _check_party(said | ({"azp": party} if party is not None else {}), issuer)


def _check_audience(said: Claims, issuer: Issuer) -> None:
    """The token is for us. `aud` is optional in an answer (RFC 7662, 2.2); without it, only the party that the token
    was issued to shows that another application did not get it. Raises `TokenRefused`."""
    if "aud" not in said:
        if not issuer.owns_party_of(said):
            raise TokenRefused("for no audience and not issued to us")
        return
    audience = said["aud"]
    if issuer.provider.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise TokenRefused("another audience")


def seconds(value: object) -> float:
    """A number of seconds that some providers send as text. Raises `TokenRefused` for anything else."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise TokenRefused("a time that is none")
    return number


def identity_of(claims: Mapping[str, object]) -> Identity:
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


def _check_party(claims: Claims, issuer: Issuer) -> None:
    """The claims name the party that a token was issued to. Raises `TokenRefused` for one that may not bring it."""
    if not issuer.accepts_party_of(claims):
        raise TokenRefused("issued to another party")


def _is_same(said: object, wanted: str) -> bool:
    return isinstance(said, str) and hmac.compare_digest(said.encode(), wanted.encode())


def _left_half(access_token: str, algorithm: str) -> str:
    """What `at_hash` has to be (OpenID Connect Core 1.0, 3.1.3.6)."""
    if algorithm == "EdDSA":  # hashes with SHA-512 itself (RFC 8032, 5.1)
        digest = hashlib.sha512(access_token.encode()).digest()
    else:
        digest = jwt.get_algorithm_by_name(algorithm).compute_hash_digest(access_token.encode())
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _key(issuer: Issuer, header: Claims) -> _Key:
    """The provider's key for a token with this header. Raises `TokenRefused`."""
    algorithm = header.get("alg")
    if algorithm == SHARED_SECRET and issuer.is_signing_with_client_secret:
        return _shared_secret(issuer)
    if algorithm not in ALGORITHMS:
        raise TokenRefused("signed by an algorithm that is not accepted")
    for must_refresh in (False, True):
        entries = discovery.keys(issuer, must_refresh=must_refresh)
        fitting = [entry for entry in entries if isinstance(entry, dict) and _could_have_signed(entry, header)]
        if len(fitting) == 1:
            return _Key(material=jwt.PyJWK(fitting[0], algorithm=algorithm).key, algorithm=algorithm)
    raise TokenRefused("signed by an unknown key")


def _shared_secret(issuer: Issuer) -> _Key:
    secret = issuer.client_secret
    if len(secret) < SHORTEST_SHARED_SECRET:
        raise TokenRefused("signed by a secret that anybody could guess")
    return _Key(material=secret, algorithm=SHARED_SECRET)


def _could_have_signed(entry: Claims, header: Claims) -> bool:
    """Whether the entry of a key set has the `kid` and algorithm of the header, as far as either names them
    (OpenID Connect Core 1.0, 10.1)."""
    if entry.get("use", "sig") != "sig":
        return False
    if entry.get("alg", header["alg"]) != header["alg"]:
        return False
    return "kid" not in header or entry.get("kid") == header["kid"]
