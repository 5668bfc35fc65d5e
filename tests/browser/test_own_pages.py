"""Our own pages, from the link to the last page: what axe-core finds on each of them."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page

from tests import factories
from tests.browser import accessibility
from tests.browser.server import Demo

pytestmark = pytest.mark.browser

TEMPLATES = Path(settings.BASE_DIR, "templates", "pages")
FRAGMENT = re.compile(r"base|\w+_error")  # what stands in others
HEADING = "h1"


def press(page: Page) -> None:
    page.locator("main form button[type=submit]").last.click()


def confirm(page: Page) -> None:
    press(page)


def password(page: Page) -> None:
    page.get_by_label("New password").fill("short")
    press(page)
    look(page)
    page.get_by_label("New password").fill("another battery staple")
    press(page)


def log_in(page: Page) -> None:
    for typed in ("wrong", factories.PASSWORD):
        page.get_by_label("E-mail address").fill("log-in@example.com")
        page.get_by_label("Password").fill(typed)
        page.get_by_role("button", name="Log in and confirm").click()
        look(page)
    page.get_by_label("Code").fill("000000")
    press(page)


def log_in_by_code(page: Page) -> None:
    page.get_by_label("E-mail address").fill("log-in-code@example.com")
    page.get_by_role("button", name="Send me a code instead").click()
    look(page)
    page.get_by_label("Code").fill("000000")
    press(page)


def link(page: Page) -> None:
    """The code is not that of the mail yet; the walk's end has it (`test_an_identity_is_linked`)."""
    page.get_by_label("Code").fill("abcdef")
    press(page)


# What is done on each, and the templates of the pages before and after.
WALKS: dict[str, tuple[Callable[[Page], None], set[str]]] = {
    "confirm": (confirm, {"confirm", "confirmed"}),
    "password": (password, {"password", "password_chosen"}),
    "email": (confirm, {"email", "email_changed"}),
    "email_taken": (confirm, {"email_taken"}),
    "deletion": (confirm, {"deletion", "deleted"}),
    "undo": (confirm, {"undo", "undone"}),
    "log_in": (log_in, {"log_in", "second_factor"}),
    "log_in_code": (log_in_by_code, {"log_in", "second_factor"}),
    "link": (link, {"link"}),
}
# Looked at by other tests, or the like of one that is looked at.
ELSEWHERE = {"provider", "linked", "bad_link", "unknown_shop", "throttled", "undone_before", "log_in_added"}


def look(page: Page) -> None:
    faults = accessibility.faults_of(page)
    assert not faults, "\n".join([page.url, page.inner_text(HEADING), *faults])


@pytest.mark.parametrize("name", WALKS)
def test_our_own_pages_have_no_fault(visitor: Page, demo: Demo, name: str) -> None:
    visitor.goto(demo.shop.own[name])
    first = visitor.inner_text("main")
    look(visitor)
    WALKS[name][0](visitor)
    assert visitor.inner_text("main") != first
    look(visitor)


def test_an_identity_is_linked(visitor: Page, demo: Demo) -> None:
    visitor.goto(demo.shop.own["link"])
    visitor.get_by_label("Code").fill(demo.shop.link_code)
    press(visitor)
    assert "Both belong together now" in visitor.inner_text("main")
    look(visitor)


def test_the_page_that_a_provider_leads_back_to_has_no_fault(visitor: Page, demo: Demo) -> None:
    visitor.goto(demo.shop.own["provider"])
    assert "further-provider@example.com" in visitor.inner_text("main")
    look(visitor)


def test_a_provider_is_offered_by_a_link_that_leads_there(visitor: Page, demo: Demo) -> None:
    visitor.goto(demo.shop.own["log_in_code"])
    there = visitor.get_by_role("link", name="Continue with Google").get_attribute("href") or ""
    assert there.startswith("https://accounts.google.com/")


def test_every_one_of_our_own_pages_is_looked_at() -> None:
    every = {path.stem for path in TEMPLATES.glob("*.html") if not FRAGMENT.fullmatch(path.stem)}
    assert every == set().union(*(templates for _, templates in WALKS.values())) | ELSEWHERE
