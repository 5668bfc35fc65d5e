"""Countries by code and by name."""

import pytest
from babel import localedata

from customers.enrichment import countries


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("de", "DE"), ("DEU", "DE"), ("Germany", "DE"), ("Deutschland", "DE"), ("ALLEMAGNE", "DE"), ("Niemcy", "DE")),
        *(("Österreich", "AT"), ("osterreich", "AT"), ("Ελλάδα", "GR"), ("UK", "GB"), ("usa", "US"), ("Suisse", "CH")),
        *(("Niger", "NE"), ("Nigeria", "NG"), ("Atlantis", None), ("Deutsch", None), ("Korea", None), ("XX", None)),
        *(("", None), ("276", None), ("EU", None)),
    ],
)
def test_a_country_is_known_by_code_and_exact_name(text: str, code: str | None) -> None:
    assert countries.find_code(text) == code


@pytest.mark.parametrize("text", ["XK", "xk", "XKX", "Kosovo", "Kosovë", "Косово"])
def test_kosovo_is_a_country(text: str) -> None:
    assert countries.find_code(text) == "XK"
    assert (countries.language_of("XK", preferred="de"), countries.currency_of("XK")) == ("sq_XK", "EUR")


def test_a_name_that_is_unknown_leaves_no_language_in_memory() -> None:
    """Babel keeps 1.4 MB of each for as long as the process lives."""
    countries._names.cache_clear()
    countries._names_at_home.cache_clear()
    before = set(localedata._cache)
    assert countries.find_code("Ελλάδα") == "GR"
    assert countries.find_code("Utopia") is None
    assert set(localedata._cache) == before


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("DD", "DE"), ("yd", "YE"), ("AN", None), ("SU", None), ("QU", None), ("FX", "FR")),
        *(("Congo", "CG"), ("Конго", None), ("Lusia", None), ("Kata", None), ("Magyarország", "HU")),
        *(("D", None), ("1", None), ("deu", "DE"), ("Deutschland.", "DE"), ("trinidad & tobago", "TT")),
        *(("Federal Republic of Germany", "DE"), ("Taiwan", "TW"), ("Bolivia", "BO"), ("&", None), ("--", None)),
    ],
)
def test_what_names_two_countries_names_none(text: str, code: str | None) -> None:
    assert countries.find_code(text) == code


@pytest.mark.parametrize(
    ("country", "preferred", "language"),
    [
        ("CH", "en", "de_CH"),
        ("CH", "fr_FR", "fr_CH"),
        ("CH", "GSW-CH", "gsw_CH"),
        ("CH", "it", "it_CH"),
        ("BE", "", "nl_BE"),
        ("IN", "en_US", "en_IN"),
        ("AQ", "en", None),
    ],
)
def test_the_preferred_language_is_taken_where_it_is_official(
    country: str, preferred: str, language: str | None
) -> None:
    assert countries.language_of(country, preferred=preferred) == language


@pytest.mark.parametrize(
    ("country", "currency"), [("CH", "CHF"), ("PS", "ILS"), ("PA", "PAB"), ("DE", "EUR"), ("AQ", None)]
)
def test_a_countrys_currency_is_what_one_pays_with_first(country: str, currency: str | None) -> None:
    assert countries.currency_of(country) == currency
