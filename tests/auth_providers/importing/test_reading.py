"""Files of customers, record by record: the line that each begins in, how much was read, and what is no record."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_providers.importing import reading
from auth_providers.importing.reading import UnreadableFile
from tenants.json_values import Json

Outcome = tuple[int, object]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "export"


def read(file: Path, content: str | bytes, kind: str = "csv") -> list[Outcome]:
    """The line of each record, and the record, or why there is none."""
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return [(each.line, each.error or each.record) for each in reading.records(file, kind=kind)]


def test_records_of_csv_have_the_number_of_their_first_line(file: Path) -> None:
    content = 'id,name\n1,"two\nlines"\n\n2,Ada\n'
    assert read(file, content) == [(2, {"id": "1", "name": "two\nlines"}), (5, {"id": "2", "name": "Ada"})]


def test_records_of_json_lines_have_the_number_of_their_line(file: Path) -> None:
    assert read(file, '{"id": 1}\n \n{"id": {"x": [null, 2.5]}}', "jsonl") == [
        (1, {"id": 1}),
        (3, {"id": {"x": [None, 2.5]}}),
    ]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_mark_of_the_byte_order_is_no_part_of_the_text(file: Path, kind: str) -> None:
    content = "\ufeffid\n1\n" if kind == "csv" else '\ufeff{"id": "1"}\n'
    assert [record for _, record in read(file, content, kind)] == [{"id": "1"}]


def test_names_of_columns_are_stripped_and_values_are_as_they_are(file: Path) -> None:
    assert read(file, " id , name\n 1 , Ada\n") == [(2, {"id": " 1 ", "name": " Ada"})]


def test_a_line_has_as_many_values_as_columns_or_fewer(file: Path) -> None:
    assert read(file, "id,name\n1\n2,b\n3,c,\n") == [
        (2, {"id": "1"}),
        (3, {"id": "2", "name": "b"}),
        (4, "3 values for 2 columns"),
    ]


def test_a_line_that_is_not_csv_hides_no_other(file: Path) -> None:
    found = read(file, 'id,name\n1,"a"b\n2,b\n')
    assert found[0][0] == 2
    assert str(found[0][1]).startswith("this is not CSV: ")
    assert found[1:] == [(3, {"id": "2", "name": "b"})]


@pytest.mark.parametrize("text", ["[1]", '"text"', "1", "null", "{", "{}{}", '{"a": 1'])
def test_a_line_that_is_no_object_of_json(file: Path, text: str) -> None:
    assert read(file, f'{text}\n{{"a": 1}}\n', "jsonl") == [
        (1, "this is not an object of JSON in UTF-8"),
        (2, {"a": 1}),
    ]


def test_json_that_is_not_utf_8_hides_no_other_line(file: Path) -> None:
    assert read(file, b'{"a": "\xeb"}\n{"a": 1}\n', "jsonl") == [
        (1, "this is not an object of JSON in UTF-8"),
        (2, {"a": 1}),
    ]


@pytest.mark.parametrize(
    "value",
    ["\0", "a\0b", {"x": {"y": "\0"}}, ["fine", ["\0"]], {"x": ["fine", {"z": "\0"}]}, [{"x": "\0"}, "fine"]],
)
def test_text_that_no_database_takes_is_found_at_any_depth(file: Path, value: Json) -> None:
    record = {"first": "fine", "second": value, "third": "\0"}
    assert read(file, json.dumps(record), "jsonl") == [(1, "second is not text in UTF-8")]


def test_text_of_csv_that_is_not_utf_8_or_has_a_zero(file: Path) -> None:
    content = b"id,name\n1,Zo\xeb\n2,a\0b\n3,Zo\xc3\xab\t\n"
    assert read(file, content) == [
        (2, "name is not text in UTF-8"),
        (3, "name is not text in UTF-8"),
        (4, {"id": "3", "name": "Zoë\t"}),
    ]


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), st.text(max_size=5), max_size=4
    )
)
def test_a_record_is_read_as_it_was_written_unless_it_has_a_zero(record: dict[str, str]) -> None:
    with TemporaryDirectory() as folder:
        [(_, found)] = read(Path(folder) / "export", json.dumps(record), "jsonl")
    assert (found == record) is not any("\0" in value for value in record.values())


# -- sizes -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def ten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No line is longer than ten characters."""
    limit_of_the_process = csv.field_size_limit()
    monkeypatch.setattr(reading, "LONGEST_LINE", 10)
    yield
    csv.field_size_limit(limit_of_the_process)


TOO_LONG = "the line is longer than 10 characters"


@pytest.mark.usefixtures("ten")
@pytest.mark.parametrize(
    ("first", "outcome"),
    [
        ('{"a": 12}\n', {"a": 12}),
        ('{"a": 123}\n', TOO_LONG),
        ('{"a": 1234567890}\n', TOO_LONG),
        ('{"a": "0123456789012345678901234567890"}\n', TOO_LONG),
    ],
    ids=len,
)
def test_a_line_of_json_that_is_too_long_is_passed_over_to_its_end(file: Path, first: str, outcome: object) -> None:
    assert read(file, f'{first}{{"b": 2}}\n', "jsonl") == [(1, outcome), (2, {"b": 2})]


@pytest.mark.usefixtures("ten")
@pytest.mark.parametrize(("content", "outcome"), [('{"a": 12}', {"a": 12}), ('{"a": 123}', TOO_LONG)])
def test_a_last_line_without_an_end_has_the_same_limit(file: Path, content: str, outcome: object) -> None:
    assert read(file, content, "jsonl") == [(1, outcome)]


@pytest.mark.usefixtures("ten")
def test_a_value_of_csv_has_a_limit(file: Path) -> None:
    found = read(file, "id,name\n1,0123456789\n2,0123456789x\n3,c\n")
    assert found[0] == (2, {"id": "1", "name": "0123456789"})
    assert str(found[1][1]).startswith("this is not CSV: ")
    assert found[2] == (4, {"id": "3", "name": "c"})


@pytest.mark.parametrize(("kind", "line"), [("csv", "0123456\n"), ("jsonl", '{"a":0}\n')])
def test_the_share_grows_to_the_whole_file(file: Path, kind: str, line: str) -> None:
    file.write_text(line * 10_000)
    shares = [each.share for each in reading.records(file, kind=kind)]
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.3
    assert shares[-1] == 1


# -- files that can't be read ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_that_is_missing_is_named(file: Path, kind: str) -> None:
    with pytest.raises(UnreadableFile, match=r"export can't be read: No such file or directory"):
        list(reading.records(file, kind=kind))


def test_columns_of_a_file_that_is_missing(file: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"export can't be read: No such file or directory"):
        reading.columns(file)


@pytest.mark.parametrize(
    ("content", "words"),
    [("", "no line that names the columns"), ("\n1,2\n", "no line"), ('"a"b\n', "names the columns is not CSV: ")],
)
def test_a_head_that_is_none(file: Path, content: str, words: str) -> None:
    file.write_text(content)
    with pytest.raises(UnreadableFile, match=words):
        reading.columns(file)
    with pytest.raises(UnreadableFile, match=words):
        list(reading.records(file, kind="csv"))


def test_columns_are_those_of_the_first_line(file: Path) -> None:
    file.write_text("\ufeff id ,name\n1,2\n")
    assert reading.columns(file) == ["id", "name"]


@pytest.mark.usefixtures("ten")
def test_the_name_of_a_column_has_the_limit_of_a_value(file: Path) -> None:
    file.write_text("0123456789\n")
    assert reading.columns(file) == ["0123456789"]
    file.write_text("0123456789x\n")
    with pytest.raises(UnreadableFile, match="is not CSV"):
        reading.columns(file)
