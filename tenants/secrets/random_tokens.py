"""Random tokens: 256 bits from a cryptographically secure generator, stored as their SHA-256.

The tokens can't be computed from what is stored, so that a stolen database gives access to nothing.
"""

import hashlib
import secrets

TOKEN_BYTES = 32  # OWASP ASVS 5.0, 7.2.3 asks for 16 at least


def new_token() -> str:
    """A new token, to be shown once: 43 characters that need no quoting in a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> bytes:
    """What is stored of a token: 32 bytes. No salt is needed: the token itself is random (OWASP ASVS 5.0, 6.5.2)."""
    return hashlib.sha256(token.encode()).digest()
