"""The fields of a form for a value that a JSON Schema describes.

The schema decides what is asked, and nothing here decides what is right: `mixins.assign` does. What has no field of its
own kind (a list of objects, several types) is asked as JSON, and so is what is stored and its field could not show.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import unquote

from django import forms
from django.core.exceptions import ValidationError

from tenants.back_office.fields import IndentedJson, Lines

MAX_FIELDS = 150  # of one form; Django takes 1,000 values, and each field sends two
MAX_DEPTH = 4  # objects in objects; a schema may refer to itself
MAX_STEPS = 20  # references one after another
LONG = 255  # characters; longer texts get several lines
INPUT_MODES = {"email": "email", "idn-email": "email", "uri": "url", "iri": "url", "uri-reference": "url"}
EXAMPLES = {"date-time": "2026-11-27T10:13:00Z", "time": "10:13:00Z", "duration": "P30D"}  # RFC 3339
LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
}
WHOLE = re.compile(r"-?[0-9]+")
MAX_DIGITS = 18  # what fits into 64 bits, so that every reader of the JSON understands it
YES_OR_NO = [("true", "yes"), ("false", "no")]
WORD = re.compile(r"[A-Z]?[^A-Z_\-\s]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A field and the value it is for: that at the end of `path`, or with `is_rest` what the object there has beside
    the entries with fields of their own. `groups` are the titles of the objects around it."""

    path: tuple[str, ...]
    groups: tuple[str, ...]
    field: forms.Field
    is_required: bool = False
    is_rest: bool = False
    known: frozenset[str] = frozenset()  # the entries with fields of their own

    @property
    def name(self) -> str:
        """Below the name of the mixin, as failures name what is wrong."""
        return "".join(f".{part}" for part in self.path) + (".*" if self.is_rest else "")

    def of(self, value: Any) -> Any:
        """What is stored of it in the whole value; None for nothing."""
        for part in self.path:
            value = value.get(part) if isinstance(value, Mapping) else None
        if not self.is_rest:
            return value
        if not isinstance(value, Mapping):
            return None
        return {name: each for name, each in value.items() if name not in self.known} or None


@dataclass(frozen=True, kw_only=True)
class _Node:
    """A place in the schema, with what is stored there."""

    root: Any
    schema: dict[str, Any]
    value: Any
    path: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    is_required: bool = False


def entries_of(schema: Any, value: Any) -> list[Entry]:
    """The fields for the value, in the order of the schema. One for all of it where they would be too many, or two of
    them had one name."""
    node = _Node(root=schema, schema=_plain(schema, schema), value=value)
    found = list(_entries(node))
    names = {each.name for each in found}
    return found if len(found) <= MAX_FIELDS and len(names) == len(found) else [_as_json(node)]


def title_of(schema: Any, name: str) -> str:
    """What the schema calls it, or else its name, as people write: `shoeSize` as "Shoe size"."""
    title = schema.get("title") if isinstance(schema, Mapping) else None
    if isinstance(title, str) and title.strip():
        return title.strip()
    words = [word if word.isupper() and len(word) > 1 else word.lower() for word in WORD.findall(name)]
    text = " ".join(words) or name
    return text[:1].upper() + text[1:]


def _entries(node: _Node) -> Iterator[Entry]:
    properties: dict[str, Any] = _properties(node.schema) if len(node.path) < MAX_DEPTH else {}
    if not properties or not (node.value is None or isinstance(node.value, Mapping)):
        yield _leaf(node)
        return
    required = node.schema.get("required")
    for name, schema in properties.items():
        plain = _plain(schema, node.root)
        inner = replace(
            node,
            schema=plain,
            value=(node.value or {}).get(name),
            path=(*node.path, name),
            is_required=isinstance(required, list) and name in required,
        )
        groups = (*node.groups, title_of(plain, name)) if _properties(plain) else node.groups
        yield from _entries(replace(inner, groups=groups))
    rest = set(node.value or {}) - set(properties)
    if rest or node.schema.get("patternProperties") or isinstance(node.schema.get("additionalProperties"), dict):
        given: dict[str, Any] = {"required": False, "label": "Other entries", "help_text": "As JSON, by name."}
        field = OptionalJson(**given)
        yield Entry(path=node.path, groups=node.groups, field=field, is_rest=True, known=frozenset(properties))


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    """Those of an object; empty for anything else."""
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) and _type(schema) in ("object", None) else {}


def _leaf(node: _Node) -> Entry:
    field = _field(node)
    if not _shows(field, node.value):
        return _as_json(node)
    return Entry(path=node.path, groups=node.groups, field=field, is_required=node.is_required)


def _as_json(node: _Node) -> Entry:
    given = {**_described(node), "help_text": " ".join([_described(node)["help_text"], "As JSON."]).strip()}
    return Entry(path=node.path, groups=node.groups, field=OptionalJson(**given), is_required=node.is_required)


def _shows(field: forms.Field, value: Any) -> bool:
    """Whether the field, saved as it is shown, would be the value."""
    if value is None:
        return True
    try:
        return json.dumps(field.clean(field.prepare_value(value))) == json.dumps(value)
    except (ValidationError, ValueError, TypeError, AttributeError):
        return False


def _field(node: _Node) -> forms.Field:
    """The field of the kind that the schema asks for, JSON for what has none."""
    given, schema, kind = _described(node), node.schema, _type(node.schema)
    choices = _choices(schema) or (YES_OR_NO if kind == "boolean" else [])
    if choices:
        return OneOf(choices=choices, is_needed=node.is_required and node.value is not None, **given)
    if kind in ("integer", "number"):
        return Number(is_whole=kind == "integer", **given)
    if kind == "string":
        return _text(schema, node.value, given)
    return _list(_plain(schema.get("items", {}), node.root), given) if kind == "array" else OptionalJson(**given)


def _list(items: dict[str, Any], given: dict[str, Any]) -> forms.Field:
    if choices := _choices(items):
        return SomeOf(choices=choices, **given)
    if _type(items) != "string":
        return OptionalJson(**given)
    return Lines(**{**given, "help_text": " ".join([given["help_text"], "One on each line."]).strip()})


def _text(schema: dict[str, Any], value: Any, given: dict[str, Any]) -> forms.Field:
    form, longest = schema.get("format"), schema.get("maxLength")
    if form == "date" and (value is None or _is_day(value)):
        return Text(widget=forms.DateInput(attrs={"type": "date"}), **given)
    if form in INPUT_MODES:
        return Text(widget=forms.TextInput(attrs={"inputmode": INPUT_MODES[form], "class": "vTextField"}), **given)
    is_long = isinstance(longest, int) and longest > LONG
    if is_long or (isinstance(value, str) and ("\n" in value or len(value) > LONG)):
        return Text(widget=forms.Textarea(attrs={"rows": 3, "cols": 60}), **given)
    return Text(widget=forms.TextInput(attrs={"class": "vTextField"}), **given)


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _described(node: _Node) -> dict[str, Any]:
    """The label and the help of the field."""
    schema = node.schema
    label = title_of(schema, node.path[-1] if node.path else "Value")
    said = schema.get("description")
    limits = ", ".join(words.format(schema[name]) for name, words in LIMITS.items() if _is_number(schema.get(name)))
    example = EXAMPLES.get(str(schema.get("format")))
    default = schema.get("default")
    parts = [
        "Needed." if node.is_required else "",
        f"{said.strip().rstrip('.')}." if isinstance(said, str) and said.strip() else "",
        f"{limits[:1].upper()}{limits[1:]}." if limits else "",
        f"Such as {example}." if example else "",
        f"Empty: {in_words(default)}." if default not in (None, "", [], {}) else "",
    ]
    help_text = " ".join(part for part in parts if part)
    return {"required": False, "label": label, "help_text": help_text}


def in_words(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return ", ".join(map(in_words, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _type(schema: dict[str, Any]) -> str | None:
    """The one type, where null, which stands for nothing, is none; "" for several, None where none is named."""
    named = schema.get("type")
    if named is None:
        return None
    kinds = [each for each in named if each != "null"] if isinstance(named, list) else [named]
    return str(kinds[0]) if len(kinds) == 1 else ""


def _choices(schema: dict[str, Any]) -> list[tuple[str, str]]:
    """Values as JSON, with what they are called; empty where any value may be chosen."""
    if isinstance(schema.get("enum"), list):
        return [(json.dumps(each), in_words(each)) for each in schema["enum"] if each is not None]
    if "const" in schema:
        return [(json.dumps(schema["const"]), in_words(schema["const"]))]
    named = schema.get("oneOf") or schema.get("anyOf")
    if not isinstance(named, list) or not all(isinstance(each, dict) and "const" in each for each in named):
        return []
    return [(json.dumps(each["const"]), str(each.get("title") or in_words(each["const"]))) for each in named]


def _plain(schema: Any, root: Any) -> dict[str, Any]:
    """The schema with the one that it refers to in its place, and without null as an alternative; {} for what says
    nothing, or refers to what can't be told here."""
    for _ in range(MAX_STEPS):
        if not isinstance(schema, dict):
            return {}
        following = _following(schema, root)
        if following is None:
            return schema
        schema = following
    return {}


def _following(schema: dict[str, Any], root: Any) -> Any:
    """What stands for the schema; None if it stands for itself."""
    if isinstance(schema.get("$ref"), str):
        target = _target(root, schema["$ref"])
        beside = {name: each for name, each in schema.items() if name != "$ref"}
        return {**target, **beside} if isinstance(target, dict) else {}
    for name in ("anyOf", "oneOf", "allOf"):
        listed = schema.get(name)
        if not isinstance(listed, list):
            continue
        others = [each for each in listed if each != {"type": "null"}]
        if len(others) == 1 and isinstance(others[0], dict):
            return {**others[0], **{key: each for key, each in schema.items() if key != name}}
    return None


def _target(root: Any, reference: str) -> Any:
    """What a reference inside the document leads to (RFC 6901, 6); None for others."""
    if not reference.startswith("#"):
        return None
    found = root
    for part in unquote(reference[1:]).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found if reference == "#" or reference.startswith("#/") else None


class OptionalJson(IndentedJson):
    """JSON; empty for nothing."""

    widget = forms.Textarea(attrs={"rows": 6, "cols": 60, "class": "code", "spellcheck": "false"})

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class Text(forms.CharField):
    """A text; None for an empty one."""

    def __init__(self, **given: Any) -> None:
        super().__init__(empty_value=None, **given)

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.replace("\r\n", "\n") if isinstance(value, str) else value)


class Number(forms.FloatField):
    """A number as it was typed: 5 is none with a fraction."""

    widget = forms.TextInput

    def __init__(self, *, is_whole: bool = False, **given: Any) -> None:
        super().__init__(**given)
        self.is_whole = is_whole
        self.widget.attrs["inputmode"] = "numeric" if is_whole else "decimal"

    def to_python(self, value: Any) -> Any:
        text = str(value if value is not None else "").strip()
        if not text:
            return None
        if not WHOLE.fullmatch(text):
            if self.is_whole:
                raise ValidationError("Enter a whole number.", code="invalid")
            return super().to_python(text)
        if len(text) > MAX_DIGITS:
            raise ValidationError(f"A number has at most {MAX_DIGITS} digits.", code="invalid")
        return int(text)


class OneOf(forms.TypedChoiceField):
    """One of a few values, which travel as JSON. Where one is needed and there is one, none can't be chosen."""

    def __init__(self, *, choices: list[tuple[str, str]], is_needed: bool, **given: Any) -> None:
        self.known = dict(choices)
        super().__init__(
            choices=choices if is_needed else [("", "-"), *choices], coerce=json.loads, empty_value=None, **given
        )

    def prepare_value(self, value: Any) -> Any:
        """What was sent is JSON; what is stored becomes it."""
        is_sent = isinstance(value, str) and value in self.known
        return value if value in ("", None) or is_sent else json.dumps(value)


class SomeOf(forms.TypedMultipleChoiceField):
    """Some of a few values, which travel as JSON."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *, choices: list[tuple[str, str]], **given: Any) -> None:
        self.known = dict(choices)
        super().__init__(choices=choices, coerce=json.loads, empty_value=[], **given)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [each if isinstance(each, str) and each in self.known else json.dumps(each) for each in value]
