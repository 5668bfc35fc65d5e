"""Periods in words, for people: "30 days" for 2,592,000 seconds."""

import re
from typing import Any

from django import forms

UNITS = {"day": 24 * 60 * 60, "hour": 60 * 60, "minute": 60, "second": 1}  # seconds, the longest first
ONE = re.compile(r"(\d+)\s*([a-z]+)", re.IGNORECASE)
BETWEEN = re.compile(r"(?:[\s,]|\band\b)+", re.IGNORECASE)


def in_words(seconds: int) -> str:
    """`90060` as "1 day 1 hour 1 minute"; "0 seconds" for none."""
    parts, left = [], seconds
    for unit, length in UNITS.items():
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return " ".join(parts) or "0 seconds"


def seconds_of(text: str) -> int:
    """The seconds that the words mean. Raises `ValueError` for what is no period."""
    total, rest = 0, text.strip()
    if not rest:
        raise ValueError(text)
    while rest:
        found = ONE.match(rest)
        word = found[2].lower() if found else ""
        unit = next((length for name, length in UNITS.items() if f"{name}s".startswith(word)), None)
        if found is None or unit is None:
            raise ValueError(text)
        total += int(found[1]) * unit
        between = BETWEEN.match(rest, found.end())
        rest = rest[between.end() if between else found.end() :]
    return total


class PeriodField(forms.CharField):
    """Seconds, shown and typed in words. With `zero`, 0 is shown as that word, such as "never"."""

    default_error_messages = {"invalid": "Write a number and its unit, such as 30 days, 12 hours or 90 minutes."}

    def __init__(self, *, zero: str = "", **options: Any) -> None:
        super().__init__(max_length=60, **options)
        self.zero = zero

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, int):
            return value  # as it was typed
        return self.zero if self.zero and value == 0 else in_words(value)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        if self.zero and text.lower() == self.zero.lower():
            return 0
        try:
            return seconds_of(text)
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error

    def run_validators(self, value: Any) -> None:
        """Those of texts are about what was typed; the column has its own."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        return str(self.prepare_value(initial)) != str(data).strip()
