"""Every kind of foreign hash: the right password fits it, others don't, and damaged or costly ones are refused."""

import base64
import hashlib
import hmac

import bcrypt
import pytest
from argon2 import PasswordHasher
from argon2.low_level import Type, hash_secret_raw
from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from passlib import hash as schemes

from auth_providers.foreign_hashes import weak
from auth_providers.foreign_hashes.recognition import (
    LONGEST,
    FirebaseParameters,
    UnknownHash,
    recognize,
    recognize_digest,
    recognize_firebase,
)

PASSWORD = "Grüße, 12 Ω"
LONG = "correct horse battery staple " * 4  # longer than what bcrypt takes

# The example that Firebase publishes with its scrypt.
FIREBASE = FirebaseParameters(
    signer_key="jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
    salt_separator="Bw==",
    rounds=8,
    memory_cost=14,
)
FIREBASE_SALT = "42xEC+ixf3L2lw=="
FIREBASE_HASH = "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="


def bcrypt_hash(secret: bytes) -> str:
    return bcrypt.hashpw(secret[:72], bcrypt.gensalt(4)).decode()


def wordpress_hash(password: str) -> str:
    digest = hmac.digest(b"wp-sha384", password.encode(), "sha384")
    return f"$wp$2y${bcrypt_hash(base64.b64encode(digest))[4:]}"


def magento_argon2_hash(password: str) -> str:
    salt = "0123456789abcdef0123456789abcdef"
    raw = hash_secret_raw(
        password.encode(), salt[:16].encode(), time_cost=2, memory_cost=1024, parallelism=1, hash_len=32, type=Type.ID
    )
    return f"{raw.hex()}:{salt}:3_32_2_1048576"


SELF_DESCRIBING = {
    "bcrypt of PHP": f"$2y${bcrypt_hash(PASSWORD.encode())[4:]}",
    "bcrypt": bcrypt_hash(PASSWORD.encode()),
    "WordPress 6.8": wordpress_hash(PASSWORD),
    "argon2id": PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD),
    "PBKDF2, SHA-1": schemes.pbkdf2_sha1.using(rounds=10).hash(PASSWORD),
    "PBKDF2, SHA-256": schemes.pbkdf2_sha256.using(rounds=10).hash(PASSWORD),
    "PBKDF2, SHA-512": schemes.pbkdf2_sha512.using(rounds=10).hash(PASSWORD),
    "scrypt": schemes.scrypt.using(rounds=4).hash(PASSWORD),
    "SHA-256 crypt": schemes.sha256_crypt.using(rounds=1000).hash(PASSWORD),
    "SHA-512 crypt": schemes.sha512_crypt.using(rounds=1000).hash(PASSWORD),
    "phpass": schemes.phpass.using(rounds=7).hash(PASSWORD),
    "phpass of phpBB": schemes.phpass.using(rounds=7, ident="$H$").hash(PASSWORD),
    "Magento, MD5": f"{hashlib.md5(b'xy' + PASSWORD.encode()).hexdigest()}:xy:0",
    "Magento, SHA-256": f"{hashlib.sha256(b'xy' + PASSWORD.encode()).hexdigest()}:xy:1",
    "Magento, upgraded": hashlib.sha256(b"xy" + hashlib.md5(b"xy" + PASSWORD.encode()).hexdigest().encode()).hexdigest()
    + ":xy:0:1",
    "Magento, argon2id": magento_argon2_hash(PASSWORD),
    "Django, PBKDF2": make_password(PASSWORD, hasher="pbkdf2_sha256"),
}


@pytest.mark.parametrize("kind", SELF_DESCRIBING)
def test_the_right_password_fits_and_no_other(kind: str) -> None:
    stored = recognize(f" {SELF_DESCRIBING[kind]}\n")
    assert len(stored) <= LONGEST
    assert check_password(PASSWORD, stored)
    assert not check_password(f"{PASSWORD}!", stored)
    assert not check_password("", stored)


@pytest.mark.parametrize("kind", SELF_DESCRIBING)
def test_the_first_right_log_in_asks_for_a_hash_of_our_own(kind: str) -> None:
    again: list[str] = []
    assert check_password(PASSWORD, recognize(SELF_DESCRIBING[kind]), setter=again.append)
    assert again == [PASSWORD]


def test_no_weak_hash_rests_as_it_came() -> None:
    for kind in ("phpass", "Magento, MD5", "Magento, SHA-256", "Magento, upgraded"):
        stored = recognize(SELF_DESCRIBING[kind])
        assert identify_hasher(stored).algorithm == "wrapped"
        digest = SELF_DESCRIBING[kind].split(":")[0][12:]
        assert digest not in stored


def test_bcrypt_takes_a_password_longer_than_its_72_bytes() -> None:
    stored = recognize(bcrypt_hash(LONG.encode()))
    assert check_password(LONG, stored)
    assert check_password(LONG + "more", stored), "the other system cut it, too"
    assert not check_password(LONG[:71], stored)
    long_in_wordpress = recognize(wordpress_hash(LONG.strip()))
    assert check_password(LONG, long_in_wordpress)
    assert not check_password(LONG.strip() + "more", long_in_wordpress), "there no byte is lost"


@pytest.mark.parametrize("digest", ["md5", "sha1", "sha256", "sha512"])
@pytest.mark.parametrize("order", ["password", "salt+password", "password+salt"])
@pytest.mark.parametrize("is_base64", [False, True])
def test_digests_whose_making_is_given(digest: str, order: str, is_base64: bool) -> None:
    joined = order.replace("salt", "s4lt").replace("+", "").replace("password", PASSWORD)
    raw = hashlib.new(digest, joined.encode()).digest()
    text = base64.b64encode(raw).decode() if is_base64 else raw.hex().upper()
    stored = recognize_digest(text, form=f"{digest}({order})", salt="s4lt")
    assert len(stored) <= LONGEST
    assert check_password(PASSWORD, stored)
    assert not check_password("other", stored)
    assert raw.hex() not in stored


def test_a_digest_of_a_digest() -> None:
    inner = hashlib.md5(PASSWORD.encode()).hexdigest()
    stored = recognize_digest(
        hashlib.md5(f"{inner}s4lt".encode()).hexdigest(), form="md5(md5(password)+salt)", salt="s4lt"
    )
    assert check_password(PASSWORD, stored)
    assert not check_password(inner, stored)


@pytest.mark.parametrize(
    "form",
    ["", "md5", "md5()", "md4(password)", "md5(pass)", "md5(salt+)", "md5(+salt)", "phpass", "md5(password", "x" * 99],
)
def test_what_is_no_form(form: str) -> None:
    assert not weak.is_form(form)


def test_firebase_needs_its_signer_key_at_the_import_only() -> None:
    stored = recognize_firebase(FIREBASE_HASH, salt=FIREBASE_SALT, parameters=FIREBASE)
    assert check_password("user1password", stored)
    assert not check_password("user2password", stored)
    assert FIREBASE.signer_key not in stored
    assert base64.b64decode(FIREBASE.signer_key).hex() not in stored
    assert len(stored) <= LONGEST


@pytest.mark.parametrize(
    ("text", "salt", "parameters"),
    [
        ("no base64!", FIREBASE_SALT, FIREBASE),
        (FIREBASE_HASH, "!", FIREBASE),
        (FIREBASE_HASH[:40], FIREBASE_SALT, FIREBASE),
        (FIREBASE_HASH, FIREBASE_SALT, FirebaseParameters(signer_key="", salt_separator="", rounds=8, memory_cost=14)),
        (
            FIREBASE_HASH,
            FIREBASE_SALT,
            FirebaseParameters(
                signer_key=FIREBASE.signer_key, salt_separator=FIREBASE.salt_separator, rounds=8, memory_cost=17
            ),
        ),
    ],
)
def test_firebase_hashes_that_are_refused(text: str, salt: str, parameters: FirebaseParameters) -> None:
    with pytest.raises(UnknownHash):
        recognize_firebase(text, salt=salt, parameters=parameters)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret in plain text",
        "5f4dcc3b5aa765d61d8327deb882cf99",  # a bare digest says not how it was made
        "!",
        "$2b$17$" + "a" * 53,
        "$2b$10$" + "a" * 52,
        "$wp$2b$10$" + "a" * 53,
        "$argon2id$v=19$m=99999999,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        "$6$rounds=5000001$salt$" + "a" * 86,
        "$pbkdf2-sha256$5000001$c2FsdA$aGFzaA",
        "$scrypt$ln=22,r=8,p=1$c2FsdA$aGFzaA",
        "$scrypt$ln=99999,r=1,p=1$c2FsdA$aGFzaA",
        "$P$" + "!" * 31,
        "$P$." + "a" * 30,  # one round
        "$P$L" + "a" * 30,  # eight million
        f"{'a' * 64}:{'0' * 32}:3_32_2_1073741824",
        "unknown$1$salt$hash",
        "pbkdf2_sha256$x",
        "bcrypt$" + "x" * 300,
    ],
)
def test_what_is_no_hash_or_costs_too_much_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(UnknownHash) as refused:
        recognize(text)
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize(
    "stored",
    [
        "bcrypt$damaged",
        "wordpress_bcrypt$",
        "foreign_pbkdf2_sha256$x",
        "foreign_scrypt$$scrypt$x",
        "sha512_crypt$$6$",
        "magento_argon2id$a:b",
        "firebase_scrypt$14$8$!$!",
        "wrapped$md5(password)$!!$x",
        "wrapped$nonsense",
        "wrapped$md5(password)$$argon2",
    ],
)
def test_a_damaged_row_fits_no_password(stored: str) -> None:
    assert not check_password("", stored)
    assert not check_password(PASSWORD, stored)
