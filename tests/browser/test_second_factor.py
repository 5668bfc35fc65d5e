"""A colleague's second factor, from the invitation on: set up, used, lost, and reset by the owner of the shop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page

from tests import authenticators
from tests.browser import accessibility, server, table
from tests.browser.colleagues import OWNER, PASSWORD
from tests.browser.conftest import PATIENCE, VIEWPORT
from tests.browser.desk import START, Desk
from tests.browser.server import Strict

pytestmark = pytest.mark.browser

COLLEAGUE = "colette"
LOG_IN = f"/admin/login/?next={START}"
TO_REMEDY = 3  # clicks at most


@dataclass(kw_only=True)
class Scene:
    """A browser for each visit, and what the colleague has: the app's secret and the recovery codes."""

    browser: Browser
    strict: Strict
    secret: str = ""
    codes: list[str] = field(default_factory=list)

    def visit(self, start: str) -> Desk:
        context = self.browser.new_context(base_url=self.strict.base, viewport=VIEWPORT)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        return Desk(page, start)


@pytest.fixture(scope="module")
def scene(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with server.asking_for_a_second_factor(tmp_path_factory.mktemp("strict")) as strict:
        yield Scene(browser=browser, strict=strict)


def log_in(desk: Desk, name: str, code: str = "") -> None:
    desk.page.get_by_label("Username").fill(name)
    desk.page.get_by_label("Password").fill(PASSWORD)
    desk.send(desk.page.get_by_label("Code"), code)


def secret_of(page: Page) -> str:
    """What the page shows beside the QR code, for who can't scan it."""
    page.get_by_role("img", name="QR code for the authenticator app").wait_for()
    return page.locator("#content code").inner_text()


def look(page: Page) -> None:
    faults = accessibility.faults_of(page)
    assert not faults, "\n".join([page.url, *faults])


def set_up(scene: Scene) -> Desk:
    desk = scene.visit(scene.strict.invitation)
    desk.page.get_by_label("Username").fill(COLLEAGUE)
    desk.page.get_by_label("Password:", exact=True).fill(PASSWORD)
    desk.send(desk.page.get_by_label("Password confirmation"), PASSWORD)
    desk.page.wait_for_url("**/login/**")
    look(desk.page)
    log_in(desk, COLLEAGUE)
    scene.secret = secret_of(desk.page)
    look(desk.page)
    desk.send(desk.page.get_by_label("The six digits"), authenticators.code_of(scene.secret))
    desk.page.get_by_role("heading", name="Recovery codes").wait_for()
    scene.codes = desk.page.locator(".codes code").all_inner_texts()
    assert len(set(scene.codes)) == 10
    look(desk.page)
    desk.follow("I have kept them")
    desk.page.locator("#find").wait_for()
    desk.page.goto("/admin/second-factor/")  # they are shown once
    assert scene.codes[0] not in desk.page.content()
    return desk


def log_in_with_app(scene: Scene) -> Desk:
    desk = scene.visit(LOG_IN)
    log_in(desk, COLLEAGUE)
    desk.page.locator(".errornote").wait_for()  # the password alone is not enough any more
    look(desk.page)
    desk = scene.visit(LOG_IN)
    log_in(desk, COLLEAGUE, authenticators.code_of(scene.secret, steps=1))
    desk.page.locator("#find").wait_for()
    return desk


def log_in_with_recovery_code(scene: Scene) -> Desk:
    desk = scene.visit(LOG_IN)
    log_in(desk, COLLEAGUE, scene.codes[0])
    desk.page.locator("#find").wait_for()
    again = scene.visit(LOG_IN)
    log_in(again, COLLEAGUE, scene.codes[0])
    again.page.locator(".errornote").wait_for()  # each is good once
    return desk


def reset(scene: Scene) -> Desk:
    """By the owner, who has just logged in."""
    desk = scene.visit(LOG_IN)
    log_in(desk, OWNER, authenticators.code_of(scene.strict.secret))
    desk.page.locator("#find").wait_for()
    desk.enters = 0
    desk.click(desk.page.locator(".model-staffmembership th a").first)
    desk.follow(COLLEAGUE)
    desk.press("Reset the second factor")
    assert "sets up another app at the next log-in" in desk.told()
    return desk


def set_up_again(scene: Scene) -> Desk:
    desk = scene.visit(LOG_IN)
    log_in(desk, COLLEAGUE)
    secret = secret_of(desk.page)
    assert secret != scene.secret
    desk.send(desk.page.get_by_label("The six digits"), authenticators.code_of(secret))
    desk.follow("I have kept them")
    desk.page.locator("#find").wait_for()
    return desk


# In this order: each begins where the one before ended.
JOURNEYS: dict[str, Callable[[Scene], Desk]] = {
    "Colleague: accept the invitation, set up the app": set_up,
    "Colleague: log in with the app": log_in_with_app,
    "Colleague: log in with a recovery code": log_in_with_recovery_code,
    "Colleague has lost the app: reset it": reset,
    "Colleague: set up another app": set_up_again,
}


def test_a_second_factor_from_the_invitation_to_another_app(scene: Scene) -> None:
    for name, go in JOURNEYS.items():
        desk = go(scene)
        assert desk.clicks <= TO_REMEDY, name
        table.check(name, desk)
