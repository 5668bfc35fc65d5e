"""Hashes that resist guessing: they are stored and compared as they came."""

import base64
import hashlib
import hmac

import bcrypt
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.contrib.auth.hashers import BasePasswordHasher
from django.utils.crypto import constant_time_compare
from passlib import hash as schemes

# bcrypt takes no more of a password, and its library refuses a longer one.
BCRYPT_BYTES = 72
FIREBASE_KEY_BYTES = 32
WORDPRESS_PREFIX_KEY = b"wp-sha384"


class ForeignHasher(BasePasswordHasher):
    """Compares with one kind of hash, `<algorithm>$<the hash as it came>`; a new one is never made by it."""

    def encode(self, password: str, salt: str) -> str:
        raise NotImplementedError(f"{self.algorithm} is only for reading what an import brought")

    def matches(self, password: str, stored: str) -> bool:
        """Whether `stored`, without the algorithm's name, is the hash of this password. May raise `ValueError`."""
        raise NotImplementedError

    def verify(self, password: str, encoded: str) -> bool:
        """A damaged hash, and one that its library refuses, fits no password."""
        try:
            return self.matches(password, encoded.removeprefix(f"{self.algorithm}$"))
        except (ValueError, TypeError):
            return False

    def decode(self, encoded: str) -> dict[str, str | None]:
        return {"algorithm": self.algorithm, "salt": ""}

    def must_update(self, encoded: str) -> bool:
        return True

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Nothing to add: what a comparison costs is that of the kind."""


class BcryptHasher(ForeignHasher):
    """bcrypt as PHP, Ruby, Node and Java write it: `$2a$`, `$2b$`, `$2x$` and `$2y$`, the first 72 bytes only."""

    algorithm = "bcrypt"

    def matches(self, password: str, stored: str) -> bool:
        return _bcrypt_matches(password.encode(), stored)


class WordPressBcryptHasher(ForeignHasher):
    """WordPress 6.8 and later: bcrypt of the base64 of an HMAC-SHA-384, so that no byte of a long password is lost."""

    algorithm = "wordpress_bcrypt"

    def matches(self, password: str, stored: str) -> bool:
        digest = hmac.digest(WORDPRESS_PREFIX_KEY, password.strip(" \n\r\t\v\0").encode(), "sha384")
        return _bcrypt_matches(base64.b64encode(digest), stored)


class Pbkdf2Sha1Hasher(ForeignHasher):
    """`$pbkdf2$…`, as passlib writes it."""

    algorithm = "foreign_pbkdf2_sha1"

    def matches(self, password: str, stored: str) -> bool:
        return bool(schemes.pbkdf2_sha1.verify(password, stored))


class Pbkdf2Sha256Hasher(ForeignHasher):
    """`$pbkdf2-sha256$…`, as passlib writes it."""

    algorithm = "foreign_pbkdf2_sha256"

    def matches(self, password: str, stored: str) -> bool:
        return bool(schemes.pbkdf2_sha256.verify(password, stored))


class Pbkdf2Sha512Hasher(ForeignHasher):
    """`$pbkdf2-sha512$…`, as passlib writes it."""

    algorithm = "foreign_pbkdf2_sha512"

    def matches(self, password: str, stored: str) -> bool:
        return bool(schemes.pbkdf2_sha512.verify(password, stored))


class ScryptHasher(ForeignHasher):
    """`$scrypt$ln=…`, the form of the password hashing competition."""

    algorithm = "foreign_scrypt"

    def matches(self, password: str, stored: str) -> bool:
        return bool(schemes.scrypt.verify(password, stored))


class Sha256CryptHasher(ForeignHasher):
    """`$5$…` of crypt(3)."""

    algorithm = "sha256_crypt"

    def matches(self, password: str, stored: str) -> bool:
        return bool(schemes.sha256_crypt.verify(password, stored))


class Sha512CryptHasher(ForeignHasher):
    """`$6$…` of crypt(3)."""

    algorithm = "sha512_crypt"

    def matches(self, password: str, stored: str) -> bool:
        return bool(schemes.sha512_crypt.verify(password, stored))


class MagentoArgon2Hasher(ForeignHasher):
    """Magento 2.3 and later: the raw argon2id output in hexadecimal, the salt, and
    `3_<bytes>_<passes>_<memory in bytes>`, separated by colons."""

    algorithm = "magento_argon2id"

    def matches(self, password: str, stored: str) -> bool:
        digest, salt, version = stored.split(":")
        _, size, passes, memory = (int(part) for part in version.split("_"))
        raw = hash_secret_raw(
            password.encode(),
            salt.encode()[:16],
            time_cost=passes,
            memory_cost=memory // 1024,
            parallelism=1,
            hash_len=size,
            type=Type.ID,
        )
        return constant_time_compare(raw.hex(), digest)


class FirebaseScryptHasher(ForeignHasher):
    """Firebase's scrypt: `<memory cost>$<rounds>$<salt>$<key stream>`, the last two in base64.

    Firebase encrypts its signer key by AES in counter mode with the key that scrypt derives. What that encryption adds
    to the signer key is stored (`key_stream`), so that no log-in needs the signer key, and we keep none.
    """

    algorithm = "firebase_scrypt"

    def matches(self, password: str, stored: str) -> bool:
        memory_cost, rounds, salt, stream = stored.split("$")
        cost, block_size = 2 ** int(memory_cost), int(rounds)
        key = hashlib.scrypt(
            password.encode(),
            salt=base64.b64decode(salt, validate=True),
            n=cost,
            r=block_size,
            p=1,
            dklen=FIREBASE_KEY_BYTES,
            maxmem=128 * block_size * (cost + 3),  # what OpenSSL counts, to the byte
        )
        expected = base64.b64decode(stream, validate=True)
        cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
        return constant_time_compare(cipher.update(bytes(len(expected))), expected)


def _bcrypt_matches(password: bytes, stored: str) -> bool:
    return bcrypt.checkpw(password[:BCRYPT_BYTES], stored.encode())
