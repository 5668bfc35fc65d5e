"""Every page, from the URL configuration: what axe-core finds, at two widths, light and dark. A new page is looked at
without being listed here."""

import pytest
from django.contrib import admin
from playwright.sync_api import Page

from auth_providers.providers import kinds
from tenants.api.contracts import served
from tests.back_office.test_roles_and_tenants import names
from tests.browser import accessibility, callers
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
    if "sandbox" in answer.headers["content-security-policy"]:
        return  # a shop's mail, which a page of ours has in a frame
    page.goto(demo.shop.pages[name])
    assert_faultless(page)


TABS = [f"customers_customer_{name}" for name in ("timeline", "addresses", "log_ins", "consents", "data")]
SCROLLING = "[...document.querySelectorAll('.panel')].filter(each => each.scrollWidth > each.clientWidth).length"


@pytest.mark.parametrize("name", TABS)
def test_no_table_of_a_customer_scrolls_sideways_on_a_telephone(page: Page, demo: Demo, name: str) -> None:
    page.set_viewport_size({"width": accessibility.WIDTHS[-1], "height": accessibility.HEIGHT})
    page.goto(demo.shop.pages[name])
    assert page.evaluate(SCROLLING) == 0


FORMS = sorted(name for name in names(admin.site.get_urls()) if name.endswith("_add") and not name.startswith("auth_p"))


@pytest.mark.parametrize("name", FORMS)
def test_a_form_with_errors_has_no_fault(page: Page, demo: Demo, name: str) -> None:
    answer = page.goto(demo.shop.pages[name])
    if answer is None or not answer.ok:
        return  # nothing is added there
    page.evaluate("document.querySelector('#content form').noValidate = true")
    page.locator("#content form [type=submit]").first.click()
    page.locator(".errorlist").first.wait_for()
    assert_faultless(page)


@pytest.mark.parametrize("kind", kinds.by_name())
def test_a_log_in_method_has_no_fault(page: Page, kind: str) -> None:
    page.goto(f"/admin/auth_providers/authprovider/add/?kind={kind}")
    assert_faultless(page)


@pytest.mark.parametrize("kind", [name for name, kind in kinds.by_name().items() if kind.fields or kind.entries])
def test_a_log_in_method_with_errors_has_no_fault(page: Page, kind: str) -> None:
    """What has to be filled in is empty; what is ticked is a choice that there is not."""
    page.goto(f"/admin/auth_providers/authprovider/add/?kind={kind}")
    page.evaluate("document.querySelector('#content form').noValidate = true")
    page.evaluate("document.querySelectorAll('[name^=entry_][type=checkbox]').forEach(each => each.value = 'none')")
    page.get_by_role("button", name="Save", exact=True).click()
    page.locator(".errorlist, .errornote").first.wait_for()
    assert_faultless(page)


def test_two_customers_side_by_side_have_no_fault(page: Page, demo: Demo) -> None:
    page.goto(demo.shop.pages["customers_customer_merge"])
    page.get_by_label("is the same person as").fill("10000002")
    page.get_by_role("button", name="Show both").click()
    page.get_by_role("button", name="Merge 10000002 into").wait_for()
    assert_faultless(page)


def test_a_form_made_from_a_schema_has_no_fault(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.shop.pages['customers_customer_mixin']}?schema={callers.LOYALTY}&key=loyalty")
    assert_faultless(page)
    page.get_by_label("Points").fill("many")
    page.get_by_role("button", name="Save").click()
    page.locator(".errorlist").first.wait_for()
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
    page.locator("#find:focus").wait_for(timeout=1_000)  # milliseconds: it is given when the page is first drawn


def test_the_slash_goes_to_the_search_unless_somebody_types(page: Page, demo: Demo) -> None:
    page.goto(demo.shop.pages["customers_customer_timeline"])
    page.get_by_label("Note").fill("and")
    page.keyboard.type("/or")
    assert page.get_by_label("Note").input_value() == "and/or"
    page.locator("h1").click()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "find"
