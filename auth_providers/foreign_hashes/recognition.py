"""Which kind of hash a text is, and the form in which it is stored."""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.hashers import identify_hasher
from passlib import hash as schemes

from auth_providers.foreign_hashes import weak

LONGEST = 255  # characters of a hash as it is stored
PHPASS_SETTINGS = 12  # characters in front of the digest
HEXADECIMAL = re.compile(r"[0-9a-fA-F]{32,128}")
# More than this, and one log-in would hold a core for seconds, or memory that a server doesn't have.
BCRYPT_COST = 16
LONGEST_ROUNDS = 5_000_000
LARGEST_MEMORY = 512 * 1024  # KiB
FIREBASE_MEMORY_COST = 16

_BCRYPT = re.compile(r"\$2[abxy]?\$(\d\d)\$[./A-Za-z0-9]{53}")
_WORDPRESS = re.compile(r"\$wp(\$2y\$.+)")
_ARGON2 = re.compile(r"\$argon2(?:id|i|d)\$v=\d+\$m=(\d+),t=(\d+),p=(\d+)\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_CRYPT = re.compile(r"\$([56])\$(?:rounds=(\d+)\$)?[^$]{0,16}\$[./A-Za-z0-9]+")
_PBKDF2 = re.compile(r"\$(pbkdf2(?:-sha256|-sha512)?)\$(\d+)\$[./A-Za-z0-9]*\$[./A-Za-z0-9]+")
_SCRYPT = re.compile(r"\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$[A-Za-z0-9+/]*\$[A-Za-z0-9+/]+")
_PHPASS = re.compile(r"\$[PH]\$[./A-Za-z0-9]{31}")
_MAGENTO = re.compile(r"([0-9a-f]{32,64}):([^:]*):(0|1|0:1)")
_MAGENTO_ARGON2 = re.compile(r"[0-9a-f]{32,128}:[^:]{16,}:3_(\d+)_(\d+)_(\d+)")
_DJANGO = re.compile(r"[a-z0-9_]+\$.+")
_MAGENTO_FORMS = {
    "0": "md5(salt+password)",
    "1": "sha256(salt+password)",
    "0:1": "sha256(salt+md5(salt+password))",
}
_PBKDF2_NAMES = {
    "pbkdf2": "foreign_pbkdf2_sha1",
    "pbkdf2-sha256": "foreign_pbkdf2_sha256",
    "pbkdf2-sha512": "foreign_pbkdf2_sha512",
}


class UnknownHash(ValueError):
    """No hash that we could compare a password with; the text says what is wrong and never what the hash is."""


@dataclass(frozen=True, kw_only=True)
class FirebaseParameters:
    """What Firebase's console shows of a project's scrypt; `signer_key` and `salt_separator` are base64."""

    signer_key: str
    salt_separator: str
    rounds: int
    memory_cost: int


def recognize(text: str) -> str:
    """A hash that says itself what it is, as it is stored. Raises `UnknownHash`.

    bcrypt, WordPress' bcrypt, argon2, scrypt, PBKDF2, SHA-crypt, phpass, Magento's, and Django's own. Of phpass and
    Magento's older forms, which are weak, the argon2id hash is computed here.
    """
    text = text.strip()
    for pattern, read in _READERS:
        if match := pattern.fullmatch(text):
            stored = read(match)
            if len(stored) > LONGEST:
                break
            return stored
    raise UnknownHash("the password's hash is of no known kind")


def recognize_digest(text: str, *, form: str, salt: str) -> str:
    """A bare digest, in hexadecimal or base64, of which the caller knows how it was made (`weak.is_form`), as it is
    stored. Raises `UnknownHash`. Takes as long as hashing a password."""
    digest = _hexadecimal(text.strip())
    if len(weak.weak_hash(form=form, salt=salt, password="")) != len(digest):
        raise UnknownHash(f"the password's hash is not as long as one by {form}")
    stored = weak.wrap(form=form, salt=salt, digest=digest)
    if len(stored) > LONGEST:
        raise UnknownHash("the salt of the password's hash is too long")
    return stored


def recognize_firebase(text: str, *, salt: str, parameters: FirebaseParameters) -> str:
    """A hash of Firebase's, in base64, as it is stored. Raises `UnknownHash`."""
    try:
        encrypted, key = base64.b64decode(text, validate=True), base64.b64decode(parameters.signer_key, validate=True)
        salt_bytes = base64.b64decode(salt, validate=True) + base64.b64decode(parameters.salt_separator, validate=True)
    except binascii.Error as error:
        raise UnknownHash("Firebase's hash, salt, separator and signer key are base64") from error
    if len(encrypted) != len(key) or not key:
        raise UnknownHash("the password's hash is not as long as Firebase's signer key")
    if not (1 <= parameters.memory_cost <= FIREBASE_MEMORY_COST and 1 <= parameters.rounds <= 16):  # noqa: PLR2004
        raise UnknownHash("Firebase's rounds or memory cost are out of bounds")
    stream = bytes(left ^ right for left, right in zip(encrypted, key, strict=True))
    parts = (_base64(salt_bytes), _base64(stream))
    return f"firebase_scrypt${parameters.memory_cost}${parameters.rounds}${parts[0]}${parts[1]}"


def _hexadecimal(text: str) -> str:
    if HEXADECIMAL.fullmatch(text):
        return text.lower()
    try:
        return base64.b64decode(text, validate=True).hex()
    except binascii.Error as error:
        raise UnknownHash("the password's hash is neither hexadecimal nor base64") from error


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bounded(value: str, most: int) -> None:
    if int(value) > most:
        raise UnknownHash("comparing with the password's hash would take too long")


def _bcrypt(match: re.Match[str]) -> str:
    _bounded(match[1], BCRYPT_COST)
    return f"bcrypt${match[0]}"


def _wordpress(match: re.Match[str]) -> str:
    inner = _BCRYPT.fullmatch(match[1])
    if inner is None:
        raise UnknownHash("the password's hash is damaged")
    _bounded(inner[1], BCRYPT_COST)
    return f"wordpress_bcrypt${match[1]}"


def _argon2(match: re.Match[str]) -> str:
    _bounded(match[1], LARGEST_MEMORY)
    _bounded(str(int(match[1]) * int(match[2])), 8 * LARGEST_MEMORY)
    return f"argon2{match[0]}"


def _crypt(match: re.Match[str]) -> str:
    _bounded(match[2] or "0", LONGEST_ROUNDS)
    return f"{'sha256_crypt' if match[1] == '5' else 'sha512_crypt'}${match[0]}"


def _pbkdf2(match: re.Match[str]) -> str:
    _bounded(match[2], LONGEST_ROUNDS)
    return f"{_PBKDF2_NAMES[match[1]]}${match[0]}"


def _scrypt(match: re.Match[str]) -> str:
    _bounded(match[1], 24)
    _bounded(str(2 ** int(match[1]) * int(match[2]) * int(match[3]) // 8), LARGEST_MEMORY)
    return f"foreign_scrypt${match[0]}"


def _phpass(match: re.Match[str]) -> str:
    try:
        read = schemes.phpass.from_string(match[0])
    except ValueError as error:
        raise UnknownHash("the password's hash is damaged") from error
    _bounded(str(2**read.rounds), LONGEST_ROUNDS)
    return weak.wrap(form=weak.PHPASS, salt=match[0][:PHPASS_SETTINGS], digest=match[0])


def _magento(match: re.Match[str]) -> str:
    return recognize_digest(match[1], form=_MAGENTO_FORMS[match[3]], salt=match[2])


def _magento_argon2(match: re.Match[str]) -> str:
    _bounded(match[3], LARGEST_MEMORY * 1024)
    _bounded(match[2], 16)
    return f"magento_argon2id${match[0]}"


def _django(match: re.Match[str]) -> str:
    try:
        identify_hasher(match[0]).decode(match[0])
    except (ValueError, AssertionError, IndexError) as error:
        raise UnknownHash("the password's hash is of no known kind") from error
    return match[0]


_READERS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (_BCRYPT, _bcrypt),
    (_WORDPRESS, _wordpress),
    (_ARGON2, _argon2),
    (_CRYPT, _crypt),
    (_PBKDF2, _pbkdf2),
    (_SCRYPT, _scrypt),
    (_PHPASS, _phpass),
    (_MAGENTO, _magento),
    (_MAGENTO_ARGON2, _magento_argon2),
    (_DJANGO, _django),
]
