"""Codes of an authenticator app, around one moment, and recovery codes."""

import base64
import re
from datetime import UTC, datetime

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from tenants.secrets import authenticator_apps as apps

# RFC 6238, appendix B: the secret, and codes of SHA-1 at these moments, of which an app shows the last six digits.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The product's clock, in seconds since 1970: the test sets it."""
    seconds = [0]
    monkeypatch.setattr(timezone, "now", lambda: datetime.fromtimestamp(seconds[0], UTC))
    return seconds


@pytest.mark.parametrize(("seconds", "code"), VECTORS.items())
def test_the_codes_of_the_standard_are_accepted_at_their_moments(now: list[int], seconds: int, code: str) -> None:
    now[0] = seconds
    assert apps.step_of(secret=SECRET, code=code, after=0) == seconds // 30


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (1234567890 - 31, None),
        (1234567890 - 30, 41152263),  # a clock that is ahead
        (1234567890, 41152263),
        (1234567890 + 59, 41152263),  # one step for the network
        (1234567890 + 60, None),
    ],
)
def test_a_code_is_good_one_step_before_and_after_its_own(now: list[int], seconds: int, expected: int | None) -> None:
    now[0] = seconds
    assert apps.step_of(secret=SECRET, code="005924", after=0) == expected


def test_a_code_is_good_only_after_the_step_that_was_used(now: list[int]) -> None:
    now[0] = 59
    assert apps.step_of(secret=SECRET, code="287082", after=0) == 1
    assert apps.step_of(secret=SECRET, code="287082", after=1) is None
    assert apps.step_of(secret=SECRET, code="287082", after=2) is None


@pytest.mark.parametrize("code", ["287083", "2870820", "87082", "", "94287082"])
def test_another_code_is_wrong(now: list[int], code: str) -> None:
    now[0] = 59
    assert apps.step_of(secret=SECRET, code=code, after=0) is None


@pytest.mark.parametrize("typed", ["000000", "123456"])
def test_six_digits_are_a_code_of_the_app(typed: str) -> None:
    assert apps.is_code(typed) is True


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "12 456", "١٢٣٤٥٦", "²²²²²²", "-12345"])
def test_anything_else_is_none(typed: str) -> None:
    assert apps.is_code(typed) is False


def test_a_secret_has_160_bits_and_is_new_each_time() -> None:
    secrets = {apps.new_secret() for _ in range(20)}
    assert len(secrets) == 20
    assert {len(base64.b32decode(each)) for each in secrets} == {20}


def test_the_address_for_the_app_names_the_shop_and_the_person() -> None:
    assert apps.uri(issuer="Ada & Co: Shop", label="ada+1@example.com", secret=SECRET) == (
        "otpauth://totp/Ada%20%26%20Co%3A%20Shop:ada%2B1%40example.com?"
        f"secret={SECRET}&issuer=Ada%20%26%20Co%3A%20Shop&algorithm=SHA1&digits=6&period=30"
    )


def test_the_address_is_shown_as_an_image_of_its_own() -> None:
    one, other = (apps.qr_svg(f"otpauth://totp/{name}") for name in ("ada", "eve"))
    assert one.startswith("<?xml")
    assert "<path" in one
    assert [word for word in ("<script", "style=", "href=") if word in one] == []
    assert one == apps.qr_svg("otpauth://totp/ada") != other


# -- recovery codes --------------------------------------------------------------------------------------------------
def test_recovery_codes_are_ten_different_ones_in_two_groups() -> None:
    codes = apps.new_recovery_codes()
    assert len(set(codes)) == len(codes) == 10
    assert all(re.fullmatch(r"[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}", code) for code in codes)
    assert not set(codes) & set(apps.new_recovery_codes())


@pytest.mark.parametrize("typed", ["0a1b1-c2d3e", "0A1B1C2D3E", "oalbi c2d3e", "OALBI-C2D3E", " 0a1b1 - c2d3e "])
def test_a_recovery_code_is_known_however_it_is_typed(typed: str) -> None:
    assert apps.mac("7", typed) == apps.mac("7", "0a1b1-c2d3e")


@pytest.mark.parametrize(("owner", "code"), [("8", "0a1b1-c2d3e"), ("7", "0a1b1-c2d3f"), ("7", "0a1b1c2d3"), ("7", "")])
def test_another_owners_or_another_code_is_stored_as_another(owner: str, code: str) -> None:
    assert apps.mac(owner, code) != apps.mac("7", "0a1b1-c2d3e")


@given(st.text(st.characters(codec="utf-8")))
def test_every_text_can_be_typed_and_is_stored_as_32_bytes(code: str) -> None:
    assert len(apps.mac("7", code)) == 32


def test_a_code_is_known_by_the_key_of_today_and_by_older_ones(settings: Settings) -> None:
    today = apps.mac("7", "0a1b1-c2d3e")
    former = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [former, "oldest" * 10]
    macs = apps.macs("7", "0a1b1-c2d3e")
    assert [today in macs, macs[0], macs[1]] == [True, apps.mac("7", "0a1b1-c2d3e"), today]
    assert len(set(macs)) == 3
    assert today != macs[0]
    settings.SECRET_KEY_FALLBACKS = []
    assert apps.macs("7", "0a1b1-c2d3e") == macs[:1]
