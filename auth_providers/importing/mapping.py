"""What the columns of a file mean: a mapping, written in YAML, and the ones that ship.

A mapping says for each thing that we keep where a record has it (`Source`). A record is a line of a CSV file, by the
names in its head, or an object of JSON, whose inner values are named by paths such as `addresses.0.city`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import msgspec

from auth_providers.foreign_hashes import weak
from auth_providers.foreign_hashes.recognition import FirebaseParameters
from customers import consents, identifiers, profiles
from customers.addresses.fields import TEXT_FIELDS
from tenants.json_values import Json

SHIPPED = Path(__file__).parent / "mappings"
TRUE_WORDS = frozenset({"1", "true", "yes", "y", "t", "on", "subscribed"})
# Also what Shopify says of somebody who has not agreed, or not yet.
FALSE_WORDS = frozenset(
    {"0", "false", "no", "n", "f", "off", "unsubscribed", "not_subscribed", "not subscribed", "pending", "redacted"}
)
# Of a profile; what an import may not set has rules that only a customer or staff can satisfy.
PROFILE_FIELDS = tuple(name for name in profiles.FIELDS if name not in ("properties", "contact_email"))

Record = Mapping[str, Json]


class BadMapping(ValueError):
    """The mapping can't be read or names something that does not exist; the text says what."""


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a record has a value: the first of `columns` that is not empty, or all that are, joined by `join`.

    `strip` are characters to take off both ends, `values` replaces one value by another, `default` is for records that
    have none.
    """

    columns: list[str]
    join: str | None = None
    strip: str = ""
    values: dict[str, str] = {}
    default: str = ""

    def read(self, record: Record) -> str:
        """The value; "" where there is none."""
        given = (text for column in self.columns if (text := _text(record, column, self.strip)))
        text = next(given, "") if self.join is None else self.join.join(given)
        return self.values.get(text, text) if text else self.default

    def read_flag(self, record: Record) -> bool:
        """Whether the value is one of the words for yes."""
        return self.read(record).lower() in TRUE_WORDS

    def read_answer(self, record: Record) -> bool | None:
        """Yes or no; None where the record has no answer. Raises `ValueError` for another word."""
        word = self.read(record).lower()
        if word and word not in TRUE_WORDS | FALSE_WORDS:
            raise ValueError("neither yes nor no")
        return word in TRUE_WORDS if word else None


Where = str | list[str] | Source


class Password(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the password's hash is. Without `form` the hash says itself what it is; `form` says how a bare digest was
    made, such as `sha256(salt+password)`; `firebase` are what Firebase's console shows."""

    hash: Where
    salt: Where = ""
    form: str = ""
    firebase: FirebaseParameters | None = None


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the other system calls a customer; it is kept as an identifier of this name."""

    name: str
    value: Where


class CustomerMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The columns of one kind of file.

    `continued_by` is a column that is empty in records that only add an address to the customer before them.
    """

    format: Literal["csv", "jsonl"]
    email: Where
    key: Key | None = None
    phone: Where = ""
    profile: dict[str, Where] = {}
    consents: dict[str, Where] = {}
    identifiers: dict[str, Where] = {}
    addresses: list[dict[str, Where]] = []
    is_default_address: Where = ""
    password: Password | None = None
    is_verified: Where = ""
    continued_by: str = ""

    def absent_from(self, columns: Collection[str]) -> Iterator[tuple[str, str]]:
        """What the mapping wants of columns that a file does not have: the name of the value, and the columns."""
        for name, where in self._wanted():
            wanted = source(where).columns
            if wanted != [""] and not set(wanted) & set(columns):
                yield name, " or ".join(wanted)

    def _wanted(self) -> Iterator[tuple[str, Where]]:
        yield "email", self.email
        if self.key:
            yield "key", self.key.value
        yield from {"phone": self.phone, "is_verified": self.is_verified, "continued_by": self.continued_by}.items()
        if self.password:
            yield from {"password.hash": self.password.hash, "password.salt": self.password.salt}.items()
        for part, values in (
            ("profile", self.profile),
            ("consents", self.consents),
            ("identifiers", self.identifiers),
            *((f"addresses.{number}", each) for number, each in enumerate(self.addresses)),
        ):
            yield from ((f"{part}.{name}", where) for name, where in values.items())


def shipped_names() -> list[str]:
    """The names of the mappings that ship."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load(name_or_path: str) -> CustomerMapping:
    """The mapping that ships under this name, or that is in this file. Raises `BadMapping`."""
    path = SHIPPED / f"{name_or_path}.yaml" if name_or_path in shipped_names() else Path(name_or_path)
    try:
        mapping = msgspec.yaml.decode(path.read_bytes(), type=CustomerMapping)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadMapping(f"{path}: {error}") from error
    for problem in _problems(mapping):
        raise BadMapping(f"{path}: {problem}")
    return mapping


def source(where: Where) -> Source:
    """A `Source`, which a mapping may also write as one column or as several."""
    if isinstance(where, Source):
        return where
    return _source_of(where if isinstance(where, str) else tuple(where))


@cache
def _source_of(columns: str | tuple[str, ...]) -> Source:
    return Source(columns=[columns] if isinstance(columns, str) else list(columns))


def _problems(mapping: CustomerMapping) -> Iterator[str]:
    yield from _unknown("profile", mapping.profile, PROFILE_FIELDS)
    for number, address in enumerate(mapping.addresses):
        yield from _unknown(f"addresses.{number}", address, TEXT_FIELDS)
    for purpose in mapping.consents:
        if not consents.PURPOSE.fullmatch(purpose):
            yield f"consents.{purpose} can't name a purpose"
    for name in (*mapping.identifiers, *([mapping.key.name] if mapping.key else [])):
        if not identifiers.NAME.fullmatch(name):
            yield f"{name} can't name an identifier"
    if mapping.password and mapping.password.form and not weak.is_form(mapping.password.form):
        yield "password.form is none; one is sha256(salt+password)"


def _unknown(where: str, named: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    for field in named:
        if field not in known:
            yield f"{where}.{field} does not exist; there are {', '.join(known)}"


def _text(record: Record, column: str, strip: str) -> str:
    value = record.get(column)
    if isinstance(value, str) and not strip:
        return value.strip()
    if value is None and "." in column:
        value = _at_path(record, column)
    if value is None or isinstance(value, dict | list):
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.strip().strip(strip).strip() if strip else text.strip()


def _at_path(record: Record, path: str) -> Json:
    value: Json = record
    for part in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
