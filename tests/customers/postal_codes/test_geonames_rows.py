"""A row of GeoNames' table at its limits, and what an import of rows counts."""

from typing import Any

import pytest

from customers.models import PostalCode
from customers.postal_codes import geonames_table
from customers.postal_codes.geonames_table import BadLine, Loaded, Row

NAMES = ("country", "code", "locality", "region", "region_code")
VALUES = ("DE", "10115", "Berlin", "Land Berlin", "BE")
MOST = {"code": 20, "locality": 180, "region": 100, "region_code": 20}


def line(count: Any = 12, **values: Any) -> bytes:
    columns = [*(dict(zip(NAMES, VALUES, strict=True)) | values).values(), *("more",) * 7]
    return "\t".join(columns[:count] + ["too many"] * (count - 12)).encode()


def reason(text: bytes) -> str:
    with pytest.raises(BadLine) as refused:
        geonames_table.parse(text)
    return str(refused.value)


def test_the_first_five_columns_are_a_row() -> None:
    assert geonames_table.parse(line()) == VALUES
    assert geonames_table.parse(line(code=" sw1y 4jh", region="", region_code=" ")) == (
        *("DE", "SW1Y4JH", "Berlin", "", ""),
    )


@pytest.mark.parametrize(("name", "most"), MOST.items())
def test_a_column_may_be_just_so_long(name: str, most: int) -> None:
    row = dict(zip(NAMES, geonames_table.parse(line(**{name: "X" * most})), strict=True))
    assert row[name] == "X" * most
    expected = f"its {name} is longer than {most} characters, or holds a NUL"
    assert reason(line(**{name: "X" * (most + 1)})) == reason(line(**{name: "a\0"})) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (line(11), "it has 11 columns and not 12"),
        (line(13), "it has 13 columns and not 12"),
        (b"\xff", "it is not UTF-8"),
        (line(country="D"), "its first column is no country code of ISO 3166"),
        (line(country="DEU"), "its first column is no country code of ISO 3166"),
        (line(country="DÉ"), "its first column is no country code of ISO 3166"),
        (line(code=" "), "its code is empty"),
        (line(locality=""), "its locality is empty"),
        (line(code="", locality=""), "its code is empty"),
    ],
)
def test_what_is_no_row_is_told(text: bytes, expected: str) -> None:
    assert reason(text) == expected


# -- an import -------------------------------------------------------------------------------------------------------
def rows(country: str, count: int, region: str = "") -> list[Row]:
    return [(country, str(number), f"Ort {number}", region, "") for number in range(count)]


@pytest.mark.django_db
@pytest.mark.parametrize("count", [4, 5, 6, 10, 11])
def test_rows_are_counted_and_stored_batch_by_batch(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(geonames_table, "BATCH", 5)
    loaded = geonames_table.load(iter(rows("DE", count)))
    assert loaded == Loaded(rows=count, countries=1, written=count, removed=0)
    assert PostalCode.objects.count() == count


@pytest.mark.django_db
def test_what_is_written_and_removed_is_counted_over_all_countries() -> None:
    geonames_table.load([*rows("AT", 4), *rows("CH", 3), *rows("DE", 2)])
    again = [*rows("AT", 2, region="Wien"), *rows("DE", 3), *rows("DE", 3)]
    assert geonames_table.load(again) == Loaded(rows=8, countries=2, written=3, removed=2)
    counts = [PostalCode.objects.filter(country=country).count() for country in ("AT", "CH", "DE")]
    assert counts == [2, 3, 3]
    assert set(PostalCode.objects.filter(country="AT").values_list("region", flat=True)) == {"Wien"}


@pytest.mark.django_db
def test_of_a_place_that_comes_twice_the_first_row_counts() -> None:
    twice: list[Row] = [("DE", "1", "Ort", "First", "F"), ("DE", "1", "Ort", "Second", "S")]
    assert geonames_table.load(twice) == Loaded(rows=2, countries=1, written=1, removed=0)
    assert PostalCode.objects.get().region == "First"
    renumbered: list[Row] = [("DE", "1", "Ort", "First", "G")]
    assert geonames_table.load(renumbered).written == 1
    assert PostalCode.objects.get().region_code == "G"


@pytest.mark.django_db
def test_no_rows_change_nothing() -> None:
    geonames_table.load(rows("DE", 2))
    assert geonames_table.load([]) == Loaded(rows=0, countries=0, written=0, removed=0)
    assert PostalCode.objects.count() == 2
