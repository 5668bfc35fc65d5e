"""Passwords: what the tenant's policy accepts, and how they are stored."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from auth_providers.accounts import passwords
from auth_providers.accounts.passwords import NOBODYS_PASSWORD, Argon2idHasher
from tenants.errors import InvalidInput
from tenants.models import Tenant

ACME = Tenant(code="acme", name="Acme Tools")
CONTEXT = ("ada.lovelace@example.com", "Augusta", "Lovelace", "Analytical Engines")


def complaint(password: str, *, tenant: Tenant = ACME, context: tuple[str, ...] = CONTEXT) -> str:
    """The code of what the policy says against the password, "" when it has nothing."""
    try:
        passwords.check_new(tenant=tenant, password=password, context=context, field="secret")
    except InvalidInput as error:
        [detail] = error.details
        assert detail.field == "secret"
        return detail.code
    return ""


@pytest.mark.real_hashing
def test_hash_password_is_argon2id_at_the_figures_we_promise() -> None:
    assert re.match(r"argon2\$argon2id\$v=19\$m=19456,t=2,p=1\$", passwords.hash_password("correct horse battery"))


def test_hash_password_counts_every_character() -> None:
    password = "é" * passwords.MAX_LENGTH
    stored = passwords.hash_password(password)
    assert check_password(password, stored)
    assert not check_password(password[:-1], stored)


@pytest.mark.parametrize("length", [8, 15])
def test_check_new_asks_for_the_tenants_length(length: int) -> None:
    tenant = Tenant(code="acme", password_min_length=length)
    password = "vq7!Zx pLm2#Kd9 w"[:length]
    assert complaint(password, tenant=tenant) == ""
    assert complaint(password[:-1], tenant=tenant) == "min_length"


def test_check_new_accepts_up_to_256_characters() -> None:
    assert complaint("vq7!" * 64) == ""
    assert complaint("vq7!" * 64 + "x") == "max_length"


@pytest.mark.parametrize("password", ["password", "PASSWORD", "password123", "12345678", "qwertyuiop", "iloveyou"])
def test_check_new_refuses_common_ones(password: str) -> None:
    assert complaint(password) == "too_common"


@pytest.mark.parametrize(
    "password",
    [
        "ada.lovelace@example.com",
        "Ada.Lovelace1",
        "example.com12",
        "augusta1",
        "!Lovelace",
        "analytical engines",
        "Analytical",
        "acme tools",
        "1ACME Tools2",
    ],
)
def test_check_new_refuses_what_an_attacker_tries_first(password: str) -> None:
    assert complaint(password) == "too_similar"


@pytest.mark.parametrize(
    "password", ["lovelace invented it", "augusta loves tea", "        ", "пароль-из-слов", "correct horse battery"]
)
def test_check_new_asks_for_no_composition(password: str) -> None:
    assert complaint(password) == ""


def test_check_new_ignores_parts_too_short_to_tell() -> None:
    assert complaint("ann likes", context=("ann@b.example", "Ann", "", "X", "likes it")) == ""


def test_check_new_with_the_policy_off_still_holds_the_lengths() -> None:
    lax = Tenant(code="acme", is_common_password_refused=False)
    assert complaint("password123", tenant=lax) == ""
    assert complaint("Lovelace", tenant=lax) == ""
    assert complaint("short", tenant=lax) == "min_length"
    assert complaint("x" * 257, tenant=lax) == "max_length"


def test_check_new_counts_an_accented_letter_once() -> None:
    """However a keyboard sends it."""
    assert complaint("e\u0301" * 7) == complaint("é" * 7) == "min_length"
    assert complaint("e\u0301" * 8) == complaint("é" * 8) == ""
    assert complaint("e\u0301" * 256) == ""
    assert complaint("e\u0301" * 257) == "max_length"
    assert complaint("Zoe\u0308-Zoe\u03081", context=("Zoe\u0308-Zoe\u0308",)) == "too_similar"


def test_very_many_accents_cost_no_time() -> None:
    assert complaint("a" + "\u0301\u0323" * 500_000) == "max_length"


@given(st.text(min_size=8, max_size=256).filter(lambda text: len(set(text)) > 6))
def test_check_new_never_fails_otherwise(password: str) -> None:
    assert complaint(password) in ("", "too_common", "too_similar")


def test_check_new_reads_the_operators_list(settings: Settings, tmp_path: Path) -> None:
    path = tmp_path / "breached.txt"
    path.write_text("breached elsewhere\n")
    settings.REFUSED_PASSWORDS_FILE = str(path)
    passwords._common_passwords.cache_clear()
    try:
        assert complaint("Breached elsewhere") == "too_common"
        assert complaint("iloveyou") == ""
    finally:
        passwords._common_passwords.cache_clear()


@pytest.mark.parametrize("damaged", ["argon2$argon2id$v=19$m=8,t=1,p=1$!!", "argon2$argon2id$nonsense", "argon2$$$$$"])
def test_a_hash_that_is_damaged_fits_no_password_and_is_not_replaced(damaged: str) -> None:
    hasher = Argon2idHasher()
    assert (hasher.verify("correct horse battery", damaged), hasher.must_update(damaged)) == (False, False)


@pytest.mark.real_hashing
def test_a_hash_at_other_costs_is_replaced() -> None:
    hasher = Argon2idHasher()
    assert not hasher.must_update(NOBODYS_PASSWORD)
    assert hasher.must_update(NOBODYS_PASSWORD.replace("t=2", "t=3"))
