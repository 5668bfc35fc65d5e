"""Hashes that are kept as they came: what they tell Django, and what of a salt and a password counts."""

import base64
import hashlib

import pytest
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from auth_providers.foreign_hashes import strong
from auth_providers.foreign_hashes.strong import FirebaseScryptHasher, ForeignHasher, MagentoArgon2Hasher

HASHERS = [each for each in vars(strong).values() if isinstance(each, type) and issubclass(each, ForeignHasher)]
KINDS = [each for each in HASHERS if each is not ForeignHasher]


def test_there_are_kinds() -> None:
    assert len(KINDS) >= 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_foreign_kind_hashes_no_password(kind: type[ForeignHasher]) -> None:
    with pytest.raises(NotImplementedError, match=f"{kind.algorithm} is only for reading"):
        kind().encode("secret", "salt")


def test_a_kind_has_to_say_how_it_compares() -> None:
    with pytest.raises(NotImplementedError):
        ForeignHasher().matches("secret", "stored")


@pytest.mark.parametrize("kind", KINDS)
def test_a_foreign_hash_is_replaced_at_the_next_log_in_and_tells_no_salt(kind: type[ForeignHasher]) -> None:
    stored = f"{kind.algorithm}$anything"
    assert kind().must_update(stored) is True
    assert kind().decode(stored) == {"algorithm": kind.algorithm, "salt": ""}


def magento_hash(password: str, salt: bytes, *, passes: int, size: int) -> str:
    raw = hash_secret_raw(
        password.encode(), salt, time_cost=passes, memory_cost=16, parallelism=1, hash_len=size, type=Type.ID
    )
    return raw.hex()


def test_magentos_argon2_takes_the_first_16_characters_of_the_salt() -> None:
    digest = magento_hash("secret", b"0123456789abcdef", passes=2, size=24)
    hasher = MagentoArgon2Hasher()
    for salt in ("0123456789abcdef", "0123456789abcdefX", "0123456789abcdefYZ"):
        assert hasher.verify("secret", f"magento_argon2id${digest}:{salt}:3_24_2_16384")
    assert not hasher.verify("secret", f"magento_argon2id${digest}:0123456789abcdeX:3_24_2_16384")
    assert not hasher.verify("secret", f"magento_argon2id${digest}:0123456789abcdef:3_24_1_16384")
    assert not hasher.verify("secret", f"magento_argon2id${digest}:0123456789abcdef:3_24_2_17408")
    assert not hasher.verify("secret", f"magento_argon2id${digest}:0123456789abcdef:3_25_2_16384")


@pytest.mark.parametrize(("memory_cost", "rounds"), [(4, 1), (5, 2), (1, 16)])
def test_firebases_key_stream_is_what_its_key_encrypts_nothing_to(memory_cost: int, rounds: int) -> None:
    key = hashlib.scrypt(b"secret", salt=b"salt", n=2**memory_cost, r=rounds, p=1, dklen=32)
    stream = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor().update(bytes(64))
    stored = f"firebase_scrypt${memory_cost}${rounds}$c2FsdA==${base64.b64encode(stream).decode()}"
    assert FirebaseScryptHasher().verify("secret", stored)
    assert not FirebaseScryptHasher().verify("Secret", stored)
    assert not FirebaseScryptHasher().verify("secret", stored.replace("c2FsdA==", "c2F0dA==", 1))
