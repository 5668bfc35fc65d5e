"""Where the links in mails lead: to the page that the shop has named, or to ours."""

import pytest
from pytest_django import Settings

from auth_providers.messaging import links
from auth_providers.models import MailedToken
from tenants.models import Tenant

Purpose = MailedToken.Purpose
PAGES = [
    (Purpose.OPT_IN, "confirm"),
    (Purpose.PASSWORD_RESET, "password"),
    (Purpose.EMAIL_CHANGE, "email"),
    (Purpose.DELETION, "deletion"),
    (Purpose.UNDO, "undo"),
]


@pytest.mark.parametrize(("purpose", "page"), PAGES)
def test_without_a_page_of_the_shop_a_link_leads_to_ours(
    tenant: Tenant, settings: Settings, purpose: MailedToken.Purpose, page: str
) -> None:
    settings.PUBLIC_URL = "https://patron.example"
    found = links.link(tenant=tenant, purpose=purpose, token="a&b")
    assert found == f"https://patron.example/pages/acme/{page}?token=a%26b"


@pytest.mark.parametrize("purpose", [each for each in Purpose if each is not Purpose.UNDO])
def test_a_shop_names_a_page_for_each_purpose(tenant: Tenant, purpose: MailedToken.Purpose) -> None:
    for each in Purpose:
        if each is not Purpose.UNDO:
            setattr(tenant, f"{each.value}_link", f"https://shop.example/{each.value}?t={{token}}&again={{token}}")
    for is_additional in (True, False):
        found = links.link(tenant=tenant, purpose=purpose, token="abc", is_additional=is_additional)
        assert found == f"https://shop.example/{purpose.value}?t=abc&again=abc"


def test_an_additional_log_in_has_a_page_of_ours(tenant: Tenant) -> None:
    found = links.link(tenant=tenant, purpose=Purpose.OPT_IN, token="abc", is_additional=True)
    assert found.endswith("/pages/acme/log-in?token=abc")
