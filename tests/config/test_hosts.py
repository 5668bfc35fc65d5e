"""Names that are not in ALLOWED_HOSTS are not answered, whatever is asked for."""

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.mark.parametrize(
    "path",
    ["/", "/admin/login/", "/docs/emporix/", "/static/patron/page.css", "/customer/acme/me"],
)
def test_an_unknown_name_is_400(db: None, settings: Settings, path: str) -> None:
    settings.ALLOWED_HOSTS = ["id.example.com", ".shop.example"]
    for host, is_answered in [
        ("id.example.com", True),
        ("t1-s1.shop.example:8000", True),
        ("other.example", False),
        ("10.0.0.7", False),
    ]:
        response = Client().get(path, headers={"host": host})
        assert (b"The request is malformed" not in response.getvalue()) == is_answered, host
