"""`responseFields`: which parts of an answer a client wants, `accessToken,customerAccount(id,contacts(email))`.

Names are compared without regard to case; names that the answer does not have are ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tenants.errors import InvalidInput

PARAMETER = "responseFields"
# What it consists of; that parentheses match, no pattern can say.
FORM = r"^[A-Za-z0-9_,()\s%]*$"
MAX_DEPTH = 16  # the deepest answer has 6 levels
TOKEN = re.compile(r"\s*(?:(?P<name>\w+)|(?P<mark>[(),]))", re.ASCII)
# Some clients encode the list twice.
COMMA = re.compile("%2c", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Fields:
    """What is wanted, by lower-case name; None stands for all of a name."""

    wanted: Mapping[str, "Fields | None"]

    def of(self, body: Any) -> Any:
        """Only the wanted parts of an answer."""
        if isinstance(body, list):
            return [self.of(each) for each in body]
        if not isinstance(body, dict):
            return body
        chosen = {name: self.wanted[name.lower()] for name in body if name.lower() in self.wanted}
        return {name: inner.of(body[name]) if inner else body[name] for name, inner in chosen.items()}


def is_wanted(fields: Fields | None, *path: str) -> bool:
    """Whether an answer of these fields has the part that the path leads to, or something of it."""
    for name in path:
        if fields is None:
            return True
        if name.lower() not in fields.wanted:
            return False
        fields = fields.wanted[name.lower()]
    return True


def parse(text: str) -> Fields | None:
    """What the parameter asks for; None for everything, when it is empty. Raises `InvalidInput` when parentheses don't
    match, stand where no name is, hold nothing, or are nested deeper than `MAX_DEPTH`."""
    tokens = _tokens(COMMA.sub(",", text))
    wanted, rest = _list(tokens, 0, 0)
    if rest != len(tokens):
        raise _malformed()
    return Fields(wanted=wanted) if wanted else None


def _malformed() -> InvalidInput:
    return InvalidInput.field(PARAMETER, "Names, separated by commas, each with a list in parentheses or without.")


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    text = text.strip()
    while position < len(text):
        found = TOKEN.match(text, position)
        if found is None:
            raise _malformed()
        tokens.append(found["name"] or found["mark"])
        position = found.end()
    return tokens


def _list(tokens: list[str], start: int, depth: int) -> tuple[dict[str, Fields | None], int]:
    """The list that begins at `start`, and where it ends: at a closing parenthesis, or at the end."""
    if depth > MAX_DEPTH:
        raise _malformed()
    wanted: dict[str, Fields | None] = {}
    position = start
    while position < len(tokens) and tokens[position] != ")":
        if tokens[position] == ",":
            position += 1
            continue
        name, inner, position = _item(tokens, position, depth)
        wanted[name] = _both(wanted[name], inner) if name in wanted else inner
        if position < len(tokens) and tokens[position] not in (",", ")"):
            raise _malformed()
    return wanted, position


def _item(tokens: list[str], start: int, depth: int) -> tuple[str, Fields | None, int]:
    """A name with its list, if it has one."""
    name = tokens[start]
    if name == "(":
        raise _malformed()
    if tokens[start + 1 : start + 2] != ["("]:
        return name.lower(), None, start + 1
    wanted, end = _list(tokens, start + 2, depth + 1)
    if not wanted or end >= len(tokens):
        raise _malformed()
    return name.lower(), Fields(wanted=wanted), end + 1


def _both(one: Fields | None, other: Fields | None) -> Fields | None:
    """A name that stands twice: all that either wants."""
    if one is None or other is None:
        return None
    shared = {name: _both(one.wanted[name], other.wanted[name]) for name in one.wanted.keys() & other.wanted.keys()}
    return Fields(wanted={**one.wanted, **other.wanted, **shared})
