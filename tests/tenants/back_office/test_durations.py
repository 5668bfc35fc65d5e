"""Periods that staff read and type in words."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from tenants.back_office import durations
from tenants.back_office.durations import PeriodField


@given(st.integers(0, 10**10))
def test_every_period_is_understood_as_it_is_said(seconds: int) -> None:
    assert durations.seconds_of(durations.in_words(seconds)) == seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "1 minute 1 second"),
        (3599, "59 minutes 59 seconds"),
        (7200, "2 hours"),
        (86_399, "23 hours 59 minutes 59 seconds"),
        (86_400, "1 day"),
        (2 * 86_400 + 120, "2 days 2 minutes"),
    ],
)
def test_a_unit_begins_where_the_smaller_one_is_full(seconds: int, words: str) -> None:
    assert durations.in_words(seconds) == words


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("0 days", 0),
        ("1 s", 1),
        ("1 Day,2 Hours,  and 3 m", 93_780),
        ("1day2hours", 93_600),
        ("5 min 5 min", 600),
        ("90 seconds", 90),
        ("1 minute and", 60),
    ],
)
def test_units_may_be_short_and_follow_each_other_in_any_way(words: str, seconds: int) -> None:
    assert durations.seconds_of(words) == seconds


@pytest.mark.parametrize(
    "words", [" ", "1 dayss", "1 month", "1 year", "and 1 day", "1 day; 2 hours", "1 day or 2 hours"]
)
def test_other_words_are_no_period(words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}$"):
        durations.seconds_of(words)


@pytest.mark.parametrize(
    ("zero", "value", "shown"),
    [
        ("", 0, "0 seconds"),
        ("never", 0, "never"),
        ("never", 3600, "1 hour"),
        ("never", None, None),
        ("never", "as typed", "as typed"),
    ],
)
def test_a_field_shows_words_and_what_was_typed_as_it_is(zero: str, value: Any, shown: Any) -> None:
    assert PeriodField(zero=zero).prepare_value(value) == shown


@pytest.mark.parametrize(
    ("zero", "typed", "seconds"),
    [
        ("never", "never", 0),
        ("Never", " NEVER ", 0),
        ("never", "1 hour", 3600),
        ("never", "0 seconds", 0),
        ("", "2 days", 172_800),
        ("", "", None),
        ("never", "  ", None),
    ],
)
def test_a_field_reads_words(zero: str, typed: str, seconds: int | None) -> None:
    assert PeriodField(zero=zero, required=False).clean(typed) == seconds


@pytest.mark.parametrize(("zero", "typed"), [("", "never"), ("never", "soon"), ("never", "30"), ("", "0")])
def test_a_field_refuses_what_is_no_period_and_says_how_to_write_one(zero: str, typed: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PeriodField(zero=zero).clean(typed)
    assert refused.value.messages == ["Write a number and its unit, such as 30 days, 12 hours or 90 minutes."]
    assert [error.code for error in refused.value.error_list] == ["invalid"]


@pytest.mark.parametrize(
    ("initial", "data", "expected"),
    [(3600, "1 hour", False), (3600, " 1 hour ", False), (3600, "2 hours", True), (0, "never", False), (0, "", True)],
)
def test_a_period_has_changed_where_other_words_were_typed(initial: int, data: str, expected: bool) -> None:
    assert PeriodField(zero="never").has_changed(initial, data) is expected


def test_no_longer_text_can_be_typed_than_a_period_needs() -> None:
    assert PeriodField().widget.attrs["maxlength"] == "60"
