"""What a line of a log must not say: values of columns that are personal or secret, addresses, numbers, tokens."""

import re
from functools import lru_cache

from django.apps import apps

from tenants.privacy.classification import Disguise, classified

FIXED = (
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), r"\1 <token>"),
    (re.compile(r"\beyJ[\w-]+(\.[\w-]+){1,4}"), "<token>"),
    (re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])", re.ASCII), "<token>"),  # 256 bits in base64
    (re.compile(r"[^\s@<>\"'(),;:=]+@[^\s@<>\"'(),;:=]+\.[^\s@<>\"'(),;:=]+"), "<email>"),
    (re.compile(r"\+\d(?:[ ()/-]{0,2}\d){6,14}"), "<phone>"),
    # What PostgreSQL tells of a row that it refuses.
    (re.compile(r"(Key \([^)]*\)=)\(.*?\)(?= |$)", re.MULTILINE), r"\1(<values>)"),
    (re.compile(r"(Failing row contains )\(.*\)"), r"\1(<values>)"),
)
# Columns whose names are ordinary words of a log, and which say nothing by themselves.
ORDINARY = frozenset({"key", "name", "text", "title", "address", "user", "username", "details", "last_error"})


def redact(text: str) -> str:
    """The text without what is personal or secret: `name=value` and `"name": "value"` lose their values where the name
    is that of such a column, in either spelling."""
    for pattern, instead in FIXED:
        text = pattern.sub(instead, text)
    return _named().sub(r"\1<hidden>", text) if apps.models_ready else text


@lru_cache(maxsize=1)
def _named() -> re.Pattern[str]:
    names = {
        name
        for _, own in classified()
        for name in (*own.secret, *(each for each, disguise in own.personal.items() if disguise != Disguise.SAME))
    } - ORDINARY
    spellings = sorted({*names, *map(_camel, names)}, key=len, reverse=True)
    quoted = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
    return re.compile(rf"(\b(?:{'|'.join(spellings)})[\"']?\s*[=:]\s*)(?:{quoted}|[^\s,;&)}}\]]+)")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
