"""Forged JWTs: what attackers make of a good one."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tenants import signing_keys
from tenants.models import Tenant


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and payload, unverified."""
    return jwt.get_unverified_header(token), jwt.decode(token, options={"verify_signature": False})


def tampered(token: str, **claims: Any) -> str:
    """Other claims under the old signature."""
    header, payload = parts_of(token)
    return f"{_unsigned(header, payload | claims)}.{token.split('.')[2]}"


def unsigned(token: str, algorithm: str = "none") -> str:
    """The same claims without a signature (RFC 8725, 2.1)."""
    header, payload = parts_of(token)
    return f"{_unsigned(header | {'alg': algorithm}, payload)}."


def signed_with_public_key(token: str, tenant: Tenant) -> str:
    """HS256 with the published key as the secret (RFC 8725, 2.1)."""
    header, payload = parts_of(token)
    text = _unsigned(header | {"alg": "HS256"}, payload)
    public: Any = jwt.algorithms.ECAlgorithm.from_jwk(signing_keys.current(tenant=tenant).public_jwk)
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"{text}.{_base64(hmac.digest(pem, text.encode(), hashlib.sha256))}"


def signed_by(tenant: Tenant, token: str, **claims: Any) -> str:
    """The claims of `token`, signed by the key of `tenant` under the key id of `token`."""
    header, payload = parts_of(token)
    key = signing_keys.private_key(signing_keys.current(tenant=tenant))
    return jwt.encode(payload | claims, key, algorithm="ES256", headers={"kid": header["kid"]})


def bringing_its_own_key(token: str) -> str:
    """Signed with a fresh key that the header brings along (RFC 8725, 3.10)."""
    header, payload = parts_of(token)
    key = ec.generate_private_key(ec.SECP256R1())
    own = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return jwt.encode(payload, key, algorithm="ES256", headers={"kid": header["kid"], "jwk": own})


def _unsigned(header: dict[str, Any], payload: dict[str, Any]) -> str:
    return ".".join(_base64(json.dumps(part).encode()) for part in (header, payload))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
