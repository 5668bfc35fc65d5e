"""How much a log-in by a foreign hash may cost, and how long its stored form may be: the last that is taken, and the
first that is not."""

import base64
import hashlib

import pytest

from auth_providers.foreign_hashes.recognition import (
    FirebaseParameters,
    UnknownHash,
    recognize,
    recognize_digest,
    recognize_firebase,
)

BCRYPT = "./abcABC0123" + "x" * 41
TOO_LONG = "would take too long"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"$2b$16${BCRYPT}", "bcrypt"),
        (f"$wp$2y$16${BCRYPT}", "wordpress_bcrypt"),
        ("$argon2id$v=19$m=524288,t=8,p=64$c2FsdHNhbHQ$aGFzaGhhc2g", "argon2"),
        ("$argon2id$v=19$m=4096,t=1024,p=2048$c2FsdHNhbHQ$aGFzaGhhc2g", "argon2"),
        ("$5$rounds=5000000$salt$" + "a" * 43, "sha256_crypt"),
        ("$6$rounds=5000000$salt$" + "a" * 86, "sha512_crypt"),
        ("$5$salt$" + "a" * 43, "sha256_crypt"),
        ("$6$salt$" + "a" * 86, "sha512_crypt"),
        ("$pbkdf2$5000000$c2FsdA$aGFzaA", "foreign_pbkdf2_sha1"),
        ("$pbkdf2-sha256$5000000$c2FsdA$aGFzaA", "foreign_pbkdf2_sha256"),
        ("$pbkdf2-sha512$5000000$c2FsdA$aGFzaA", "foreign_pbkdf2_sha512"),
        ("$scrypt$ln=22,r=1,p=1$c2FsdA$aGFzaA", "foreign_scrypt"),
        ("$scrypt$ln=19,r=8,p=1$c2FsdA$aGFzaA", "foreign_scrypt"),
        ("$scrypt$ln=16,r=2,p=32$c2FsdA$aGFzaA", "foreign_scrypt"),
        ("$P$K" + "a" * 30, "wrapped"),  # four million
        (f"{'a' * 64}:{'0' * 32}:3_32_16_536870912", "magento_argon2id"),
    ],
)
def test_a_hash_that_costs_what_is_allowed_is_taken(text: str, kind: str) -> None:
    stored = recognize(text)
    assert stored.partition("$")[0] == kind
    if kind != "wrapped":
        assert stored.endswith(text.removeprefix("$wp"))


@pytest.mark.parametrize(
    "text",
    [
        f"$2b$17${BCRYPT}",
        f"$wp$2y$17${BCRYPT}",
        "$argon2id$v=19$m=524289,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        "$argon2id$v=19$m=524288,t=9,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        "$argon2id$v=19$m=4096,t=1025,p=1$c2FsdHNhbHQ$aGFzaGhhc2g",
        "$5$rounds=5000001$salt$" + "a" * 43,
        "$pbkdf2$5000001$c2FsdA$aGFzaA",
        "$pbkdf2-sha512$5000001$c2FsdA$aGFzaA",
        "$scrypt$ln=20,r=8,p=1$c2FsdA$aGFzaA",
        "$scrypt$ln=19,r=9,p=1$c2FsdA$aGFzaA",
        "$scrypt$ln=19,r=8,p=2$c2FsdA$aGFzaA",
        "$scrypt$ln=23,r=1,p=1$c2FsdA$aGFzaA",
        f"{'a' * 64}:{'0' * 32}:3_32_1_536870913",
        f"{'a' * 64}:{'0' * 32}:3_32_17_1048576",
    ],
)
def test_a_hash_that_costs_more_is_refused(text: str) -> None:
    with pytest.raises(UnknownHash, match=TOO_LONG):
        recognize(text)


def test_a_damaged_hash_of_wordpress_is_refused() -> None:
    with pytest.raises(UnknownHash, match="is damaged"):
        recognize(f"$wp$2y$10${BCRYPT[:-1]}")


@pytest.mark.parametrize("cost", ["4", "."])
def test_a_hash_of_phpass_of_too_few_rounds_is_damaged(cost: str) -> None:
    with pytest.raises(UnknownHash, match="is damaged"):
        recognize(f"$P${cost}{'a' * 30}")


# -- how long it is when it is stored --------------------------------------------------------------------------------
def argon2_hash(length: int) -> str:
    """Of so many characters as it is stored."""
    start = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$"
    return start + "a" * (length - len(f"argon2{start}"))


def test_a_stored_hash_has_255_characters_at_most() -> None:
    assert len(recognize(argon2_hash(255))) == 255
    with pytest.raises(UnknownHash, match="of no known kind"):
        recognize(argon2_hash(256))


def digest_stored(form: str, salt: str) -> str:
    return recognize_digest(hashlib.md5(salt.encode()).hexdigest(), form=form, salt=salt)


# As they are stored they are as long as 255 characters, or one to three fewer.
FORMS = ("md5(password)", "md5(password+salt)", "md5(sha1(password))", "md5(sha1(salt)+salt)")


def test_a_salt_may_be_as_long_as_the_stored_hash_has_room_for() -> None:
    lengths = set()
    for form in FORMS:
        room = (255 - len(digest_stored(form, ""))) // 4 * 3
        lengths.add(len(digest_stored(form, "s" * room)))
        with pytest.raises(UnknownHash, match="salt of the password's hash is too long"):
            digest_stored(form, "s" * (room + 1))
    assert lengths == {252, 253, 254, 255}


@pytest.mark.parametrize(("form", "length"), [("md5(password)", 40), ("sha1(password)", 32), ("sha256(password)", 128)])
def test_a_digest_that_is_not_as_long_as_its_form_makes_them_is_refused(form: str, length: int) -> None:
    with pytest.raises(UnknownHash, match="is not as long as one by"):
        recognize_digest("a" * length, form=form, salt="")


def test_a_digest_that_is_neither_hexadecimal_nor_base64_is_refused() -> None:
    with pytest.raises(UnknownHash, match="neither hexadecimal nor base64"):
        recognize_digest("!" * 32, form="md5(password)", salt="")


# -- Firebase --------------------------------------------------------------------------------------------------------
def firebase(rounds: int, memory_cost: int, *, key: bytes = b"\x01\x02\x03") -> FirebaseParameters:
    return FirebaseParameters(
        signer_key=base64.b64encode(key).decode(), salt_separator="Bw==", rounds=rounds, memory_cost=memory_cost
    )


@pytest.mark.parametrize(("rounds", "memory_cost"), [(1, 16), (16, 1), (2, 15), (15, 2)])
def test_firebase_may_cost_up_to_16_of_both(rounds: int, memory_cost: int) -> None:
    stored = recognize_firebase("BAUG", salt="c2FsdA==", parameters=firebase(rounds, memory_cost))
    # The salt with the separator after it, and the bytes 4, 5, 6 of the hash by 1, 2, 3 of the key.
    assert stored == f"firebase_scrypt${memory_cost}${rounds}$c2FsdAc=$BQcF"


@pytest.mark.parametrize(("rounds", "memory_cost"), [(0, 14), (17, 14), (8, 0), (8, 17)])
def test_firebase_may_not_cost_more_or_nothing(rounds: int, memory_cost: int) -> None:
    with pytest.raises(UnknownHash, match="out of bounds"):
        recognize_firebase("BAUG", salt="c2FsdA==", parameters=firebase(rounds, memory_cost))


@pytest.mark.parametrize(("text", "key"), [("", b""), ("BAUG", b""), ("BAUG", b"\x01\x02"), ("BAU=", b"\x01\x02\x03")])
def test_firebases_hash_is_as_long_as_its_signer_key_and_not_empty(text: str, key: bytes) -> None:
    with pytest.raises(UnknownHash, match="is not as long as Firebase's signer key"):
        recognize_firebase(text, salt="c2FsdA==", parameters=firebase(8, 14, key=key))


@pytest.mark.parametrize(
    ("text", "salt", "parameters"),
    [
        ("BAU", "c2FsdA==", firebase(8, 14)),
        ("BAUG", "c2FsdA=", firebase(8, 14)),
        ("BAUG", "c2FsdA==", FirebaseParameters(signer_key="AQI", salt_separator="Bw==", rounds=8, memory_cost=14)),
        ("BAUG", "c2FsdA==", FirebaseParameters(signer_key="AQID", salt_separator="Bw=", rounds=8, memory_cost=14)),
    ],
)
def test_every_part_of_firebases_is_base64(text: str, salt: str, parameters: FirebaseParameters) -> None:
    with pytest.raises(UnknownHash, match="are base64"):
        recognize_firebase(text, salt=salt, parameters=parameters)
