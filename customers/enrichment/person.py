"""Enrichment of what is known about the person: the date of birth, the sex, and the title that follows from it."""

import re
from datetime import date, datetime

from django.utils import timezone

from customers.enrichment.draft import Draft
from customers.personal_details import EARLIEST_BIRTH

MALE, FEMALE, OTHER, UNKNOWN = "MALE", "FEMALE", "OTHER", "UNKNOWN"
# What tills and forms send; the digits are ISO/IEC 5218's. Anything else stays as it was sent.
SEXES = {
    **dict.fromkeys(("MALE", "M", "MAN", "1"), MALE),
    **dict.fromkeys(("FEMALE", "F", "W", "WOMAN", "2"), FEMALE),
    **dict.fromkeys(("OTHER", "O", "X", "D", "DIVERSE"), OTHER),
    **dict.fromkeys(("UNKNOWN", "U", "0", "9"), UNKNOWN),
}
TITLES = {MALE: "MR", FEMALE: "MS"}
ISO_DATE = re.compile(r"(\d{4}-\d{2}-\d{2}|\d{8})(T.*)?", re.ASCII)


def normalize_birth_date(draft: Draft) -> None:
    """As YYYY-MM-DD."""
    value = draft.values.get("birth_date")
    if value is None or value == "":
        return
    born = _date(value)
    if born is None:
        draft.refuse("birth_date", "Enter a date such as 1990-12-31.")
    elif not EARLIEST_BIRTH <= born <= timezone.now().date():
        draft.refuse("birth_date", "Enter the date of a birth.")
    else:
        draft.values["birth_date"] = born.isoformat()


def _date(value: object) -> date | None:
    """A day in ISO 8601's calendar forms, also with a time, which says nothing about the day (its zone is unknown)."""
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    match = ISO_DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def normalize_sex(draft: Draft) -> None:
    """One of `SEXES`, or what was sent; for some a title follows."""
    if sent := draft.text("sex"):
        sex = SEXES.get(sent.upper(), sent)
        draft.values["sex"] = sex
        draft.derive("title", TITLES.get(sex))
