"""Keyed hashes: nobody without our SECRET_KEY can compute or check them (HMAC, RFC 2104, with SHA-256)."""

import hmac
from functools import lru_cache
from hashlib import sha256

from django.conf import settings

KEYS_KEPT = 64  # one for each purpose, and again after SECRET_KEY has changed


def keyed_hash(purpose: str, text: str) -> bytes:
    """32 bytes, the same for the same text, and others for each purpose: those of Django's `salted_hmac`, which derives
    the purpose's key anew each time and so takes five times as long."""
    return hmac.digest(_key(purpose, settings.SECRET_KEY), text.encode(), "sha256")


@lru_cache(maxsize=KEYS_KEPT)
def _key(purpose: str, secret: str) -> bytes:
    return sha256((purpose + secret).encode()).digest()
