"""Staff's own tab, and how often they click in it.

A click is a press of the mouse's button. What is typed is none, with the Enter that sends it; that is counted beside.
"""

import re

from playwright.sync_api import Locator, Page

START = "/admin/"


class Desk:
    """A journey: it begins on the start page, with the search focused, unless another one is named."""

    def __init__(self, page: Page, start: str = START) -> None:
        self.page = page
        self.clicks = self.enters = 0
        self.to_customer = 0
        page.goto(start)

    def click(self, what: Locator) -> None:
        what.click()
        self.clicks += 1

    def press(self, name: str, *, within: Locator | None = None) -> None:
        """Click the button of this name, the first of several."""
        self.click((within or self.page).get_by_role("button", name=name, exact=True).first)

    def unfold(self, name: str) -> None:
        """Click what shows a form."""
        self.click(self.page.locator("summary", has_text=re.compile(rf"^\s*{name}\s*$")).first)

    def follow(self, name: str) -> None:
        self.click(self.page.get_by_role("link", name=name, exact=True).first)

    def send(self, field: Locator, text: str) -> None:
        """Type into the field, and press Enter."""
        field.fill(text)
        field.press("Enter")
        self.enters += 1

    def find(self, term: str, name: str) -> None:
        """Search for what the caller says, and open the customer of this name."""
        self.page.locator("#find:focus").wait_for()  # a page is drawn before it has one
        self.page.keyboard.type(term)
        self.page.keyboard.press("Enter")
        self.enters += 1
        self.follow(name)
        self.to_customer = self.clicks
        self.page.locator("h1.customer", has_text=name).wait_for()

    def reason(self, text: str, label: str = "Why?") -> None:
        """Say why, in the form that is unfolded."""
        self.send(self.page.get_by_label(label).locator("visible=true").first, text)

    def told(self) -> str:
        """What the page says of what was done."""
        return self.page.locator(".messagelist").inner_text()
