"""Stored secrets can be read after a rotation of the keys; a missing key is reported."""

import pytest
from cryptography.fernet import Fernet
from pytest_django import Settings

from tenants.secrets.encryption import CannotDecrypt, decrypt, encrypt, reencrypt

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@pytest.mark.parametrize("plain", ["", "secret", "Schlüssel 🔑", "x" * 100_000])
def test_decrypt_returns_what_was_encrypted(plain: str) -> None:
    assert decrypt(encrypt(plain)) == plain


def test_encrypt_hides_and_never_repeats_itself() -> None:
    first, second = encrypt("secret"), encrypt("secret")
    assert first != second
    assert "secret" not in first


def test_decrypt_during_a_rotation(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    secret = encrypt("secret")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert decrypt(secret) == "secret"


def test_encrypt_uses_the_newest_key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    secret = encrypt("secret")
    settings.ENCRYPTION_KEYS = [NEW]
    assert decrypt(secret) == "secret"


def test_reencrypt_frees_the_old_key(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    secret = encrypt("secret")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    moved = reencrypt(secret)
    settings.ENCRYPTION_KEYS = [NEW]
    assert decrypt(moved) == "secret"


def test_decrypt_after_a_key_was_removed_too_early(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    secret = encrypt("secret")
    settings.ENCRYPTION_KEYS = [NEW]
    for read in (decrypt, reencrypt):
        with pytest.raises(CannotDecrypt, match="ENCRYPTION_KEYS"):
            read(secret)


@pytest.mark.parametrize("change", [lambda secret: secret[:-4] + "AAA=", lambda _: "nonsense", lambda _: ""])
def test_decrypt_what_was_tampered_with(change: object) -> None:
    assert callable(change)
    with pytest.raises(CannotDecrypt):
        decrypt(change(encrypt("secret")))
