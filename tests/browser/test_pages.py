"""Every page, from the URL configuration: what axe-core finds, at two widths, light and dark. A new page is looked at
without being listed here."""

import pytest
from django.contrib import admin
from playwright.sync_api import Page

from tenants.api.contracts import served
from tests.back_office.test_roles_and_tenants import names
from tests.browser import accessibility
from tests.browser.server import Demo

pytestmark = pytest.mark.browser

OUTSIDE = [
    *("/", "/nowhere", "/docs/", "/admin/login/", "/admin/nowhere/"),
    *("/pages/nowhere/confirm", "/pages/demo/confirm?token=x"),
]
DOCUMENTS = [f"/docs/{each.contract.name}/" for each in served()]


def assert_faultless(page: Page) -> None:
    faults = accessibility.faults_of(page)
    assert not faults, "\n".join([page.url, *faults])


@pytest.mark.parametrize("name", sorted(names(admin.site.get_urls())))
def test_a_page_of_the_back_office_has_no_fault(page: Page, demo: Demo, name: str) -> None:
    answer = page.request.get(demo.shop.pages[name])
    if "text/html" not in answer.headers.get("content-type", "") or not answer.body():
        return  # a button, which nobody opens; a script; data
    page.goto(demo.shop.pages[name])
    assert_faultless(page)


def test_two_customers_side_by_side_have_no_fault(page: Page, demo: Demo) -> None:
    page.goto(demo.shop.pages["customers_customer_merge"])
    page.get_by_label("is the same person as").fill("10000002")
    page.get_by_role("button", name="Show both").click()
    assert page.get_by_role("button", name="Merge 10000002 into").is_visible()
    assert_faultless(page)


def test_an_invitation_has_no_fault(visitor: Page, demo: Demo) -> None:
    visitor.goto(demo.shop.pages["invitation"])
    assert visitor.get_by_role("button", name="Accept").is_visible()
    assert_faultless(visitor)


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_page_for_anybody_has_no_fault(visitor: Page, path: str) -> None:
    visitor.goto(path)
    assert_faultless(visitor)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_has_no_fault(visitor: Page, path: str) -> None:
    visitor.goto(path)
    visitor.wait_for_selector(".opblock")
    assert_faultless(visitor)


@pytest.mark.parametrize("name", ["index", "customers_customer_changelist", "customers_customer_timeline"])
def test_the_search_has_the_focus_when_the_page_is_loaded(page: Page, demo: Demo, name: str) -> None:
    page.goto(demo.shop.pages[name])
    assert page.evaluate("document.activeElement.id") == "find"


def test_the_slash_goes_to_the_search_unless_somebody_types(page: Page, demo: Demo) -> None:
    page.goto(demo.shop.pages["customers_customer_timeline"])
    page.get_by_label("Note").fill("and")
    page.keyboard.type("/or")
    assert page.get_by_label("Note").input_value() == "and/or"
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
