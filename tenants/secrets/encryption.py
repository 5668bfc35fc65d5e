"""Secrets at rest: encrypted with keys that can be rotated.

`ENCRYPTION_KEYS` holds Fernet keys, newest first. To rotate: put a new key in front, restart, and run
`manage.py reencrypt`; then the old key can go.
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class CannotDecrypt(Exception):
    """None of the ENCRYPTION_KEYS decrypts this secret."""


@lru_cache(maxsize=1)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key.strip()) for key in keys])


def encrypt(plain: str) -> str:
    """Return `plain` encrypted with the newest key, in URL-safe base64."""
    return _fernet(tuple(settings.ENCRYPTION_KEYS)).encrypt(plain.encode()).decode()


def decrypt(secret: str) -> str:
    """Return what `encrypt` was given. Raises `CannotDecrypt` when no configured key fits."""
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).decrypt(secret.encode()).decode()
    except InvalidToken as error:
        raise CannotDecrypt("No key in ENCRYPTION_KEYS decrypts this secret. Was a key removed too early?") from error


def reencrypt(secret: str) -> str:
    """Return the same secret under the newest key. Raises `CannotDecrypt`."""
    try:
        return _fernet(tuple(settings.ENCRYPTION_KEYS)).rotate(secret.encode()).decode()
    except InvalidToken as error:
        raise CannotDecrypt("No key in ENCRYPTION_KEYS decrypts this secret. Was a key removed too early?") from error
