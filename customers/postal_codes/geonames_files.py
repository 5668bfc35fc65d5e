"""Files as GeoNames offers them: text, alone, gzipped or in a zip archive. Read line by line, however large."""

import gzip
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import IO

LONGEST_LINE = 4096  # bytes; GeoNames' have a few hundred
NOT_A_TABLE = "readme.txt"  # is in every archive of theirs


class UnreadableFile(ValueError):
    """The file is missing, damaged, or holds no table; the text says what."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line without its end, its number from 1, and how much of the file was read with it (0 to 1)."""

    text: bytes
    number: int
    share: float


def lines(path: Path) -> Iterator[Line]:
    """The lines of the file. Of one longer than `LONGEST_LINE` the beginning comes, and the rest is passed over.

    Raises `UnreadableFile`, also in the middle.
    """
    try:
        if path.suffix == ".zip":
            yield from _zipped(path)
            return
        with path.open("rb") as raw:
            size = path.stat().st_size or 1
            stream = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            for number, text in enumerate(_split(stream), start=1):
                yield Line(text=text, number=number, share=raw.tell() / size)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise UnreadableFile(f"{path} can't be read: {error}") from error


def _zipped(path: Path) -> Iterator[Line]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.endswith(".txt") and Path(name).name != NOT_A_TABLE]
        if len(names) != 1:
            raise UnreadableFile(f"{path} holds {len(names)} tables and not one: {', '.join(names[:5])}")
        size, read = archive.getinfo(names[0]).file_size, 0
        with archive.open(names[0]) as stream:
            for number, text in enumerate(_split(stream), start=1):
                read += len(text) + 1
                yield Line(text=text, number=number, share=read / size)


def _split(stream: IO[bytes] | BufferedIOBase) -> Iterator[bytes]:
    while text := stream.readline(LONGEST_LINE):
        rest = text
        while not rest.endswith(b"\n") and len(rest) == LONGEST_LINE:
            rest = stream.readline(LONGEST_LINE)
        yield text.rstrip(b"\r\n")
