"""The pictures in `docs/back-office/`: `make pictures` takes them again."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page

from tests.browser.desk import Desk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif("PICTURES" not in os.environ, reason="make pictures"),
]

FOLDER = Path(settings.BASE_DIR, "docs", "back-office")


def search(desk: Desk) -> None:
    desk.send(desk.page.locator("#find"), "Mueller")


def timeline(desk: Desk) -> None:
    desk.find("Mailless", "Casey Mailless")
    desk.follow("Timeline")


def log_ins(desk: Desk) -> None:
    desk.find("charles@example.com", "Charles Babbage")
    desk.follow("Log-ins and sessions")


def erase(desk: Desk) -> None:
    desk.find("charles@example.com", "Charles Babbage")
    desk.follow("Erase the customer…")


PICTURES: dict[str, Callable[[Desk], None]] = {
    "start": lambda desk: None,
    "list": search,
    "timeline": timeline,
    "log_ins": log_ins,
    "erase": erase,
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_taken(page: Page, name: str) -> None:
    PICTURES[name](Desk(page))
    page.wait_for_load_state()
    page.screenshot(path=FOLDER / f"{name}.png")


def test_every_picture_is_shown() -> None:
    shown = (FOLDER / "README.md").read_text()
    assert all(f"({name}.png)" in shown for name in PICTURES)
