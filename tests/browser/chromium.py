"""The browser of the machine, driven by Playwright; no browser is downloaded."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
# No sandbox: in a container the user is root, and Chromium refuses to have one then.
# Nothing is drawn by a graphics card, and nobody outside is called.
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-quic", "--disable-sync"]


def find() -> str | None:
    """The path of its program; None where there is no Chromium."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextmanager
def running() -> Iterator[Browser]:
    """The browser, headless, until the end of the block. Skips the test where there is none; fails it in CI."""
    path = find()
    if path is None:
        without = pytest.fail if os.environ.get("CI") else pytest.skip
        without("Chromium not found")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
