"""Countries by code and by name."""

import pytest

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
