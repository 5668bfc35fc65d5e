"""The shop's colour in a stylesheet, and the colour that is read on it."""

import pytest
from django.test import Client

from auth_providers.pages.brand import readable_on
from tenants.models import Tenant

WHITE, BLACK = "#ffffff", "#000000"


@pytest.mark.parametrize(
    ("color", "readable"),
    [
        ("#000000", WHITE),
        ("#ffffff", BLACK),
        ("#757575", WHITE),
        ("#767676", BLACK),
        # So near to where it turns that each channel counts, and to the last digit.
        ("#647b69", WHITE),
        ("#23871d", WHITE),
        ("#c35308", WHITE),
        ("#e51263", BLACK),
        ("#7b7915", BLACK),
        ("#cb389f", BLACK),
        ("#0b0d04", WHITE),
        ("#442082", WHITE),
        ("#0e71e0", WHITE),
        ("#30f90e", BLACK),
        ("#34a20f", BLACK),
        ("#7670eb", BLACK),
        ("#c36ed8", BLACK),
        ("#3cfde6", BLACK),
        ("#0a0a0a", WHITE),
    ],
)
def test_what_is_read_on_a_colour_is_black_or_white(color: str, readable: str) -> None:
    assert readable_on(color) == readable


def test_a_stylesheet_has_the_shops_own_colour_and_is_kept_for_five_minutes(
    client: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(brand_color="#767676")
    Tenant.objects.filter(pk=other_tenant.pk).update(brand_color="#23871d")
    sheet = client.get("/pages/acme/brand.css")
    assert (sheet.status_code, sheet.content) == (200, b":root { --brand: #767676; --on-brand: #000000; }\n")
    assert sheet.headers["Cache-Control"] == "public, max-age=300"
    assert client.get(f"/pages/{other_tenant.code}/brand.css").content == (
        b":root { --brand: #23871d; --on-brand: #ffffff; }\n"
    )


def test_a_shop_that_there_is_not_has_no_stylesheet(client: Client, tenant: Tenant) -> None:
    sheet = client.get("/pages/nobody/brand.css")
    assert (sheet.status_code, sheet.content) == (404, b"")
    assert sheet.headers["Content-Type"].startswith("text/css")
    assert client.post("/pages/acme/brand.css").status_code == 405
