"""`responseFields`: whatever it names is there, whatever it leaves out is not, and nonsense is refused."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_providers.api.kibo.response_fields import MAX_DEPTH, is_wanted, parse
from tenants.errors import InvalidInput

NAMES = ["id", "userId", "name", "items", "Contacts", "x_1"]
BODY = {
    "id": 1,
    "Name": "Ada",
    "contacts": [{"id": 2, "email": "a", "address": {"city": "London"}}, {"id": 3}],
    "no": None,
}
Wanted = dict[str, Any]

bodies: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=20,
)
# A name with what is wanted of it, or with None for all of it.
trees: st.SearchStrategy[Wanted] = st.recursive(
    st.dictionaries(st.sampled_from([*NAMES, "unknown"]), st.none(), min_size=1, max_size=4),
    lambda inner: st.dictionaries(st.sampled_from([*NAMES, "unknown"]), st.none() | inner, min_size=1, max_size=4),
    max_leaves=8,
)


def spelled(tree: Wanted, comma: str, change: Any) -> str:
    return comma.join(
        change(name) + ("" if inner is None else f"({spelled(inner, comma, change)})") for name, inner in tree.items()
    )


def expected(body: Any, tree: Wanted | None) -> Any:
    """The same, thought out anew."""
    if tree is None or not isinstance(body, dict | list):
        return body
    if isinstance(body, list):
        return [expected(each, tree) for each in body]
    return {name: expected(value, tree[name]) for name, value in body.items() if name in tree}


def chosen(body: Any, text: str) -> Any:
    fields = parse(text)
    return fields.of(body) if fields else body


@given(
    body=st.dictionaries(st.sampled_from(NAMES), bodies),
    tree=trees,
    comma=st.sampled_from([",", "%2C", "%2c", " , ", ",,"]),
    change=st.sampled_from([str, str.upper, str.lower, str.swapcase]),
)
def test_what_is_named_is_there_and_nothing_else(body: Any, tree: Wanted, comma: str, change: Any) -> None:
    assert chosen(body, spelled(tree, comma, change)) == expected(body, tree)


@given(text=st.text(alphabet="ab,() %2Cé\n", max_size=40) | st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        assert chosen({"a": {"b": 1, "a": [{"b": 2}]}, "b": None}, text).keys() <= {"a", "b"}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", BODY),
        (" , ", BODY),
        ("ID", {"id": 1}),
        ("nothing", {}),
        ("id(name)", {"id": 1}),
        ("contacts(id)", {"contacts": [{"id": 2}, {"id": 3}]}),
        ("contacts(id),contacts(address(city))", {"contacts": [{"id": 2, "address": {"city": "London"}}, {"id": 3}]}),
        ("contacts,contacts(id)", {"contacts": BODY["contacts"]}),
        ("no,name,", {"Name": "Ada", "no": None}),
    ],
)
def test_parts(text: str, answer: Any) -> None:
    assert chosen(BODY, text) == answer


@pytest.mark.parametrize(
    "text",
    ["(", ")", "id(", "id)", "id()", "id(,)", "(id)", "id(name", "id name", "id(name)(no)", "id-x", "a.b", "a(b))"],
)
def test_nonsense(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse(text)


def test_depth_has_an_end() -> None:
    assert parse("a(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH)
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(InvalidInput):
            parse("a(" * depth + "a" + ")" * depth)


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("", ["a", "a.b"], []),
        ("A", ["a", "a.b", "a.b.c"], ["b", "b.a"]),
        ("a(b(c)),d", ["a", "A.B", "a.b.c", "a.b.c.d", "d.a"], ["b", "a.c", "a.b.d", "b.c"]),
    ],
)
def test_what_leads_to_a_wanted_part_is_wanted(text: str, wanted: list[str], unwanted: list[str]) -> None:
    fields = parse(text)
    assert all(is_wanted(fields, *path.split(".")) for path in wanted)
    assert not any(is_wanted(fields, *path.split(".")) for path in unwanted)
