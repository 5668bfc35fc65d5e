"""One browser and one server for all of them: `make test-browser`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

from tests.browser import accessibility, chromium, server
from tests.browser.server import Demo

PATIENCE = 10_000  # milliseconds
VIEWPORT = ViewportSize(width=accessibility.WIDTHS[0], height=accessibility.HEIGHT)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium.running() as running:
        yield running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with server.running(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture(scope="session")
def desk(browser: Browser, demo: Demo) -> Iterator[BrowserContext]:
    """Staff's own window, logged in."""
    context = browser.new_context(base_url=demo.base, viewport=VIEWPORT)
    page = context.new_page()
    page.goto("/admin/login/")
    name, password = demo.staff
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(desk: BrowserContext) -> Iterator[Page]:
    """A tab of theirs. Whatever the page complains of on the console fails the test, such as something that its content
    security policy refuses."""
    yield from _open(desk)


@pytest.fixture(scope="session")
def outside(browser: Browser, demo: Demo) -> Iterator[BrowserContext]:
    """Somebody's window, who is not logged in."""
    context = browser.new_context(base_url=demo.base, viewport=VIEWPORT)
    yield context
    context.close()


@pytest.fixture
def visitor(outside: BrowserContext) -> Iterator[Page]:
    yield from _open(outside)


def _open(context: BrowserContext) -> Iterator[Page]:
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    complaints: list[str] = []

    def keep(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "the server responded with a status of" not in message.text:
            complaints.append(message.text)

    page.on("console", keep)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.close()
    assert complaints == []
