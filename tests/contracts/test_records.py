"""A record renders what it describes, and leaves out what is absent."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Annotated, Any, Literal, get_args, get_origin

import jsonschema_rs
import msgspec
import pytest
from django.utils import timezone
from django.utils.safestring import SafeString
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import NODEFAULT, Meta, field

from config import docs
from tenants.api.bodies import JsonRenderer
from tenants.api.contracts import served
from tenants.api.records import Moment, Record, seconds_left
from tenants.api.schema import described, with_parts


class Part(Record):
    """A record in a record."""

    count: Annotated[int, Meta(ge=1, le=9, description="How many.")]


class Whole(Record, kw_only=True, rename="camel"):
    """A field of each kind."""

    public_id: str = field(name="id")
    kind: Literal["one", "other"]
    known_at: Moment | None
    first_part: Part
    last_part: Part | None
    spare_part: Part | None = None
    size: int | str | None = None
    properties: dict[str, Any]


def records(base: type[Record] = Record) -> Iterator[type[Record]]:
    """Every record that is declared in a module that was imported."""
    for record in base.__subclasses__():
        yield record
        yield from records(record)


served()  # imports the modules of every contract
EVERY_RECORD = pytest.mark.parametrize(
    "record", [*records()], ids=lambda record: f"{record.__module__}.{record.__name__}"
)


def rendered(body: object) -> Any:
    return json.loads(JsonRenderer().render(body))


def schema_of(record: type[Record]) -> Any:
    """What the record describes, as a JSON Schema that stands alone."""
    parts = {part.__name__: described(part) for part in with_parts(record)}
    return {"components": {"schemas": parts}, **described(record)}


def bodies(record: type[Record]) -> st.SearchStrategy[Record]:
    return st.builds(record, **{each.name: values(each.type) for each in msgspec.structs.fields(record)})


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values that a field of this type may have."""
    arguments = get_args(hint)
    if get_origin(hint) is Annotated:
        return _constrained(*arguments[:2])  # what comes after that is a description alone
    if get_origin(hint) is list:
        return st.lists(values(arguments[0]), max_size=2)
    if get_origin(hint) is dict:
        return st.dictionaries(st.text(), values(arguments[1]), max_size=2)
    if type(None) in arguments:
        return st.one_of([values(each) for each in arguments])
    if isinstance(hint, type) and issubclass(hint, Record):
        return st.deferred(lambda: bodies(hint))
    return st.none() | st.integers() if hint is Any else st.from_type(hint)


def _constrained(hint: Any, meta: Meta) -> st.SearchStrategy[Any]:
    if meta.pattern:
        return st.from_regex(meta.pattern, fullmatch=True)
    if meta.ge is not None:
        return st.integers(int(meta.ge), None if meta.le is None else int(meta.le))
    if meta.max_length is not None:
        return st.lists(values(*get_args(hint)), max_size=meta.max_length)
    return st.datetimes(timezones=st.just(UTC)) if meta.tz else values(hint)


@EVERY_RECORD
def test_what_is_rendered_is_what_is_described(record: type[Record]) -> None:
    schema = schema_of(record)
    validator = jsonschema_rs.validator_for(schema, validate_formats=True)

    @settings(max_examples=20, derandomize=True, database=None)
    @given(body=bodies(record))
    def check(body: Record) -> None:
        sent = rendered(body)
        validator.validate(sent)
        assert set(schema.get("required", ())) <= sent.keys() <= schema["properties"].keys()

    check()


@EVERY_RECORD
def test_no_field_has_a_default_but_none(record: type[Record]) -> None:
    """It would be left out, and nobody would read the value from the answer."""
    fields = msgspec.structs.fields(record) if record.__struct_config__.omit_defaults else ()
    assert all(each.default in (NODEFAULT, None) and each.default_factory is NODEFAULT for each in fields)


WHOLE: dict[str, Any] = {
    "public_id": "x1",
    "kind": "one",
    "known_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "first_part": Part(count=1),
    "last_part": None,
    "properties": {"absent": None},
}


def test_it_has_the_contracts_names_and_leaves_out_what_is_absent() -> None:
    assert rendered(Whole(**WHOLE)) == {
        "id": "x1",
        "kind": "one",
        "knownAt": "2026-01-02T03:04:05Z",
        "firstPart": {"count": 1},
        "lastPart": None,
        "properties": {"absent": None},
    }


def test_it_is_read_from_an_object_and_given_the_rest() -> None:
    source = SimpleNamespace(**WHOLE, spare_part=None, size=3, number=7)
    assert Whole.of(source, size=4, kind="other") == Whole(**WHOLE | {"size": 4, "kind": "other"})


def test_what_neither_has_is_a_mistake() -> None:
    with pytest.raises(AttributeError, match="spare_part"):
        Whole.of(SimpleNamespace(**WHOLE, size=3))


@pytest.mark.parametrize(
    ("name", "value"),
    [("public_id", None), ("kind", "third"), ("known_at", datetime(2026, 1, 2)), ("first_part", 1), ("properties", [])],  # noqa: DTZ001
)
def test_what_does_not_fit_is_not_read(name: str, value: object) -> None:
    source = SimpleNamespace(**WHOLE | {name: value}, spare_part=None, size=3)
    with pytest.raises(msgspec.ValidationError):
        Whole.of(source)
    with pytest.raises(msgspec.ValidationError):
        Whole.of(SimpleNamespace(**WHOLE, spare_part=None, size=3), **{name: value})


def test_what_is_left_out_is_never_null_and_what_may_be_null_is_said_to() -> None:
    schema = described(Whole)
    parts, reference = schema["properties"], {"$ref": "#/components/schemas/Part"}
    assert schema["required"] == ["id", "kind", "knownAt", "firstPart", "lastPart", "properties"]
    assert (parts["firstPart"], parts["sparePart"]) == (reference, reference)
    assert parts["lastPart"] == {"anyOf": [reference, {"type": "null"}]}
    assert parts["knownAt"] == {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}
    assert parts["size"] == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert parts["kind"] == {"enum": ["one", "other"]}
    assert described(Part)["properties"] == {
        "count": {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."}
    }


def test_the_documents_have_the_records_as_components() -> None:
    components = docs.document("emporix")["components"]["schemas"]
    assert components["StoredAddress"]["properties"]["zipCode"] == {"type": "string"}
    assert components["StoredMetadata"]["required"] == ["version", "mixins"]


def test_text_of_any_class_is_text_and_what_is_no_json_is_refused() -> None:
    assert rendered({"page": SafeString("<p>")}) == {"page": "<p>"}
    assert JsonRenderer().render(None) == b""
    with pytest.raises(TypeError, match="SimpleNamespace can't be rendered"):
        JsonRenderer().render({"page": SimpleNamespace()})


def test_seconds_left_are_whole_and_never_negative() -> None:
    now = timezone.now()
    assert seconds_left(now + timedelta(seconds=60)) == 59
    assert seconds_left(now - timedelta(seconds=60)) == 0
