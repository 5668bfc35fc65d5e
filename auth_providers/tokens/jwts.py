"""JSON Web Tokens, where a contract asks for one: signed with the tenant's key, good only while their session lives.

ES256 alone is accepted and keys are looked up among the tenant's own by `kid`; no header of a token brings a key or
chooses an algorithm (RFC 8725, 3.1 and 3.10).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
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

# How long a revoked key may still be trusted by a process that has it in its cache.
PUBLIC_KEY_CACHE_SECONDS = 30
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

    def __init__(self, *, tenant_code: str, signing_key: str | None = None, verifying_key: Any = "", kid: str = ""):
        super().__init__(
            signing_keys.ALGORITHM,
            signing_key=signing_key,
            verifying_key=verifying_key,
            audience=tenant_code,
            issuer=issuer(tenant_code),
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
    backend = _TenantBackend(tenant_code=tenant.code, signing_key=signing_keys.private_pem(key), kid=key.kid)
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


def sign_statement(*, tenant: Tenant, media_type: str, claims: JsonObject) -> str:
    """A JWT that states something and opens nothing: its `typ` says so, and `verify` refuses it (RFC 8725, 3.11 and
    3.12). `claims` are beside `iss` and `iat`.

    Raises `signing_keys.NoSigningKey`.
    """
    key = signing_keys.current(tenant=tenant)
    payload = {**claims, "iss": issuer(tenant.code), "iat": int(timezone.now().timestamp())}
    header = {"kid": key.kid, "typ": media_type}
    return jwt.encode(payload, signing_keys.private_pem(key), algorithm=signing_keys.ALGORITHM, headers=header)


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
    kid, tenant_code, token_class = _unverified(token)
    backend = _TenantBackend(tenant_code=tenant_code, verifying_key=_public_key(tenant_code, kid))
    try:
        payload = token_class(backend=backend, token=token).payload
        return Claims(
            tenant_code=tenant_code,
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


def _unverified(token: str) -> tuple[str, str, type[_TenantToken]]:
    """Which key, tenant and class the token claims to be of; only to choose what it is checked against."""
    try:
        header = jwt.get_unverified_header(token)
        payload = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise JwtInvalid from error
    kid, tenant_code, kind = header.get("kid"), payload.get("tenant"), payload.get("token_type")
    for token_class in (ServiceToken, CustomerToken):
        if _is_kid(kid) and isinstance(tenant_code, str) and is_code(tenant_code) and kind == token_class.token_type:
            return str(kid), tenant_code, token_class
    raise JwtInvalid


def _is_kid(kid: object) -> bool:
    return isinstance(kid, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,43}", kid) is not None


def _public_key(tenant_code: str, kid: str) -> PublicKey:
    """The tenant's published key of this id, cached, ready for verifying. Raises `JwtInvalid`."""
    jwk = cache.get_or_set(
        f"public-jwk:{tenant_code}:{kid}",
        lambda: _find_public_jwk(tenant_code, kid),
        PUBLIC_KEY_CACHE_SECONDS,
    )
    if jwk is None:
        raise JwtInvalid
    return jwt.algorithms.ECAlgorithm.from_jwk(jwk)


def _find_public_jwk(tenant_code: str, kid: str) -> signing_keys.Jwk | None:
    tenant = Tenant.objects.filter(code=tenant_code, is_active=True).first()
    if tenant is None:
        return None
    with isolation.confined(tenant):
        key = signing_keys.find_published(tenant=tenant, kid=kid)
    public_jwk: signing_keys.Jwk | None = key.public_jwk if key else None
    return public_jwk
