"""Fields of forms: what they show of what is stored, and what they make of what is posted."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.forms import CharField, ChoiceField, Form, TypedChoiceField
from django.forms.fields import InvalidJSONInput

from tenants.back_office.fields import HttpsUrl, IndentedJson, Lines, LongSelect, WordsField, chosen_from

SCOPES = [("a", "A"), ("b", "B"), ("c", "C")]


# -- words -----------------------------------------------------------------------------------------------------------
def test_ticked_words_are_stored_as_one_text() -> None:
    field = WordsField(choices=SCOPES, required=False)
    assert field.prepare_value("a  c") == ["a", "c"]
    assert field.prepare_value(["a"]) == ["a"]
    assert field.clean(["c", "a"]) == "c a"
    assert field.clean([]) == ""
    with pytest.raises(ValidationError):
        field.clean(["d"])


@pytest.mark.parametrize(
    ("initial", "data", "expected"),
    [("a c", ["c", "a"], False), ("a c", ["a"], True), ("", ["a"], True), ("", [], False), (None, [], False)],
)
def test_words_have_changed_where_others_are_ticked(initial: Any, data: list[str], expected: bool) -> None:
    assert WordsField(choices=SCOPES).has_changed(initial, data) is expected


# -- URLs and lines --------------------------------------------------------------------------------------------------
def test_a_url_without_a_scheme_is_https() -> None:
    assert HttpsUrl().clean("shop.example/a") == "https://shop.example/a"
    assert HttpsUrl().clean("http://shop.example") == "http://shop.example"
    assert HttpsUrl(required=False, label="Page").label == "Page"


def test_lines_are_a_list_without_blank_ones() -> None:
    field = Lines(required=False)
    assert field.prepare_value(["a", "b c"]) == "a\nb c"
    assert field.prepare_value("as typed") == "as typed"
    assert field.clean(" a \r\n\n\t\nb c\n") == ["a", "b c"]
    assert field.clean("") == field.clean(None) == field.clean(" \n ") == []
    with pytest.raises(ValidationError):
        Lines().clean("\n")


@pytest.mark.parametrize(
    ("initial", "data", "expected"),
    [
        (["a", "b"], "a\nb", False),
        (["a", "b"], " a \n\n b ", False),
        (["a", "b"], "b\na", True),
        (["a"], "", True),
        (None, "", False),
        ([], "\n", False),
        (None, "a", True),
    ],
)
def test_lines_have_changed_where_a_text_of_them_has(initial: Any, data: str, expected: bool) -> None:
    assert Lines().has_changed(initial, data) is expected


# -- JSON ------------------------------------------------------------------------------------------------------------
def test_json_is_shown_indented_and_in_its_own_letters() -> None:
    field = IndentedJson()
    assert field.prepare_value({"größe": [1]}) == '{\n  "größe": [\n    1\n  ]\n}'
    assert field.prepare_value(None) == "null"
    typed = InvalidJSONInput("{größe")
    assert field.prepare_value(typed) is typed


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("{", "This is not valid JSON, line 1 column 2."),
        ('{"a": NaN}', "This is not valid JSON, line 1 column 7."),
        ('"\\u0000"', "This contains a NUL character."),
        ("[" * 33 + "]" * 33, "This is nested deeper than 32 levels."),
    ],
)
def test_json_is_read_as_strictly_as_a_body(typed: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        IndentedJson().clean(typed)
    assert refused.value.messages == [message]
    assert [error.code for error in refused.value.error_list] == ["invalid"]


def test_json_that_is_right_is_its_value() -> None:
    field = IndentedJson(required=False)
    assert field.clean('{"a": [1, "ü"]}') == {"a": [1, "ü"]}
    assert field.clean("") is None
    assert field.clean({"a": 1}) == {"a": 1}
    assert IndentedJson(required=False, disabled=True).to_python({"a": 1}) == {"a": 1}


def test_what_was_typed_is_shown_again_as_it_was_typed() -> None:
    class Settings(Form):
        taste = IndentedJson()
        fixed = IndentedJson(disabled=True)

    form = Settings({"taste": '{"a":1}', "fixed": "{}"}, initial={"taste": {"b": 2}, "fixed": {"c": 3}})
    assert form["taste"].value() == '{"a":1}'
    assert form["fixed"].value() == '{\n  "c": 3\n}'
    assert Settings({})["taste"].value() == ""


# -- one of many -----------------------------------------------------------------------------------------------------
def test_a_long_list_is_rendered_with_the_chosen_one_and_nothing_of_it_is_markup() -> None:
    widget = LongSelect(attrs={"class": "long"}, choices=[("a&b", "<A>"), ("c", "C"), ("Group", [("d", "D")])])
    assert widget.render("code", "c", attrs={"id": "id_code"}) == (
        '<select name="code" class="long" id="id_code"><option value="a&amp;b">&lt;A&gt;</option>'
        '<option value="c" selected>C</option><option value="d">D</option></select>'
    )


def chosen(stored: str | None, *, required: bool = True) -> ChoiceField:
    text = CharField(label="Country", help_text="ISO 3166", initial="b", required=required)
    return chosen_from(text, [("b", "B"), ("a", "A")], stored=stored)


def offered_by(field: ChoiceField) -> list[tuple[str, str]]:
    choices: Any = field.choices
    return list(choices)


def test_a_field_is_made_one_to_choose_from_and_keeps_its_words() -> None:
    field = chosen(None)
    assert type(field) is ChoiceField
    assert (field.label, field.help_text, field.initial, field.required) == ("Country", "ISO 3166", "b", True)
    assert isinstance(field.widget, LongSelect)
    assert field.clean("a") == "a"
    for refused in ("c", ""):
        with pytest.raises(ValidationError):
            field.clean(refused)


@pytest.mark.parametrize(
    ("stored", "offered"),
    [
        (None, ["b", "a"]),
        ("", ["b", "a"]),
        ("a", ["b", "a"]),
        ("retired", ["retired", "b", "a"]),
    ],
)
def test_what_is_stored_already_is_offered_first_though_it_is_on_no_list(
    stored: str | None, offered: list[str]
) -> None:
    assert [value for value, _ in offered_by(chosen(stored))] == offered
    optional = offered_by(chosen(stored, required=False))
    assert (optional[0], [value for value, _ in optional]) == (("", "-"), ["", *offered])


def test_nothing_may_be_chosen_where_nothing_is_needed_and_is_none() -> None:
    field = chosen("retired", required=False)
    assert type(field) is TypedChoiceField
    assert (field.label, field.help_text, field.initial) == ("Country", "ISO 3166", "b")
    assert field.clean("") is None
    assert field.clean("retired") == "retired"
