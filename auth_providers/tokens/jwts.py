"""JSON Web Tokens, where a contract asks for one: signed with the tenant's key, good only while their session lives.

ES256 alone is accepted and keys are looked up among the tenant's own by `kid`; no header of a token brings a key or
chooses an algorithm (RFC 8725, 3.1 and 3.10).
"""

import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from msgspec import MsgspecError, Struct
from msgspec.json import decode
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import ExpiredTokenError, TokenError
from rest_framework_simplejwt.tokens import Token

from auth_providers.models import Session
from tenants import isolation, signing_keys
from tenants.directory import is_code
from tenants.json_values import Json, JsonObject
from tenants.models import Tenant

# What PyJWT makes of an elliptic curve JWK.
PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey

Part = TypeVar("Part")

# How long a revoked key may still be trusted by a process that has it in its cache.
PUBLIC_KEY_CACHE_SECONDS = 30
BACKENDS_KEPT = 1024
# A storefront shows one token with every page, and checking an ECDSA signature costs as much as a statement.
VERIFIED_KEPT = 2048
NO_CLAIMS: JsonObject = MappingProxyType({})


class JwtInvalid(Exception):
    """Not a JWT of ours."""


class JwtExpired(Exception):
    """A JWT of ours whose time is over."""


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What a verified JWT says."""

    tenant_code: str
    session_id: UUID
    customer_number: str
    issued_at: datetime
    expires_at: datetime
    payload: JsonObject

    @property
    def is_service(self) -> bool:
        """Whether it is a `ServiceToken`."""
        return self.payload["token_type"] == ServiceToken.token_type


def issuer(tenant_code: str) -> str:
    """The `iss` of a tenant: its discovery document lies under it (OpenID Connect Discovery 1.0, 4)."""
    return f"{settings.PUBLIC_URL}/tenants/{tenant_code}"


class _TenantBackend(TokenBackend):
    """simplejwt's backend with one tenant's key, issuer and audience, and the `kid` in the header."""

    def __init__(
        self, *, tenant_code: str, issuer: str, signing_key: Any = None, verifying_key: Any = "", kid: str = ""
    ):
        super().__init__(
            signing_keys.ALGORITHM,
            signing_key=signing_key,
            verifying_key=verifying_key,
            audience=tenant_code,
            issuer=issuer,
        )
        self.kid = kid

    def encode(self, payload: dict[str, Json]) -> str:
        claims = payload | {"aud": self.audience, "iss": self.issuer}
        return jwt.encode(claims, self.prepared_signing_key, algorithm=self.algorithm, headers={"kid": self.kid})


class _TenantToken(Token):
    lifetime = timedelta(0)  # set for each token

    def __init__(self, *, backend: _TenantBackend, token: str | None = None) -> None:
        self.backend = backend
        super().__init__(token)  # type: ignore[arg-type] # simplejwt means the text

    def get_token_backend(self) -> TokenBackend:
        return self.backend


class ServiceToken(_TenantToken):
    """For the shop's other services: carts, orders. They check it offline with the published keys. Here it reads, and
    changes nothing (`bearer.Principal.is_read_only`)."""

    token_type = "service"  # noqa: S105


class CustomerToken(_TenantToken):
    """For storefronts that log a customer in with a JWT."""

    token_type = "customer"  # noqa: S105


TOKEN_CLASSES: dict[str, type[_TenantToken]] = {each.token_type: each for each in (ServiceToken, CustomerToken)}


def sign(
    *,
    tenant: Tenant,
    session: Session,
    customer_number: str,
    token_class: type[_TenantToken],
    claims: JsonObject = NO_CLAIMS,
) -> str:
    """A JWT of `token_class` for the customer of a session, as long as the tenant says and the session lives. It has
    `claims` beside those of every JWT of ours, which they can't replace.

    Raises `signing_keys.NoSigningKey`.
    """
    key = signing_keys.current(tenant=tenant)
    backend = _signing(tenant.code, issuer(tenant.code), key.kid, signing_keys.private_key(key))
    seconds = tenant.service_jwt_lifetime if token_class is ServiceToken else tenant.customer_jwt_lifetime
    token = token_class(backend=backend)
    token.payload |= {name: value for name, value in claims.items() if name not in token.payload}
    token.set_exp(from_time=token.current_time, lifetime=min(timedelta(seconds=seconds), _rest(session, token)))
    token["sub"] = customer_number
    token["sid"] = str(session.pk)
    token["tenant"] = tenant.code
    token["provider"] = session.method
    token["amr"] = authentication_methods(session)
    return str(token)


@lru_cache(maxsize=BACKENDS_KEPT)
def _signing(tenant_code: str, issued_by: str, kid: str, key: ec.EllipticCurvePrivateKey) -> _TenantBackend:
    return _TenantBackend(tenant_code=tenant_code, issuer=issued_by, signing_key=key, kid=kid)


def sign_statement(*, tenant: Tenant, media_type: str, claims: JsonObject) -> str:
    """A JWT that states something and opens nothing: its `typ` says so, and `verify` refuses it (RFC 8725, 3.11 and
    3.12). `claims` are beside `iss` and `iat`.

    Raises `signing_keys.NoSigningKey`.
    """
    key = signing_keys.current(tenant=tenant)
    payload = {**claims, "iss": issuer(tenant.code), "iat": int(timezone.now().timestamp())}
    header = {"kid": key.kid, "typ": media_type}
    return jwt.encode(payload, signing_keys.private_key(key), algorithm=signing_keys.ALGORITHM, headers=header)


# RFC 8176; what another provider asked for is its own to say.
AUTHENTICATION_METHODS = {"password": ["pwd"], "otp": ["otp"]}
SECOND_FACTORS = {
    "totp": ["otp", "mfa"],
    "recovery_code": ["otp", "mfa"],
    "email": ["otp", "mfa"],
    "sms": ["sms", "mfa"],
}


def authentication_methods(session: Session) -> list[str]:
    """`amr`: each method once, the first factor first."""
    first, second = AUTHENTICATION_METHODS.get(session.method, []), SECOND_FACTORS.get(session.second_factor, [])
    return list(dict.fromkeys([*first, *second]))


def _rest(session: Session, token: Token) -> timedelta:
    rest: timedelta = session.expires_at - token.current_time
    return rest


def verify(token: str) -> Claims:
    """Check signature, algorithm, issuer, audience, type and times. Raises `JwtInvalid` and `JwtExpired`.

    Whether the session behind it still lives is for `bearer` to say.
    """
    kid, tenant_code, token_type = _unverified(token)
    claims = _verified(_backend(tenant_code, kid), token_type, token)
    if claims.expires_at <= timezone.now():
        raise JwtExpired
    return claims


@lru_cache(maxsize=VERIFIED_KEPT)
def _verified(backend: _TenantBackend, token_type: str, token: str) -> Claims:
    """What the token says, which stays as it is as long as its key is trusted; only its time runs out. What is refused
    is not kept, so that nobody fills the memory with inventions."""
    try:
        payload = TOKEN_CLASSES[token_type](backend=backend, token=token).payload
        return Claims(
            tenant_code=str(backend.audience),
            session_id=UUID(payload["sid"]),
            customer_number=str(payload["sub"]),
            issued_at=datetime.fromtimestamp(payload["iat"], tz=UTC),
            expires_at=datetime.fromtimestamp(payload["exp"], tz=UTC),
            payload=payload,
        )
    except ExpiredTokenError as error:
        raise JwtExpired from error
    except (TokenError, KeyError, ValueError, TypeError, OverflowError, AttributeError) as error:
        raise JwtInvalid from error


class _Header(Struct):
    kid: str


class _Payload(Struct):
    tenant: str
    token_type: str


def _unverified(token: str) -> tuple[str, str, str]:
    """Which key, tenant and type the token claims to be of; only to choose what it is checked against, every part of
    it. Raises `JwtInvalid`."""
    parts = token.split(".")
    try:
        header, payload = _part(parts[0], _Header), _part(parts[1], _Payload)
    except (ValueError, IndexError, RecursionError, MsgspecError) as error:
        raise JwtInvalid from error
    if not _is_kid(header.kid) or not is_code(payload.tenant) or payload.token_type not in TOKEN_CLASSES:
        raise JwtInvalid
    return header.kid, payload.tenant, payload.token_type


def _part(text: str, kind: type[Part]) -> Part:
    return decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=kind)


def _is_kid(kid: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]{1,43}", kid) is not None


def _backend(tenant_code: str, kid: str) -> _TenantBackend:
    """What verifies with the tenant's published key of this id, which is cached. Raises `JwtInvalid`."""
    jwk = cache.get_or_set(
        f"public-jwk:{tenant_code}:{kid}",
        lambda: _find_public_jwk(tenant_code, kid),
        PUBLIC_KEY_CACHE_SECONDS,
    )
    if jwk is None:
        raise JwtInvalid
    return _verifying(tenant_code, issuer(tenant_code), tuple(jwk.items()))


@lru_cache(maxsize=BACKENDS_KEPT)
def _verifying(tenant_code: str, issued_by: str, jwk: tuple[tuple[str, str], ...]) -> _TenantBackend:
    """Of one key: making it out of its numbers costs as much as a signature."""
    key: PublicKey = jwt.algorithms.ECAlgorithm.from_jwk(dict(jwk))
    return _TenantBackend(tenant_code=tenant_code, issuer=issued_by, verifying_key=key)


def _find_public_jwk(tenant_code: str, kid: str) -> signing_keys.Jwk | None:
    tenant = Tenant.objects.filter(code=tenant_code, is_active=True).first()
    if tenant is None:
        return None
    with isolation.Confinement(tenant):
        key = signing_keys.find_published(tenant=tenant, kid=kid)
    public_jwk: signing_keys.Jwk | None = key.public_jwk if key else None
    return public_jwk
