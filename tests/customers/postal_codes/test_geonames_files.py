"""Reading GeoNames' files line by line: plain, gzipped and zipped."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from customers.postal_codes import geonames_files
from customers.postal_codes.geonames_files import LONGEST_LINE, UnreadableFile, lines

TEXT = b"first\nsecond\r\nthird"
Packer = Callable[[Path, bytes], Path]


def plain(folder: Path, text: bytes) -> Path:
    path = folder / "DE.txt"
    path.write_bytes(text)
    return path


def gzipped(folder: Path, text: bytes) -> Path:
    path = folder / "DE.txt.gz"
    path.write_bytes(gzip.compress(text))
    return path


def zipped(folder: Path, text: bytes, *more: str) -> Path:
    path = folder / "DE.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("readme.txt", "DE.txt", *more):
            archive.writestr(name, text)
    return path


each_form = pytest.mark.parametrize("pack", [plain, gzipped, zipped])


@each_form
def test_lines_come_without_their_ends_and_numbered_from_one(tmp_path: Path, pack: Packer) -> None:
    found = list(lines(pack(tmp_path, TEXT)))
    assert [(line.number, line.text) for line in found] == [(1, b"first"), (2, b"second"), (3, b"third")]


@each_form
def test_an_empty_file_has_no_lines(tmp_path: Path, pack: Packer) -> None:
    assert list(lines(pack(tmp_path, b""))) == []


@each_form
@pytest.mark.parametrize(
    "length", [LONGEST_LINE - 2, LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, 3 * LONGEST_LINE]
)
def test_the_rest_of_a_line_that_is_too_long_is_passed_over(tmp_path: Path, pack: Packer, length: int) -> None:
    found = [line.text for line in lines(pack(tmp_path, b"x" * length + b"\nnext\n"))]
    assert found == [b"x" * min(length, LONGEST_LINE), b"next"]


def test_a_zipped_files_share_is_exact_and_ends_with_all(tmp_path: Path) -> None:
    assert [line.share for line in lines(zipped(tmp_path, b"ab\nabcd\na\n"))] == [0.3, 0.8, 1.0]


@each_form
def test_the_share_grows_up_to_all(tmp_path: Path, pack: Packer) -> None:
    shares = [line.share for line in lines(pack(tmp_path, b"".join(b"%d\n" % each for each in range(50_000))))]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.5
    assert shares[-1] == 1


@pytest.mark.parametrize("more", [("AT.txt",), ("AT.txt", "CH.txt")])
def test_an_archive_of_several_tables_is_refused(tmp_path: Path, more: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableFile, match=f"holds {len(more) + 1} tables and not one: DE.txt, AT.txt"):
        list(lines(zipped(tmp_path, TEXT, *more)))


def test_an_archive_without_a_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "DE.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/readme.txt", "x")
        archive.writestr("DE.csv", "x")
    with pytest.raises(UnreadableFile, match="holds 0 tables"):
        list(lines(path))


def test_a_refusal_names_five_tables_at_most(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as refused:
        list(lines(zipped(tmp_path, TEXT, *(f"T{number}.txt" for number in range(9)))))
    assert str(refused.value).endswith("DE.txt, T0.txt, T1.txt, T2.txt, T3.txt")


@pytest.mark.parametrize("name", ["missing.txt", "missing.zip", "missing.gz"])
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableFile, match=name):
        list(lines(tmp_path / name))


@pytest.mark.parametrize("name", ["DE.zip", "DE.txt.gz"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(UnreadableFile):
        list(lines(tmp_path / name))


def test_a_file_that_ends_too_early_is_refused_after_the_lines_that_are_whole(tmp_path: Path) -> None:
    path = gzipped(tmp_path, b"".join(b"%d\n" % each for each in range(50_000)))
    path.write_bytes(path.read_bytes()[:-1000])
    read: list[int] = []
    with pytest.raises(UnreadableFile):
        read.extend(line.number for line in geonames_files.lines(path))
