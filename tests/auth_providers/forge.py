"""JWTs as an attacker, a clock that is wrong, or an older release would make them."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tenants import signing_keys
from tenants.models import SigningKey, Tenant

NOW = int(datetime.now(UTC).timestamp())


def claims_of(token: str) -> dict[str, Any]:
    """What a token says, unverified."""
    payload: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return payload


def header_of(token: str) -> dict[str, Any]:
    return jwt.get_unverified_header(token)


def resigned(token: str, key: SigningKey, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """The token with other claims (`...` leaves one out), properly signed with the key."""
    payload = {name: value for name, value in (claims_of(token) | claims).items() if value is not ...}
    return jwt.encode(
        payload, signing_keys.private_key(key), algorithm="ES256", headers={"kid": key.kid} | (header or {})
    )


def public_pem(tenant: Tenant) -> bytes:
    """What anybody can compute from the published key set."""
    return pem_of(signing_keys.private_key(signing_keys.current(tenant=tenant)).public_key())


def pem_of(key: Any) -> bytes:
    """A public key as everybody may have it."""
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


def part(value: Any) -> str:
    """One of the three parts of a JWT (RFC 7515, 2)."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unsigned(token: str, **header: Any) -> str:
    """The token's claims under another header, with nothing for a signature."""
    return f"{part(header_of(token) | header)}.{part(claims_of(token))}."


def signed_with_hmac(token: str, secret: bytes, algorithm: str = "HS256") -> str:
    """The token's claims, "signed" with a secret, which is what a public key is to a careless verifier."""
    signing_input = f"{part(header_of(token) | {'alg': algorithm})}.{part(claims_of(token))}"
    return f"{signing_input}.{part(hmac.digest(secret, signing_input.encode(), hashlib.sha256))}"
