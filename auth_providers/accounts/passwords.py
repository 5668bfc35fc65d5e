"""Passwords: what a good one is, and how it is stored."""

import unicodedata
from collections.abc import Callable
from functools import lru_cache

from argon2.exceptions import InvalidHashError
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

from auth_providers.accounts import hashing
from auth_providers.accounts.hashing import NOBODY, Asker
from tenants.errors import InvalidInput
from tenants.models import Tenant

MAX_LENGTH = 256  # characters, OWASP ASVS 5.0, 6.2.9 asks for at least 64
# No character is spelled by more than four; and putting very many accents in order takes the square of their number.
LONGEST_TYPED = 4 * MAX_LENGTH
# Shorter parts of a name are parts of many good passwords, too.
CONTEXT_MIN_LENGTH = 4


class Argon2idHasher(Argon2PasswordHasher):
    """argon2id at OWASP's figures: 19 MiB, two passes, one lane (ASVS 5.0, appendix C; about 30 ms).

    Django's own figures take 100 MiB and seven times as long, which a log-in page can't afford under attack.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def verify(self, password: str, encoded: str) -> bool:
        """A damaged hash, such as an import may bring, fits no password."""
        try:
            return bool(super().verify(password, encoded))
        except InvalidHashError:
            return False

    def must_update(self, encoded: str) -> bool:
        try:
            return bool(super().must_update(encoded))
        except InvalidHashError:
            return False


# Stands in for the hash of an account that does not exist: it takes the same work, and no password fits.
NOBODYS_PASSWORD = (
    f"argon2$argon2id$v=19$m={Argon2idHasher.memory_cost},t={Argon2idHasher.time_cost},p={Argon2idHasher.parallelism}"
    f"${'nobodys' * 4}nw${'nobody0' * 6}w"  # as long as Django's salts and hashes
)


# Fits no password: not a hash (`django.contrib.auth.hashers.is_password_usable`).
NO_PASSWORD = "!"  # noqa: S105


def is_foreign(password_hash: str) -> bool:
    """Whether this is a hash of another kind than `hash_password` makes, which takes another time to compare with."""
    ours = NOBODYS_PASSWORD.rpartition("$")[0].rpartition("$")[0]  # kind and costs
    return "$" in password_hash and not password_hash.startswith(f"{ours}$")


def hash_password(password: str, *, asker: Asker = NOBODY) -> str:
    """The password as it is stored: é is one character there, also when a keyboard sends e and an accent (NFC). Raises
    `hashing.Overloaded`."""
    composed = _composed(password)
    return hashing.queue.run(lambda: make_password(composed), asker)


def is_right(*, password: str, password_hash: str, store_again: Callable[[str], None], asker: Asker = NOBODY) -> bool:
    """Whether this is the password that was hashed, in NFC or, where that differs, as it was typed, because others
    hash what they get. `store_again` is called with the password when the hash should be replaced. Raises
    `hashing.Overloaded`.

    Where the two forms differ both are compared, whatever the first one says: the time tells nothing.
    """
    composed = _composed(password)
    outdated: list[str] = []  # stored again outside of the queue, which has no use for a connection to the database

    def compare() -> bool:
        is_composed_right = check_password(composed, password_hash, setter=outdated.append)
        if composed == password:
            return is_composed_right
        is_typed_right = check_password(password, password_hash)
        if is_typed_right:
            outdated.append(password)
        return is_composed_right or is_typed_right

    found = hashing.queue.run(compare, asker)
    for each in outdated:
        store_again(each)
    return found


def check_new(*, tenant: Tenant, password: str, context: tuple[str, ...] = (), field: str = "password") -> None:
    """Raises `InvalidInput` on `field` unless the tenant's policy accepts the password (OWASP ASVS 5.0, 6.2).

    Characters are counted in NFC. `context` is what an attacker would try first: the e-mail address, the names.
    """
    password = _composed(password)
    if len(password) < tenant.password_min_length:
        raise InvalidInput.field(
            field, f"A password has at least {tenant.password_min_length} characters.", code="min_length"
        )
    if len(password) > MAX_LENGTH:
        raise InvalidInput.field(field, f"A password has at most {MAX_LENGTH} characters.", code="max_length")
    if not tenant.is_common_password_refused:
        return
    if _is_common(password):
        raise InvalidInput.field(field, "This password is too common.", code="too_common")
    if _is_contextual(password, (*context, tenant.code, tenant.name)):
        raise InvalidInput.field(field, "This password is too easy to guess for this account.", code="too_similar")


def _composed(password: str) -> str:
    """In NFC; what is too long for a password stays as it is."""
    return unicodedata.normalize("NFC", password) if len(password) <= LONGEST_TYPED else password


@lru_cache(maxsize=1)
def _common_passwords() -> CommonPasswordValidator:
    path = settings.REFUSED_PASSWORDS_FILE
    return CommonPasswordValidator(path) if path else CommonPasswordValidator()


def _is_common(password: str) -> bool:
    try:
        _common_passwords().validate(password)
    except ValidationError:
        return True
    return False


def _is_contextual(password: str, context: tuple[str, ...]) -> bool:
    """Whether the password is one of the words in `context` with little else around it."""
    lowered = password.lower()
    texts = [_composed(text) for text in context]
    words = {word.lower() for text in texts for word in (text, *text.split("@"), *text.split()) if word}
    return any(
        len(word) >= CONTEXT_MIN_LENGTH and word in lowered and len(lowered) - len(word) < CONTEXT_MIN_LENGTH
        for word in words
    )
