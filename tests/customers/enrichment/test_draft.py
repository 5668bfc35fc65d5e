"""The values of one customer while enrichment works on them: what counts as sent, and what is filled in."""

import pytest

from customers.enrichment.draft import Draft
from tenants.errors import FieldError
from tenants.models import Tenant

INVALID = FieldError(field="city", code="invalid", message="Where is that?")


def draft(**values: object) -> Draft:
    return Draft(tenant=Tenant(code="acme"), values=values)


def test_a_text_is_what_was_sent_while_nothing_is_wrong_with_it() -> None:
    sent = draft(city="Ockham", country="GB", number=7, nothing=None, empty="")
    assert [sent.text(name) for name in ("city", "number", "nothing", "empty", "missing")] == ["Ockham", "", "", "", ""]
    sent.refuse("city", "Where is that?")
    assert (sent.text("city"), sent.text("country")) == ("", "GB")
    assert (sent.is_refused("city"), sent.is_refused("country")) == (True, False)
    assert sent.errors == [INVALID]
    assert sent.values["city"] == "Ockham"


@pytest.mark.parametrize(("values", "expected"), [({}, True), ({"city": ""}, True), ({"city": None}, False)])
def test_none_is_an_answer_and_an_empty_text_is_none(values: dict[str, object], expected: bool) -> None:
    assert draft(**values).is_absent("city") is expected
    assert draft(**values).is_absent("country") is True


@pytest.mark.parametrize("value", [0, False, "x", " "])
def test_whatever_else_was_sent_is_there(value: object) -> None:
    assert draft(city=value).is_absent("city") is False


def test_one_spelling_takes_the_place_of_what_was_sent_and_none_refuses_it() -> None:
    sent = draft(city="ockham", country="xx")
    sent.normalize("city", "Ockham", "Where is that?")
    assert (sent.values, sent.errors, sent.derived) == ({"city": "Ockham", "country": "xx"}, [], [])
    sent.normalize("city", None, "Where is that?")
    assert (sent.values, sent.errors) == ({"city": "Ockham", "country": "xx"}, [INVALID])
    sent.normalize("country", "", "No country")
    assert (sent.values["country"], sent.errors) == ("", [INVALID])


def test_a_refusal_has_the_code_that_it_is_given() -> None:
    sent = draft()
    sent.refuse("city", "Twice", "duplicate")
    assert sent.errors == [FieldError(field="city", code="duplicate", message="Twice")]


@pytest.mark.parametrize(
    ("values", "value", "filled"),
    [
        ({}, "Ockham", True),
        ({"city": ""}, "Ockham", True),
        ({"city": "Kew"}, "Ockham", False),
        ({"city": None}, "Ockham", False),
        ({}, None, False),
        ({}, "", False),
    ],
)
def test_only_what_nobody_sent_is_filled_in(values: dict[str, object], value: str | None, filled: bool) -> None:
    sent = draft(**values)
    sent.derive("city", value)
    assert sent.values == ({"city": "Ockham"} if filled else values)
    assert sent.derived == (["city"] if filled else [])
