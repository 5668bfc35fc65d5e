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
FRAGMENT = re.compile(r"base|\w+_(error|form)")  # what stands in others
HEADING = "h1"
GUESSES = 20  # more than anybody may make without a wait


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


def log_in_as(page: Page, email: str) -> None:
    for typed in ("wrong", factories.PASSWORD):
        page.get_by_label("E-mail address").fill(email)
        page.get_by_label("Password").fill(typed)
        page.get_by_role("button", name="Log in and confirm").click()
        look(page)


def email(page: Page) -> None:
    log_in_as(page, "email@example.com")


def email_taken(page: Page) -> None:
    log_in_as(page, "email_taken@example.com")


def log_in(page: Page) -> None:
    log_in_as(page, "log-in@example.com")
    page.get_by_label("Code").fill("000000")
    press(page)


def log_in_by_code(page: Page) -> None:
    page.get_by_label("E-mail address").fill("log-in-code@example.com")
    page.get_by_role("button", name="Send me a code instead").click()
    look(page)
    page.get_by_label("Code").fill("000000")
    press(page)


def undo(page: Page) -> None:
    """And once more."""
    link = page.url
    press(page)
    look(page)
    page.goto(link)


def enter(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in and confirm").click()
    page.wait_for_load_state()


def log_in_added(page: Page) -> None:
    enter(page, "added@example.com", factories.PASSWORD)


def log_in_throttled(page: Page) -> None:
    for number in range(GUESSES):
        if not page.get_by_label("Password").is_visible():
            return
        enter(page, "throttled@example.com", f"guess number {number}")


def link(page: Page) -> None:
    """The code is not that of the mail yet; the walk's end has it (`test_an_identity_is_linked`)."""
    page.get_by_label("Code").fill("abcdef")
    press(page)


# What is done on each, and the templates of the pages before and after.
WALKS: dict[str, tuple[Callable[[Page], None], set[str]]] = {
    "confirm": (confirm, {"confirm", "confirmed"}),
    "password": (password, {"password", "password_chosen"}),
    "email": (email, {"email", "email_changed"}),
    "email_taken": (email_taken, {"email_taken"}),
    "deletion": (confirm, {"deletion", "deleted"}),
    "undo": (undo, {"undo", "undone", "undone_before"}),
    "log_in": (log_in, {"log_in", "second_factor"}),
    "log_in_code": (log_in_by_code, {"log_in", "second_factor"}),
    "log_in_added": (log_in_added, {"log_in", "log_in_added"}),
    "log_in_throttled": (log_in_throttled, {"log_in", "throttled"}),
    "link": (link, {"link"}),
}
# Looked at by other tests.
ELSEWHERE = {"provider", "linked", "bad_link", "unknown_shop"}
# What the pages are called when they are done: a walk that ends on another one has shown nothing.
ENDS = {"undo": "undone already", "log_in_added": "The log-in is added", "log_in_throttled": "Too many attempts"}
# Without the token or the challenge of a link.
BARE = ["confirm", "password", "email", "log-in", "deletion", "undo", "link", "provider"]


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
    assert ENDS.get(name, "") in visitor.inner_text(HEADING)
    look(visitor)


@pytest.mark.parametrize("page", BARE)
def test_our_own_page_without_a_token_has_no_fault(visitor: Page, page: str) -> None:
    answer = visitor.goto(f"/pages/demo/{page}")
    assert answer is not None
    assert answer.status == 404
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
