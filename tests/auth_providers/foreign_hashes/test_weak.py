"""Weak hashes by themselves: what each form computes, which texts are forms, and how one rests inside argon2id."""

import hashlib
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from passlib.hash import phpass

from auth_providers.foreign_hashes import weak
from auth_providers.foreign_hashes.weak import WrappedHasher

SALT, PASSWORD = "s4lt ü", "Grüße, 12 Ω"
DIGESTS = ("md5", "sha1", "sha256", "sha512")


def hashed(digest: str, *parts: str) -> str:
    return hashlib.new(digest, "".join(parts).encode()).hexdigest()


@pytest.mark.parametrize(("outer", "inner"), [*product(DIGESTS, DIGESTS)])
def test_what_the_other_system_stored(outer: str, inner: str) -> None:
    for form, expected in {
        f"{outer}(password)": hashed(outer, PASSWORD),
        f"{outer}(salt+password)": hashed(outer, SALT, PASSWORD),
        f"{outer}(password+salt)": hashed(outer, PASSWORD, SALT),
        f"{outer}(salt+password+salt)": hashed(outer, SALT, PASSWORD, SALT),
        f"{outer}({inner}(password))": hashed(outer, hashed(inner, PASSWORD)),
        f"{outer}(salt+{inner}(password+salt))": hashed(outer, SALT, hashed(inner, PASSWORD, SALT)),
        f"{outer}({inner}(salt)+{inner}(password))": hashed(outer, hashed(inner, SALT), hashed(inner, PASSWORD)),
    }.items():
        assert weak.is_form(form)
        assert weak.weak_hash(form=form, salt=SALT, password=PASSWORD) == expected


@pytest.mark.parametrize(
    "form",
    [
        "sha384(password)",
        "MD5(password)",
        " md5(password)",
        "md5(password)+salt",
        "md5(salt++password)",
        "md5(salt password)",
        "md5(md5())",
        "md5(md5(pass))",
        "md5(password))",
        "md5(password+md5(salt)",
        "md5(pepper+password)",
    ],
)
def test_a_text_that_is_no_form_is_refused(form: str) -> None:
    assert not weak.is_form(form)
    with pytest.raises(ValueError, match="is no form of a hash"):
        weak.weak_hash(form=form, salt=SALT, password=PASSWORD)


@pytest.mark.parametrize(
    ("form", "is_form"),
    [
        ("sha1(password+password+password+password+password+password+salt)", True),
        ("md5(password+password+password+password+password+md5(salt)+salt)", True),
        ("sha1(password+password+password+password+password+sha1(salt+salt))", False),
        ("md5(password+password+password+password+password+sha1(salt)+salt)", False),
    ],
)
def test_a_form_has_64_characters_at_most(form: str, is_form: bool) -> None:
    assert (len(form) <= 64) is is_form
    assert weak.is_form(form) is is_form


@given(st.text(alphabet="md5sha1(+)saltpassword", max_size=20))
@example(weak.PHPASS)  # which needs the settings in front of its digest as its salt
def test_a_text_is_hashed_or_refused(form: str) -> None:
    if weak.is_form(form):
        assert len(weak.weak_hash(form=form, salt="", password="")) in {32, 40, 64, 128}
    else:
        wrong = "not a valid phpass hash" if form == weak.PHPASS else "is no form of a hash"
        with pytest.raises(ValueError, match=wrong):
            weak.weak_hash(form=form, salt="", password="")


# -- inside argon2id -------------------------------------------------------------------------------------------------
def test_a_wrapped_hash_keeps_its_form_and_salt_and_not_the_digest() -> None:
    digest = hashed("sha256", SALT, PASSWORD)
    stored = weak.wrap(form="sha256(salt+password)", salt=SALT, digest=digest)
    assert stored.startswith("wrapped$sha256(salt+password)$czRsdCDDvA==$argon2")
    assert digest not in stored
    assert stored != weak.wrap(form="sha256(salt+password)", salt=SALT, digest=digest), "each has a salt of its own"
    hasher = WrappedHasher()
    assert hasher.verify(PASSWORD, stored)
    assert not hasher.verify(PASSWORD + " ", stored)
    assert not hasher.verify(digest, stored)
    assert not hasher.verify(PASSWORD, stored.replace("sha256", "sha512", 1))
    assert not hasher.verify(PASSWORD, stored.replace("czRsdCDDvA==", "", 1))


@pytest.mark.parametrize(
    "stored", ["", "wrapped$", "wrapped$md5(password)$", "wrapped$md4(password)$$x", "wrapped$a$b$c"]
)
def test_a_wrapped_hash_that_is_damaged_fits_no_password(stored: str) -> None:
    assert not WrappedHasher().verify("", stored)


@pytest.mark.parametrize("mark", ["$P$", "$H$"])
def test_a_hash_of_phpass_is_computed_with_its_settings(mark: str) -> None:
    whole = phpass.using(rounds=7, ident=mark).hash(PASSWORD)
    assert weak.weak_hash(form=weak.PHPASS, salt=whole[:12], password=PASSWORD) == whole
    assert weak.weak_hash(form=weak.PHPASS, salt=whole[:12], password="other") != whole


def test_the_form_of_phpass_is_none_that_a_mapping_may_name() -> None:
    settings = phpass.using(rounds=7).hash(PASSWORD)[:12]
    assert weak.weak_hash(form="phpass", salt=settings, password="")
    assert not weak.is_form("phpass")
