"""The import of postal codes: GeoNames' format, bad lines reported, a country replaced without a gap."""

import gzip
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from auth_providers import demo
from customers.models import PostalCode
from customers.postal_codes import formats, geonames_table
from tests.races import at_once

Write = Callable[..., Path]


def line(
    country: str = "DE", code: str = "10115", place: str = "Berlin", region: str = "Berlin", key: str = "BE"
) -> str:
    return "\t".join([country, code, place, region, key, "", "00", "Berlin, Stadt", "11000", "52.5323", "13.3846", "6"])


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(*lines: str | bytes, name: str = "places.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join((each if isinstance(each, bytes) else each.encode()) + b"\n" for each in lines))
        return path

    return write


def run(path: Path) -> tuple[str, str, int]:
    """What the command says, what it complains of, and its exit code."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_postal_codes", str(path), stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), f"{err.getvalue()}\n{error}", error.returncode
    return out.getvalue(), err.getvalue(), 0


def stored() -> list[tuple[str, str, str, str, str]]:
    fields = ("country", "code", "locality", "region", "region_code")
    return list(PostalCode.objects.order_by(*fields).values_list(*fields))


@pytest.mark.django_db
def test_a_file_is_stored(write: Write) -> None:
    out, _, code = run(
        write(line(), line("GB", "sw1y 4jh", " London ", "England", "ENG"), line("DE", "80331", "Mu\u0308nchen"))
    )
    assert code == 0
    assert "3 rows of 2 countries" in out
    assert stored() == [
        ("DE", "10115", "Berlin", "Berlin", "BE"),
        ("DE", "80331", "München", "Berlin", "BE"),
        ("GB", "SW1Y4JH", "London", "England", "ENG"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("suffix", ["gz", "zip"])
def test_a_compressed_file_is_stored(write: Write, tmp_path: Path, suffix: str) -> None:
    plain = write(line(), line("AT", "1010", "Wien"))
    packed = tmp_path / f"places.{suffix}"
    if suffix == "gz":
        packed.write_bytes(gzip.compress(plain.read_bytes()))
    else:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("readme.txt", "not a table")
            archive.write(plain, "allCountries.txt")
    assert run(packed)[2] == 0
    assert len(stored()) == 2


@pytest.mark.django_db
def test_bad_lines_are_reported_and_the_rest_is_stored(write: Write) -> None:
    bad = [
        ("", "columns"),
        ("DE\t10115\tBerlin", "it has 3 columns"),
        (line(country="Germany"), "country code"),
        (line(country="de"), "country code"),
        (line(code="  "), "code is empty"),
        (line(place=""), "locality is empty"),
        (line(place="x" * 181), "locality is longer than 180"),
        (line(code="1" * 21), "code is longer than 20"),
        (line(place="a\0b"), "NUL"),
        (line().encode("utf-8").replace(b"Berlin", b"Berl\xff"), "UTF-8"),
        ("x" * 10_000, "columns"),
    ]
    _, complaints, code = run(write(line(), *(text for text, _ in bad), line("AT", "1010", "Wien")))
    assert code == 2
    assert f"{len(bad)} lines were left out" in complaints
    for number, (_, reason) in enumerate(bad, start=2):
        report = next(each for each in complaints.splitlines() if each.startswith(f"Line {number}:"))
        assert reason in report
    assert [row[0] for row in stored()] == ["AT", "DE"]


@pytest.mark.django_db
def test_the_last_line_needs_no_end_and_windows_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "places.txt"
    path.write_text(f"{line()}\r\n{line('AT', '1010', 'Wien')}", newline="")
    assert run(path)[2] == 0
    assert len(stored()) == 2


@pytest.mark.django_db
def test_a_second_import_changes_only_what_differs(write: Write) -> None:
    first = write(line(), line(code="80331", place="München"), line("AT", "1010", "Wien"), line())
    run(first)
    keys = dict(PostalCode.objects.values_list("locality", "pk"))
    assert "0 places new or changed, 0 removed" in run(first)[0]
    out, _, _ = run(write(line(region="Land Berlin"), line(code="20095", place="Hamburg")))
    assert "2 places new or changed, 1 removed" in out
    assert [(row[2], row[3]) for row in stored()] == [
        ("Wien", "Berlin"),
        ("Berlin", "Land Berlin"),
        ("Hamburg", "Berlin"),
    ]
    assert PostalCode.objects.get(locality="Berlin").pk == keys["Berlin"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["broken.zip", "broken.gz", "empty.zip", "missing.txt", "cut.gz"])
def test_a_damaged_file_changes_nothing(write: Write, tmp_path: Path, name: str) -> None:
    run(write(line(), line(code="80331", place="München")))
    path = tmp_path / name
    if name == "empty.zip":
        zipfile.ZipFile(path, "w").close()
    elif name == "cut.gz":
        path.write_bytes(gzip.compress((line(code="99999") + "\n").encode() * 2000)[:-20])
    elif name != "missing.txt":
        path.write_bytes(b"nonsense")
    _, complaints, code = run(path)
    assert (code, len(stored())) == (1, 2)
    assert "Nothing was changed" in complaints


@pytest.mark.django_db
def test_it_remembers_a_batch_and_no_more() -> None:
    def rows() -> Iterator[geonames_table.Row]:
        for number in range(120_000):
            yield ("DE", f"{number:06}", f"Ort {number}", "Region", "R")

    list(zip(range(10), rows(), strict=False))
    tracemalloc.start()
    loaded = geonames_table.load(rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert loaded.written == 120_000
    assert peak < 20 * 1024 * 1024  # all of them would be 50 MB


@pytest.mark.django_db(transaction=True)
def test_who_looks_during_an_import_finds_the_old_rows_or_the_new() -> None:
    geonames_table.load([("DE", "10115", f"Ort {number}", "Old", "") for number in range(3000)])
    seen: list[set[str]] = []

    def act(index: int) -> None:
        if index == 0:
            geonames_table.load([("DE", "10115", f"Ort {number}", "New", "") for number in range(3000)])
            return
        while not seen or "New" not in seen[-1]:
            regions = list(PostalCode.objects.filter(country="DE").values_list("region", flat=True))
            assert len(regions) == 3000
            seen.append(set(regions))

    assert at_once(2, act) == [None, None]
    assert all(len(regions) == 1 for regions in seen)


@pytest.mark.django_db
def test_each_country_is_told_when_it_is_stored() -> None:
    told: list[tuple[int, int]] = []
    rows = [(country, "10115", "Ort", "", "") for country in ("DE", "AT", "FR")]
    geonames_table.load(rows, on_country=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.django_db(transaction=True)
def test_nothing_is_left_beside_the_table(write: Write) -> None:
    run(write(line()))
    with connection.cursor() as cursor, pytest.raises(Exception, match=geonames_table.STAGE):
        cursor.execute(f"SELECT * FROM {geonames_table.STAGE}")


@pytest.mark.django_db
def test_the_demos_places_are_well_formed_and_written_as_their_countries_do() -> None:
    demo.set_up()
    assert {country for country, *_ in stored()} == {"AT", "CH", "DE", "ES", "FR", "GB", "PL", "US"}
    for country, code, *_ in stored():
        assert country == "GB" or formats.format_code(country=country, code=code) == code
    PostalCode.objects.exclude(code="1010").delete()
    demo.set_up()
    assert len(stored()) == 1
