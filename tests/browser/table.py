"""The table of staff's journeys in the documents, `docs/back-office/journeys.md`."""

import os
from pathlib import Path

from django.conf import settings

from tests.browser.desk import Desk

TABLE = Path(settings.BASE_DIR, "docs", "back-office", "journeys.md")
HEAD = """\
# Journeys of staff

From the start page of the back office, where the search has the focus: clicks of the mouse until the customer's page
is open, clicks in all, and how often Enter sends what was typed. At most two lead to a customer, three to what helps,
and four to what a new shop needs. Measured in Chromium by `tests/browser/test_journeys.py`
and, from the invitation or the log-in, `tests/browser/test_second_factor.py`.

| journey | clicks to the customer | clicks | Enter |
|---|---|---|---|"""
RECORDS = "PICTURES" in os.environ
COUNTED: dict[str, Desk] = {}


def check(name: str, desk: Desk) -> None:
    """The documents say how many clicks the journey takes, or are about to be written again."""
    COUNTED[name] = desk
    assert RECORDS or _row(name, desk) in TABLE.read_text().splitlines()


def names() -> list[str]:
    """The journeys in the documents."""
    rows = TABLE.read_text().removeprefix(HEAD).strip().splitlines()
    return [each.split(" | ")[0].removeprefix("| ") for each in rows]


def write() -> None:
    """Write the documents from what was counted."""
    TABLE.write_text("\n".join([HEAD, *(_row(*each) for each in COUNTED.items()), ""]))


def _row(name: str, desk: Desk) -> str:
    return f"| {name} | {desk.to_customer or '-'} | {desk.clicks} | {desk.enters} |"
