"""Which codes there are of countries and currencies, and the lists to choose from."""

import pytest

from tenants import codes
from tenants.models import Tenant


@pytest.mark.parametrize(
    ("code", "expected"), [("DEU", "DE"), ("GBR", "GB"), ("XKX", "XK"), ("XKK", "XK"), ("XXX", None), ("", None)]
)
def test_a_code_of_three_letters_has_one_of_two(code: str, expected: str | None) -> None:
    assert codes.country_of_alpha_3(code) == expected


def test_countries_are_those_of_the_list_and_kosovo() -> None:
    assert {"DE", "GB", "XK"} <= codes.countries()
    assert {"DEU", "XX", "AN", ""}.isdisjoint(codes.countries())
    assert len(codes.countries()) == 250


@pytest.mark.parametrize(("code", "is_one"), [("EUR", True), ("eur", False), ("Eur", False), ("XYZ", False)])
def test_a_currency_is_one_of_today_in_capitals(code: str, is_one: bool) -> None:
    assert codes.is_currency(code) is is_one
    assert (code in codes.currencies()) is is_one


@pytest.mark.parametrize(("code", "is_good"), [("EUR", True), ("BGN", True), ("FRF", False), ("bgn", False)])
def test_a_shops_own_currency_is_one_of_its_customers(code: str, is_good: bool) -> None:
    shop = Tenant(default_currency="BGN")  # of yesterday
    assert codes.is_currency_of(tenant=shop, code=code) is is_good


def test_countries_and_currencies_to_choose_from() -> None:
    countries = codes.country_choices()
    names = [name for _, name in countries]
    assert names == sorted(names)
    assert {code for code, _ in countries} == codes.countries()
    assert dict(countries)["DE"] == "Germany"
    currencies = codes.currency_choices()
    assert [code for code, _ in currencies] == sorted(codes.currencies())
    assert dict(currencies)["EUR"] == "EUR Euro"


def test_languages_to_choose_from_are_in_the_order_of_their_names() -> None:
    names = [name for _, name in codes.language_choices()]
    assert names == sorted(names)
    assert len(names) > 100


def test_time_zones_to_choose_from_are_utc_and_those_of_places() -> None:
    zones = codes.time_zone_choices()
    assert zones[0] == ("UTC", "UTC")
    assert zones[1:] == sorted(zones[1:])
    assert ("America/New_York", "America/New York") in zones
    assert not [name for name, _ in zones[1:] if name.startswith("Etc/") or "/" not in name]
