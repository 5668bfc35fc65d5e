"""Reading JSON of others: what it may hold, how deep and how long it may be, and where it is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants import json_values
from tenants.json_values import MAX_DEPTH, MAX_ITEMS, NotJson

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_was_written_is_read_as_bytes_and_as_text(value: Any) -> None:
    text = json.dumps(value)
    assert json_values.parse(text) == json_values.parse(text.encode()) == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "line 1 column 1"),
        ("{", "line 1 column 2"),
        ('{\n  "a": x}', "line 2 column 8"),
        ("NaN", "line 1 column 1"),
        ("[Infinity]", "line 1 column 2"),
        ("[1] 2", "line 1 column 5"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(NotJson) as refused:
        json_values.parse(text)
    assert (str(refused.value), refused.value.place) == ("is not valid JSON", place)
    assert refused.value.in_words() == f"is not valid JSON, {place}"


@pytest.mark.parametrize("text", [b"\xff", b'"\xc3"', rb'"\ud800"'])
def test_what_is_no_unicode_is_refused(text: bytes) -> None:
    with pytest.raises(NotJson, match="is not valid JSON"):
        json_values.parse(text)


@pytest.mark.parametrize("value", ["\0", {"a\0b": 1}, {"a": "b\0"}, [1, ["x", {"k": ["\0"]}]]])
def test_a_nul_character_is_refused_wherever_it_is(value: Any) -> None:
    with pytest.raises(NotJson) as refused:
        json_values.parse(json.dumps(value))
    assert refused.value.in_words() == "contains a NUL character"


def nested(levels: int, opening: str, closing: str) -> str:
    """A value within so many arrays or objects, which is a level of its own."""
    return opening * (levels - 1) + "1" + closing * (levels - 1)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[0,{"a":', "}]")])
def test_a_value_is_nested_so_deep_and_no_deeper(opening: str, closing: str) -> None:
    levels = 1 + (MAX_DEPTH - 1) // len(closing)
    assert json_values.parse(nested(levels, opening, closing))
    with pytest.raises(NotJson) as refused:
        json_values.parse(nested(levels + 1, opening, closing))
    assert refused.value.in_words() == "is nested deeper than 32 levels"


def test_the_innermost_array_is_a_level_though_it_is_empty() -> None:
    assert json_values.parse("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(NotJson, match="nested deeper"):
        json_values.parse("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def items(count: int) -> list[Any]:
    """An array and an object of so many items, and both within others."""
    array, members = [0] * count, {str(number): 0 for number in range(count)}
    return [array, members, [array], {"a": {"b": members}}]


def test_an_array_or_object_has_so_many_items_and_no_more() -> None:
    for value in items(MAX_ITEMS):
        assert json_values.parse(json.dumps(value)) == value
    for value in items(MAX_ITEMS + 1):
        with pytest.raises(NotJson) as refused:
            json_values.parse(json.dumps(value))
        assert refused.value.in_words() == "has an array or object of more than 1000 items"


def test_it_is_each_array_that_is_limited_and_not_all_together() -> None:
    assert json_values.parse(json.dumps([[0] * MAX_ITEMS, [0] * MAX_ITEMS]))
