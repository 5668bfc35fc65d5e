"""Files of customers, read record by record, however large: CSV with a head, or one JSON object a line."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from auth_providers.importing.mapping import Record
from tenants.json_values import Json

LONGEST_LINE = 1024 * 1024  # characters


class UnreadableFile(ValueError):
    """The file is missing, damaged or empty; the text says what."""


@dataclass(frozen=True, kw_only=True)
class Numbered:
    """A record, the number of its first line from 1, and how much of the file was read with it (0 to 1). `error` says
    why it can't be read."""

    line: int
    share: float = 0.0
    record: Record | None = None
    error: str = ""


def records(path: Path, *, kind: str) -> Iterator[Numbered]:
    """The records of a file of this kind, `csv` or `jsonl`, in UTF-8. Raises `UnreadableFile`."""
    try:
        with path.open("rb") as raw:
            size = path.stat().st_size
            text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
            for read in _csv(text) if kind == "csv" else _json_lines(text):
                yield Numbered(line=read.line, share=raw.tell() / size, record=read.record, error=read.error)
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror}") from error


def columns(path: Path) -> list[str]:
    """The columns that a CSV file names. Raises `UnreadableFile`."""
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as text:
            csv.field_size_limit(LONGEST_LINE)
            return _head(csv.reader(text, strict=True))
    except OSError as error:
        raise UnreadableFile(f"{path} can't be read: {error.strerror}") from error


def _head(reader: Iterator[list[str]]) -> list[str]:
    try:
        head = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise UnreadableFile(f"The line that names the columns is not CSV: {error}.") from error
    if not head:
        raise UnreadableFile("The file has no line that names the columns.")
    return head


def _csv(text: io.TextIOWrapper) -> Iterator[Numbered]:
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.reader(text, strict=True)
    head = _head(reader)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Numbered(line=line, error=f"this is not CSV: {error}")
            continue
        if values:
            yield _of_values(line, head, values)


def _of_values(line: int, head: list[str], values: list[str]) -> Numbered:
    if len(values) > len(head):
        return Numbered(line=line, error=f"{len(values)} values for {len(head)} columns")
    return _checked(line, dict(zip(head, values, strict=False)))


def _json_lines(text: io.TextIOWrapper) -> Iterator[Numbered]:
    line = 0
    while content := text.readline(LONGEST_LINE):
        line += 1
        if len(content) == LONGEST_LINE and not content.endswith("\n"):
            while (rest := text.readline(LONGEST_LINE)) and not rest.endswith("\n"):
                pass
            yield Numbered(line=line, error=f"the line is longer than {LONGEST_LINE} characters")
        elif content.strip():
            yield _of_json(line, content)


def _of_json(line: int, content: str) -> Numbered:
    try:
        value: Json = msgspec.json.decode(content)
        if isinstance(value, dict):
            return _checked(line, value)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        pass
    return Numbered(line=line, error="this is not an object of JSON in UTF-8")


def _checked(line: int, record: dict[str, Json]) -> Numbered:
    """A record of text that the database takes."""
    for column, value in record.items():
        if not _is_text(value):
            return Numbered(line=line, error=f"{column} is not text in UTF-8")
    return Numbered(line=line, record=record)


def _is_text(value: Json) -> bool:
    """Whether the database takes every text in it."""
    if isinstance(value, str):
        return "\0" not in value and (value.isprintable() or not _has_surrogates(value))
    if isinstance(value, Mapping):
        return all(_is_text(each) for each in value.values())
    return all(_is_text(each) for each in value) if isinstance(value, Sequence) else True


def _has_surrogates(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False
