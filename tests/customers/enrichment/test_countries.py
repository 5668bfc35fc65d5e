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
