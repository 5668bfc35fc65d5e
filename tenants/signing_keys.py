"""The tenant's signing keys: which one signs, which ones are published, and how they are rotated.

A new key is published before it signs, so that caches of the key set have it in time; an old one stays published until
the last token it signed has expired (OpenID Connect Core 1.0, 10.1.1).
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TypeAlias, TypedDict, cast

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from tenants.errors import DomainError, Kind, Reason
from tenants.models import SigningKey, Tenant
from tenants.secrets.encryption import decrypt, encrypt

ALGORITHM = "ES256"
# How long others may keep the key set, and so how long a new key waits before it signs.
KEY_SET_MAX_AGE = timedelta(minutes=10)

# As long as others believe a revoked key (`auth_providers.tokens.jwts.PUBLIC_KEY_CACHE_SECONDS`).
CURRENT_CACHE_SECONDS = 30
KEYS_KEPT = 1024  # private ones, in memory

Jwk: TypeAlias = Mapping[str, str]  # RFC 7517, 4; every member of an elliptic curve key is text (RFC 7518, 6.2)


class KeySet(TypedDict):
    """A JSON Web Key Set (RFC 7517, 5)."""

    keys: list[Jwk]


class NoSigningKey(DomainError):
    """The tenant has no key that may sign now."""

    kind = Kind.UNAVAILABLE
    reason = Reason.NO_SIGNING_KEY
    default_message = "The service cannot issue tokens for this tenant right now."


def create(*, tenant: Tenant, signs_from: datetime | None = None) -> SigningKey:
    """Make a key pair that signs from the given moment on, by default at once."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    kid = secrets.token_urlsafe(16)
    public = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    key = SigningKey(
        tenant=tenant,
        kid=kid,
        public_jwk=public | {"kid": kid, "use": "sig", "alg": ALGORITHM},
        private_pem_encrypted=encrypt(pem),
        signs_from=signs_from or timezone.now(),
    )
    key.save(force_insert=True)
    return key


def current(*, tenant: Tenant) -> SigningKey:
    """The key that signs now, kept for `CURRENT_CACHE_SECONDS`: every log-in asks. Raises `NoSigningKey`."""
    name = _cache_name(tenant)
    key: SigningKey | None = cache.get(name)
    if key is None:
        key = _find_current(tenant)
        cache.set(name, key, CURRENT_CACHE_SECONDS)
    return key


def _cache_name(tenant: Tenant) -> str:
    """It depends on the encryption keys, so that after their rotation no key that an old one encrypted is read."""
    return f"signing-key:{tenant.code}:{_digest(tuple(settings.ENCRYPTION_KEYS))}"


@lru_cache(maxsize=KEYS_KEPT)
def _digest(encryption_keys: tuple[str, ...]) -> str:
    return hashlib.sha256("\n".join(encryption_keys).encode()).hexdigest()[:16]


def _find_current(tenant: Tenant) -> SigningKey:
    """Where all there are wait for their moment, because the clock was set back since, the first of them."""
    good = SigningKey.objects.for_tenant(tenant).filter(is_revoked=False)
    begun = good.filter(signs_from__lte=timezone.now()).order_by("-signs_from", "-pk")
    key = begun.first() or good.order_by("signs_from", "pk").first()
    if key is None:
        raise NoSigningKey
    return key


def private_key(key: SigningKey) -> ec.EllipticCurvePrivateKey:
    """The private half to sign with. Raises `CannotDecrypt`."""
    return _opened(key.private_pem_encrypted, tuple(settings.ENCRYPTION_KEYS))


@lru_cache(maxsize=KEYS_KEPT)
def _opened(private_pem_encrypted: str, encryption_keys: tuple[str, ...]) -> ec.EllipticCurvePrivateKey:
    """Kept, as decrypting and reading it costs twice what signing does; not longer than what opens it."""
    pem = decrypt(private_pem_encrypted).encode()
    return cast(ec.EllipticCurvePrivateKey, serialization.load_pem_private_key(pem, password=None))


def published(*, tenant: Tenant) -> list[SigningKey]:
    """Every key whose tokens may still be valid, and those that will sign soon; newest first."""
    keys = list(SigningKey.objects.for_tenant(tenant).filter(is_revoked=False).order_by("-signs_from", "-pk"))
    longest = timedelta(seconds=max(tenant.service_jwt_lifetime, tenant.customer_jwt_lifetime) + CURRENT_CACHE_SECONDS)
    newer = [None, *keys]
    return [
        key
        for key, successor in zip(keys, newer, strict=False)
        if successor is None or successor.signs_from + longest > timezone.now()
    ]


def key_set(*, tenant: Tenant) -> KeySet:
    """The tenant's JSON Web Key Set (RFC 7517, 5)."""
    return {"keys": [key.public_jwk for key in published(tenant=tenant)]}


def find_published(*, tenant: Tenant, kid: str) -> SigningKey | None:
    """The tenant's published key of this id; None also when only another tenant has it."""
    return next((key for key in published(tenant=tenant) if key.kid == kid), None)


@transaction.atomic
def rotate(*, tenant: Tenant) -> tuple[SigningKey, bool]:
    """Publish a new key that takes over after `KEY_SET_MAX_AGE`. Returns it and whether it is new: while one is
    waiting, that one is returned, so that running this twice rotates once."""
    Tenant.objects.select_for_update().get(pk=tenant.pk)
    now = timezone.now()
    waiting = SigningKey.objects.for_tenant(tenant).filter(signs_from__gt=now, is_revoked=False).first()
    if waiting is not None:
        return waiting, False
    return create(tenant=tenant, signs_from=now + KEY_SET_MAX_AGE), True


@transaction.atomic
def replace_compromised(*, tenant: Tenant) -> SigningKey:
    """Refuse every key there is from now on, with all tokens they signed, and sign with a new one at once."""
    SigningKey.objects.for_tenant(tenant).update(is_revoked=True)
    # Another process may sign with the old key from a cache of its own for a while; those tokens are refused.
    transaction.on_commit(lambda: cache.delete(_cache_name(tenant)))
    return create(tenant=tenant)
