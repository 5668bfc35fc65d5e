"""Postal codes as each country writes them, and the regions that follow from them."""

import pytest

from customers.postal_codes import formats


@pytest.mark.parametrize(
    ("country", "sent", "written"),
    [
        *(("GB", "sw1y4jh", "SW1Y 4JH"), ("GB", "M2 5bq", "M2 5BQ"), ("GB", "12345", None), ("DE", "D-10115", "10115")),
        *(("DE", "1011", None), ("PL", "00950", "00-950")),
        ("DE", "\u0661\u0660\u0661\u0661\u0665", None),  # Arabic digits, and wide ones
        ("DE", "\uff11\uff10\uff11\uff11\uff15", "10115"),
        *(("US", "221621010", "22162-1010"), ("NL", "1234ab", "1234 AB"), ("JP", "1540023", "154-0023")),
        *(("LV", "1073", "LV-1073"), ("CZ", "11000", "110 00"), ("IE", "a65f4e2", "A65 F4E2"), ("AE", " x ", "X")),
        *(
            ("CA", "h3z2y7", "H3Z 2Y7"),
            ("FR", "75 001", "75001"),
            ("PT", "1250096", "1250-096"),
            ("DE", "1" * 99, None),
            *(("AE", "x" * 20, "X" * 20), ("AE", "x" * 21, None), ("AE", " ", None)),
        ),
    ],
)
def test_a_postal_code_is_written_as_its_country_writes_it(country: str, sent: str, written: str | None) -> None:
    assert formats.format_code(country=country, code=sent) == written


@pytest.mark.parametrize(
    ("country", "code", "region"),
    [("ES", "28039", "Madrid"), ("US", "95014", "California"), ("CA", "H3Z 2Y7", "Quebec"), ("DE", "10115", None)],
)
def test_a_region_follows_from_the_countrys_postal_rules(country: str, code: str, region: str | None) -> None:
    assert formats.region_of(country=country, code=code) == region
