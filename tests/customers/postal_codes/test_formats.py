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


@pytest.mark.parametrize(
    ("country", "sent", "written"),
    [
        *(
            ("XX", " a-1 ", "A-1"),
            ("HK", "x", "X"),
            ("DE", "", None),
            ("DE", " ", None),
            ("BR", "40301110", "40301-110"),
        ),
        *(("LB", "1107 2810", "1107 2810"), ("LB", "11072810", "1107 2810"), ("LB", "1000", "1000")),
        *(("PE", "lima 23", "LIMA 23"), ("PE", "02001", "02001"), ("US", "95014", "95014"), ("US", "9501", None)),
        *(("AD", "AD100", "AD100"), ("AD", "AD 100", "AD100"), ("AD", "100", "AD100"), ("AD", "X-100", None)),
        *(
            ("DE", "DEU 10115", "10115"),
            ("DE", "D10115", None),
            ("DE", "DEUT-10115", None),
            ("DE", "AT-10115", "10115"),
        ),
        *(("XK", "10000", "10000"), ("XK", "80000", None), ("GB", "gb sw1y4jh", None)),
    ],
)
def test_a_code_has_the_separators_of_its_country_and_no_others(country: str, sent: str, written: str | None) -> None:
    assert formats.format_code(country=country, code=sent) == written


@pytest.mark.parametrize(
    ("country", "code", "region"),
    [
        ("US", "06390", None),  # of Connecticut or New York
        ("US", "06389", "Connecticut"),
        ("AU", "2611", None),
        ("AU", "3000", "Victoria"),
        ("HK", "1", None),
        ("XX", "1", None),
        ("DE", "10115", None),
    ],
)
def test_a_code_that_two_regions_begin_with_tells_none(country: str, code: str, region: str | None) -> None:
    assert formats.region_of(country=country, code=code) == region
