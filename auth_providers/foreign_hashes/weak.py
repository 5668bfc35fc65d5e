"""Hashes that a stolen table would not protect: MD5 and SHA of a salt and a password, and phpass.

Each is hashed once more with argon2id when it is imported: `wrapped$<form>$<salt>$<argon2id hash>`, where the salt is
in URL-safe base64. A password is hashed as the other system did, and the result is compared with that.
"""

import base64
import hashlib
import re

from passlib import hash as schemes

from auth_providers.accounts.passwords import Argon2idHasher
from auth_providers.foreign_hashes.strong import ForeignHasher

PHPASS = "phpass"
# What a mapping may say, such as sha256(salt+password) or md5(md5(password)+salt); hexadecimal is what is nested.
FORM = re.compile(r"(md5|sha1|sha256|sha512)\(([a-z0-9+()]+)\)")
LONGEST_FORM = 64  # characters
PART = re.compile(r"((?:md5|sha1|sha256|sha512)\((?:[^()]|\([^()]*\))*\)|password|salt)(?:\+|$)")


class WrappedHasher(ForeignHasher):
    """Compares with a weak hash inside argon2id."""

    algorithm = "wrapped"

    def matches(self, password: str, stored: str) -> bool:
        form, salt, hardened = stored.split("$", 2)
        digest = weak_hash(form=form, salt=base64.urlsafe_b64decode(salt).decode(), password=password)
        return Argon2idHasher().verify(digest, hardened)


def wrap(*, form: str, salt: str, digest: str) -> str:
    """A weak hash as it is stored. `digest` is lower-case hexadecimal or, for phpass, the whole hash. Takes as long as
    hashing a password."""
    hasher = Argon2idHasher()
    hardened = hasher.encode(digest, hasher.salt())
    return f"{WrappedHasher.algorithm}${form}${base64.urlsafe_b64encode(salt.encode()).decode()}${hardened}"


def weak_hash(*, form: str, salt: str, password: str) -> str:
    """What the other system stored for this password. Raises `ValueError` for a form that is none.

    `salt` is the other system's or, for phpass, everything in front of the digest.
    """
    if form == PHPASS:
        return _phpass(salt, password)
    if len(form) > LONGEST_FORM:
        raise ValueError(f"{form} is too long")
    return _hashed(form, {"salt": salt.encode(), "password": password.encode()})


def is_form(text: str) -> bool:
    """Whether `weak_hash` knows the form."""
    try:
        weak_hash(form=text, salt="", password="")
    except ValueError:
        return False
    return True


def _hashed(form: str, values: dict[str, bytes]) -> str:
    outer = FORM.fullmatch(form)
    if outer is None:
        raise ValueError(f"{form} is no form of a hash")
    digest, inside = outer.groups()
    parts = PART.findall(inside)
    if "+".join(parts) != inside:
        raise ValueError(f"{form} is no form of a hash")
    joined = b"".join(values[part] if part in values else _hashed(part, values).encode() for part in parts)
    return hashlib.new(digest, joined, usedforsecurity=False).hexdigest()


def _phpass(settings: str, password: str) -> str:
    """`settings` is the mark, the cost and the salt: `$P$B` and eight characters."""
    known = schemes.phpass.from_string(settings)
    known.checksum = known._calc_checksum(password.encode())
    return str(known.to_string())
