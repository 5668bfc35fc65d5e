"""What staff do when a customer calls, and how many clicks it takes from the start page."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser import table
from tests.browser.desk import Desk

pytestmark = pytest.mark.browser

TO_CUSTOMER, TO_REMEDY, TO_SET_UP = 2, 3, 4  # clicks at most
# What callers say of themselves, and who they are.
SAID = {
    "a part of the e-mail": ("mueller.3@", "Jürgen Müller"),
    "the e-mail's domain": ("werkstatt.example", "Jürgen Müller"),
    "the telephone number": ("0171 5550123", "Jürgen Müller"),
    "the name as it is heard": ("Mueller Juergen", "Jürgen Müller"),
    "the name with a typing error": ("Jurgen Mulller", "Jürgen Müller"),
    "a name with an apostrophe": ("O'Brien", "Sinéad O\u2019Brien"),
    "the loyalty card": ("4006-771", "Jürgen Müller"),
    "the company": ("Müller Motoren", "Jürgen Müller"),
    "street and postal code": ("Lindenallee 80331", "Jürgen Müller"),
}
Journey = Callable[[Desk], str]


def by(term: str, name: str) -> Journey:
    def go(desk: Desk) -> str:
        desk.find(term, name)
        return desk.page.locator("h1.customer").inner_text()

    return go


def call_from(last_name: str, act: Callable[[Desk], None] = lambda desk: None) -> Journey:
    """The caller says the name, and staff act."""

    def go(desk: Desk) -> str:
        desk.find(last_name, f"Casey {last_name}")
        act(desk)
        return desk.told()

    return go


def on_tab(name: str, act: Callable[[Desk], None]) -> Callable[[Desk], None]:
    def go(desk: Desk) -> None:
        desk.follow(name)
        act(desk)

    return go


def permit(desk: Desk) -> None:
    desk.unfold("Permit by hand")
    desk.reason("known in the shop for years")


def change_email(desk: Desk) -> None:
    desk.unfold("Change the e-mail")
    desk.page.get_by_label("New e-mail").fill("renamed.now@callers.example")
    desk.reason("lost the old mailbox")


def add_address(desk: Desk) -> None:
    desk.follow("Add an address")
    desk.page.get_by_label("Contact name").fill("Casey Moved")
    desk.page.get_by_label("City").fill("Berlin")
    desk.send(desk.page.get_by_label("Postal code"), "10115")


def put_on_hold(desk: Desk) -> None:
    desk.unfold("Put on hold and end sessions")
    desk.reason("asked to, after a theft")


def remove_second_factor(desk: Desk) -> None:
    desk.reason("lost the telephone; asked back")


def note(desk: Desk) -> None:
    desk.page.get_by_label("Note").fill("Asked for a call back.")
    desk.press("Add the note")


def put_into_segment(desk: Desk) -> None:
    desk.page.get_by_label("Segment").select_option("regulars")
    desk.press("Put into the segment")


def take_consent_back(desk: Desk) -> None:
    desk.page.get_by_label("Purpose").fill("newsletter")
    desk.page.get_by_label("The customer").select_option("no")
    desk.reason("on the telephone", "How did they say so?")


def give_points(desk: Desk) -> None:
    desk.click(desk.page.locator(".panel", has_text="Loyalty programme").get_by_role("link", name="Change"))
    desk.send(desk.page.get_by_label("Points"), "150")


def download(desk: Desk) -> str:
    desk.find("Copied", "Casey Copied")
    desk.unfold("Copy of the data")
    with desk.page.expect_download() as waiting:
        desk.press("For programs (JSON)")
    return Path(waiting.value.path()).read_text()


def erase(desk: Desk) -> str:
    desk.find("Leaving", "Casey Leaving")
    desk.follow("Erase the customer…")
    desk.reason("asked for it by letter")
    desk.page.wait_for_load_state()
    return desk.page.locator("main").inner_text()


def merge(desk: Desk) -> str:
    """With the profile that the same person has made twice."""
    found = desk.page.request.get("/admin/customers/customer/?q=Casey+Twice").text()
    [number] = re.findall(r'class="field-number[^>]*><a[^>]*>(\d{8})<', found)
    desk.find("Once", "Casey Once")
    desk.follow("Merge with another…")
    desk.send(desk.page.get_by_label("is the same person as"), number)
    desk.reason("signed up a second time")
    return desk.told()


def undo_merge(desk: Desk) -> str:
    desk.find("Whole", "Casey Whole")
    desk.press("Undo the merge")
    return desk.told()


def invite(desk: Desk) -> str:
    desk.click(desk.page.locator(".model-staffinvitation a.addlink").first)
    desk.page.get_by_label("Role:").select_option("support")
    desk.send(desk.page.locator("#id_email"), "new.colleague@example.com")
    return desk.told()


def add_shop(desk: Desk) -> str:
    desk.click(desk.page.locator(".model-tenant a", has_text="Add").first)
    for label, text in {"Code:": "beta", "Name of the shop:": "Beta"}.items():
        desk.page.get_by_label(label, exact=True).fill(text)
    desk.page.get_by_label("Time zone:").select_option("Europe/Warsaw")
    desk.press("Add the shop")
    told = desk.told()
    desk.page.get_by_label("Shop", exact=True).fill("demo")  # for the journeys after this one
    desk.page.get_by_label("Shop", exact=True).press("Enter")
    return told


def add_provider(desk: Desk) -> str:
    desk.click(desk.page.locator(".model-authprovider a", has_text="Log-in methods").first)
    desk.click(desk.page.locator(".card", has_text="Google").get_by_role("link").last)
    desk.page.get_by_label("Client id:", exact=True).fill("shop")
    desk.page.get_by_label("Client secret:").fill("a secret of Google's")
    desk.page.get_by_label("Where it sends customers back to:").fill("https://shop.example/back")
    desk.press("Save")
    return desk.told()


def add_codes(desk: Desk) -> str:
    desk.click(desk.page.locator(".model-authprovider a", has_text="Log-in methods").first)
    desk.click(desk.page.locator(".card", has_text="One-time codes").get_by_role("link").last)
    desk.page.get_by_label("Text message").check()
    desk.press("Save")
    return desk.told()


def add_key(desk: Desk) -> str:
    desk.click(desk.page.locator(".model-apikey a", has_text="Add").first)
    desk.page.get_by_label("Client id:").fill("a-new-server")
    desk.page.get_by_label("What it is for:").fill("Cart")
    desk.page.get_by_label("For a server of the shop").check()
    desk.press("Save")
    assert len(desk.page.locator("#secret").inner_text()) > 30
    return desk.page.locator("#content").inner_text()


def write_mail(desk: Desk) -> str:
    desk.click(desk.page.locator(".model-messagetemplate a.addlink").first)
    desk.page.get_by_label("Mail", exact=True).select_option("Password reset")
    desk.send(desk.page.get_by_label("Language", exact=True), "en")
    desk.page.get_by_label("Subject:").fill("Choose a new password")
    desk.press("Save and preview")
    desk.page.frame_locator("iframe.mail").get_by_role("link", name="Continue").wait_for()
    desk.press("Send me a test")
    return desk.told()


# Each, with what the page has to say at its end.
JOURNEYS: dict[str, tuple[Journey, str]] = {
    **{f"Find a customer by {words}": (by(*said), said[1]) for words, said in SAID.items()},
    "Wrong password: mail a reset": (
        call_from("Wrong", lambda desk: desk.press("Send a password reset")),
        "A mail with a link to set a new password will be sent",
    ),
    "Too many wrong passwords: end the wait": (
        call_from("Waiting", lambda desk: desk.press("End the wait")),
        "Nobody has to wait for this log-in any more",
    ),
    "Not opted in: send the mail again": (
        call_from("Unconfirmed", lambda desk: desk.press("Send the confirmation mail again")),
        "The mail with the link that confirms the address will be sent again",
    ),
    "The mail has not arrived: see why, send it again": (
        call_from("Mailless", lambda desk: desk.press("Send the confirmation mail again")),
        "The mail with the link that confirms the address will be sent again",
    ),
    "Send the confirmation of one log-in again": (
        call_from("Again", on_tab("Log-ins and sessions", lambda desk: desk.press("Send the confirmation again"))),
        "The mail with the link that confirms the address will be sent again",
    ),
    "Permit a log-in by hand": (
        call_from("Byhand", on_tab("Log-ins and sessions", permit)),
        "The customer may log in; the address is still not proven",
    ),
    "On hold: release it": (call_from("Held", lambda desk: desk.press("Release the hold")), "released"),
    "Forgotten password: mail a reset": (
        call_from("Forgot", on_tab("Log-ins and sessions", lambda desk: desk.press("Send a password reset"))),
        "A mail with a link to set a new password will be sent",
    ),
    "End one session": (
        call_from("Elsewhere", on_tab("Log-ins and sessions", lambda desk: desk.press("End"))),
        "Ended the session",
    ),
    "End all sessions": (call_from("Everywhere", lambda desk: desk.press("End sessions")), "Ended every session"),
    "Put on hold": (call_from("Stolen", put_on_hold), "Put on hold"),
    "Add an address": (call_from("Moved", on_tab("Addresses", add_address)), "Saved the address"),
    "Change the e-mail that one logs in with": (
        call_from("Renamed", on_tab("Log-ins and sessions", change_email)),
        "Changed the address that one logs in with",
    ),
    "Lost authenticator app: remove it": (
        call_from("Applost", on_tab("Log-ins and sessions", remove_second_factor)),
        "Removed the authenticator",
    ),
    "Record that a consent is taken back": (
        call_from("Consenting", on_tab("Consents", take_consent_back)),
        "Recorded the statement about newsletter",
    ),
    "Write a note": (call_from("Noted", on_tab("Timeline", note)), "note"),
    "Put into a segment": (call_from("Regular", on_tab("Data", put_into_segment)), "segment"),
    "Change what the shop keeps of its own": (call_from("Loyal", on_tab("Data", give_points)), "Saved loyalty"),
    "Hand out a copy of the data": (download, "copied@callers.example"),
    "Merge two customers": (merge, "It can be undone for 30 days"),
    "Undo a merge": (undo_merge, "is there again"),
    "Erase a customer": (erase, "erased"),
    "Invite a colleague for one shop": (invite, "new.colleague@example.com"),
    "New shop: add it": (add_shop, "Beta is there"),
    "New shop: key of a server": (add_key, "shown this once"),
    "New shop: log-in with Google": (add_provider, "was added successfully"),
    "New shop: log-in with codes": (add_codes, "successfully"),
    "New shop: change the reset mail, preview it, send a test": (write_mail, "A test to admin@example.com"),
}


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_journey_of_staff_takes_few_clicks(page: Page, name: str) -> None:
    go, shown = JOURNEYS[name]
    desk = Desk(page)
    assert shown.lower() in go(desk).lower()
    assert desk.to_customer <= TO_CUSTOMER
    assert desk.clicks <= (TO_SET_UP if name.startswith("New shop") else TO_REMEDY)
    table.check(name, desk)
