"""What JSON can hold (RFC 8259, 3), and the one way to read it from others."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import orjson

Json: TypeAlias = "Mapping[str, Json] | Sequence[Json] | str | int | float | bool | None"
JsonObject: TypeAlias = Mapping[str, Json]

MAX_DEPTH = 32
MAX_ITEMS = 1000  # of one array or object


class NotJson(ValueError):
    """What is wrong, to follow a subject: "is not valid JSON"; and where it is, if that is known: "line 2 column 5"."""

    def __init__(self, what: str, place: str = "") -> None:
        super().__init__(what)
        self.place = place

    def in_words(self) -> str:
        """Both: "is not valid JSON, line 2 column 5"."""
        return f"{self}, {self.place}" if self.place else str(self)


def parse(text: bytes | str) -> Json:
    """The value of strict JSON (RFC 8259): UTF-8, no NaN, no lone surrogates, no NUL characters, which PostgreSQL can't
    store, at most `MAX_DEPTH` levels and `MAX_ITEMS` in one array or object. Raises `NotJson`."""
    try:
        value: Json = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotJson("is not valid JSON", f"line {error.lineno} column {error.colno}") from error
    _check(value)
    return value


def _check(root: Json) -> None:
    level = [root]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise NotJson(f"is nested deeper than {MAX_DEPTH} levels")
        level = [child for value in level for child in _children(value)]


def _children(value: Json) -> Sequence[Json]:
    if isinstance(value, str):
        if "\0" in value:
            raise NotJson("contains a NUL character")
        return ()
    if isinstance(value, dict):
        _check_size(value)
        return [*value.keys(), *value.values()]
    if isinstance(value, list):
        _check_size(value)
        return value
    return ()


def _check_size(value: JsonObject | Sequence[Json]) -> None:
    if len(value) > MAX_ITEMS:
        raise NotJson(f"has an array or object of more than {MAX_ITEMS} items")
