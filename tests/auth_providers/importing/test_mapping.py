"""What a mapping reads from a record: which column wins, what is stripped and replaced, what a file lacks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_providers.importing import mapping
from auth_providers.importing.mapping import (
    BadMapping,
    CustomerMapping,
    Key,
    Password,
    Record,
    Source,
    load,
    shipped_names,
    source,
)

NESTED: Record = {
    "name": "Ada",
    "a.b": "the column itself",
    "a": {"b": "the path", "c": "within"},
    "empty.one": "",
    "list": ["first", {"city": "Turin"}, 3],
    "is_new": True,
    "is_old": False,
    "count": 0,
    "nothing": None,
    "object": {"x": "1"},
}


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("name", "Ada"),
        ("unknown", ""),
        ("a.b", "the column itself"),
        ("a.c", "within"),
        ("a.d", ""),
        ("name.c", ""),
        ("list.0", "first"),
        ("list.1.city", "Turin"),
        ("list.2", "3"),
        ("list.3", ""),
        ("list.-1", ""),
        ("list.city", ""),
        ("is_new", "true"),
        ("is_old", "false"),
        ("count", "0"),
        ("nothing", ""),
        ("object", ""),
        ("list", ""),
        ("empty.one", ""),
    ],
)
def test_a_value_is_found_by_its_column_or_its_path(column: str, text: str) -> None:
    assert source(column).read(NESTED) == text


@pytest.mark.parametrize(
    ("given_source", "record", "text"),
    [
        (Source(columns=["a", "b"]), {"a": "1", "b": "2"}, "1"),
        (Source(columns=["a", "b"]), {"a": " \t", "b": " 2 "}, "2"),
        (Source(columns=["a", "b"]), {"a": None}, ""),
        (Source(columns=["a", "b", "c"], join=", "), {"a": "1", "b": "", "c": " 3"}, "1, 3"),
        (Source(columns=["a", "b"], join=""), {"a": "1", "b": "2"}, "12"),
        (Source(columns=["a"], strip="'\""), {"a": " '\" 01067 '"}, "01067"),
        (Source(columns=["a", "b"], strip="'"), {"a": "' '", "b": "2"}, "2"),
        (Source(columns=["a"], strip="0"), {"a": 700}, "7"),
        (Source(columns=["a.b"], strip="'"), {"a.b": "'its own'", "a": {"b": "the path's"}}, "its own"),
        (Source(columns=["a"], values={"1": "male"}), {"a": "1"}, "male"),
        (Source(columns=["a"], values={"1": "male"}), {"a": "2"}, "2"),
        (Source(columns=["a"], values={"1": ""}, default="DE"), {"a": "1"}, ""),
        (Source(columns=["a"], values={"DE": "no"}, default="DE"), {"a": ""}, "DE"),
        (Source(columns=["a", "b"], join=" ", default="none"), {"a": "", "b": ""}, "none"),
        (Source(columns=["a", "b"], join=" ", values={"1 2": "both"}), {"a": "1", "b": "2"}, "both"),
    ],
)
def test_what_a_source_reads(given_source: Source, record: Record, text: str) -> None:
    assert given_source.read(record) == text


@pytest.mark.parametrize(("column", "is_set"), [("yes", True), ("no", False), ("other", False), ("missing", False)])
def test_a_flag_is_set_by_a_word_for_yes_alone(column: str, is_set: bool) -> None:
    assert Source(columns=[column]).read_flag({"yes": "YES", "no": "no", "other": "perhaps"}) is is_set


@given(st.sampled_from([*mapping.TRUE_WORDS, *mapping.FALSE_WORDS]), st.sampled_from([str.lower, str.upper, str.title]))
def test_an_answer_is_yes_or_no_however_it_is_spelled(word: str, spelled: Callable[[str], str]) -> None:
    assert Source(columns=["a"]).read_answer({"a": f" {spelled(word)} "}) is (word in mapping.TRUE_WORDS)


def test_no_answer_is_neither_yes_nor_no() -> None:
    assert Source(columns=["a"]).read_answer({"a": " "}) is None
    assert Source(columns=["a"]).read_answer({}) is None


@pytest.mark.parametrize("word", ["perhaps", "2", "yes and no"])
def test_an_answer_in_another_word_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match="neither yes nor no"):
        Source(columns=["a"]).read_answer({"a": word})


def test_columns_are_written_as_one_as_several_or_as_a_source() -> None:
    own = Source(columns=["a"], strip="'")
    assert source(own) is own
    assert source("a") == Source(columns=["a"])
    assert source(["a", "b"]) == Source(columns=["a", "b"])
    assert source(["a"]).read({"a": "1"}) == "1"


EVERYTHING = CustomerMapping(
    format="csv",
    email=["mail", "e-mail"],
    key=Key(name="till", value="id"),
    phone="tel",
    profile={"first_name": "first"},
    consents={"email": "news"},
    identifiers={"card": "c"},
    addresses=[{"city": "town"}, {"city": "town 2"}],
    password=Password(hash="h", salt="s"),
    is_verified="proven",
    continued_by="mail",
)
COLUMNS = {"mail", "id", "tel", "first", "news", "c", "town", "town 2", "h", "s", "proven"}


@pytest.mark.parametrize(
    ("column", "missing"),
    [
        ("mail", [("continued_by", "mail")]),
        ("id", [("key", "id")]),
        ("tel", [("phone", "tel")]),
        ("first", [("profile.first_name", "first")]),
        ("news", [("consents.email", "news")]),
        ("c", [("identifiers.card", "c")]),
        ("town 2", [("addresses.1.city", "town 2")]),
        ("h", [("password.hash", "h")]),
        ("s", [("password.salt", "s")]),
        ("proven", [("is_verified", "proven")]),
    ],
)
def test_each_column_that_a_file_lacks_is_named(column: str, missing: list[tuple[str, str]]) -> None:
    assert list(EVERYTHING.absent_from(COLUMNS)) == []
    assert list(EVERYTHING.absent_from(COLUMNS - {column} | {"e-mail"})) == missing


def test_one_of_several_columns_is_enough_and_none_are_named_together() -> None:
    wanted = CustomerMapping(format="csv", email=["mail", "e-mail"])
    assert list(wanted.absent_from(["e-mail"])) == []
    assert list(wanted.absent_from(["other"])) == [("email", "mail or e-mail")]


def test_what_a_mapping_does_not_ask_for_is_not_missing() -> None:
    assert list(CustomerMapping(format="csv", email="e").absent_from(["e"])) == []
    with_hash = CustomerMapping(format="csv", email="e", password=Password(hash="h"))
    assert list(with_hash.absent_from(["e", "h"])) == []


def test_every_mapping_that_ships_is_sound() -> None:
    assert shipped_names() == ["magento", "patron", "shopify", "woocommerce"]
    assert {name: load(name).format for name in shipped_names()} == {
        "magento": "csv",
        "patron": "jsonl",
        "shopify": "csv",
        "woocommerce": "csv",
    }


def written(folder: Path, text: str) -> str:
    path = folder / "own.yaml"
    path.write_text(f"format: csv\nemail: e\n{text}\n", encoding="utf-8")
    return str(path)


def test_a_file_of_ones_own_is_read_whole(tmp_path: Path) -> None:
    text = (
        "key: {name: till, value: id}\nprofile: {title: t}\nidentifiers: {card: c}\nconsents: {sms: s}\n"
        "addresses: [{city: town}]\npassword: {hash: h, salt: s, form: md5(password)}"
    )
    assert load(written(tmp_path, text)) == CustomerMapping(
        format="csv",
        email="e",
        key=Key(name="till", value="id"),
        profile={"title": "t"},
        identifiers={"card": "c"},
        consents={"sms": "s"},
        addresses=[{"city": "town"}],
        password=Password(hash="h", salt="s", form="md5(password)"),
    )


def test_a_password_whose_hash_says_itself_what_it_is_needs_no_form(tmp_path: Path) -> None:
    assert load(written(tmp_path, "password: {hash: h}")).password == Password(hash="h")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("profile: {properties: p}", "profile.properties does not exist; there are "),
        ("addresses: [{city: c}, {town: t}]", "addresses.1.town does not exist; there are "),
        ("identifiers: {'a b': x}", "a b can't name an identifier"),
        ("key: {name: '-', value: x}\nidentifiers: {card: c}", "- can't name an identifier"),
        ("password: {hash: h, form: md4(password)}", "password.form is none; one is sha256(salt+password)"),
    ],
)
def test_what_a_mapping_can_not_name(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadMapping) as failed:
        load(path)
    assert str(failed.value).startswith(f"{path}: {words}")


def test_a_mapping_that_is_not_there_or_not_in_utf_8(tmp_path: Path) -> None:
    with pytest.raises(BadMapping, match=r"none\.yaml"):
        load(str(tmp_path / "none.yaml"))
    path = tmp_path / "own.yaml"
    path.write_bytes(b"format: csv\nemail: \xeb\n")
    with pytest.raises(BadMapping, match=r"own\.yaml"):
        load(str(path))
