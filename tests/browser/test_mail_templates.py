"""A shop writes a mail in its own words."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.server import Demo
from tests.browser.test_pages import assert_faultless

pytestmark = pytest.mark.browser

# With styles of its own, and wider than a telephone.
HTML = (
    '<h1 style="color:#123456;width:900px">Benvenuti</h1><p><a href="https://shop.example/">{{ tenant.name }}</a></p>'
)
PATIENCE = 10.0  # seconds until the worker has sent it
ADD = "/admin/auth_providers/messagetemplate/add/"


def test_a_new_template_begins_with_our_words_and_has_no_fault(page: Page) -> None:
    page.goto(ADD)
    page.get_by_label("Mail", exact=True).select_option("Password reset")
    page.get_by_label("Language", exact=True).fill("nonsense")
    page.get_by_role("button", name="Continue").click()
    page.locator(".errorlist").wait_for()
    assert_faultless(page)
    page.get_by_label("Language", exact=True).fill("de-AT")
    page.get_by_role("button", name="Continue").click()
    assert page.get_by_label("Text", exact=False).first.input_value().startswith("Guten Tag,")
    assert_faultless(page)


def _mails(folder: Path, words: str) -> list[str]:
    """Those with these words that the demo has sent, as soon as there are any."""
    until, found = time.monotonic() + PATIENCE, list[str]()
    while not found and time.monotonic() < until:
        time.sleep(0.2)
        found = [text for each in folder.glob("*") if words in (text := each.read_text())]
    return found


def test_a_preview_has_no_fault_and_a_test_is_mailed(page: Page, demo: Demo) -> None:
    """Whatever a shop writes: what is refused in the frame is told on the console."""
    page.goto(f"{ADD}?template=welcome&language=it")
    page.get_by_label("Subject", exact=False).fill("Benvenuti")
    page.get_by_label("Html", exact=False).fill(HTML)
    page.get_by_role("button", name="Save and preview").click()
    frame = page.frame_locator("iframe.mail")
    assert frame.get_by_role("heading", name="Benvenuti").is_visible()
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None  # of no origin
    assert_faultless(page)
    page.get_by_role("button", name="Send me a test").click()
    page.get_by_text("A test to admin@example.com is on its way").wait_for()
    assert_faultless(page)
    [mail] = _mails(demo.mail, "[Test] Benvenuti")
    assert "To: admin@example.com" in mail


def test_the_mail_in_the_frame_has_no_fault(page: Page, visitor: Page) -> None:
    """Nothing runs in the frame, so that axe-core doesn't look into it: the mail is looked at as a page of its own, in
    our words. What a shop writes is the shop's."""
    page.goto(f"{ADD}?template=password_reset&language=en-GB")
    page.get_by_role("button", name="Save and preview").click()
    address = page.locator("iframe.mail").get_attribute("src")
    assert address
    visitor.set_content(page.request.get(address).text())
    visitor.get_by_role("heading").wait_for()
    assert_faultless(visitor)
