"""The shop's own system. Logging in by it is shown in `login/test_webhook.py`."""

from typing import Any

import pytest

from auth_providers.models import AuthProvider
from auth_providers.providers import setup
from auth_providers.providers.kinds.webhook import Webhook
from tenants.models import Tenant
from tests.auth_providers.providers.configuring import configure, fields_at_fault
from tests.social_providers import SECRET

URL = {"url": "https://shop.example/who"}


def test_what_it_needs(tenant: Tenant) -> None:
    assert fields_at_fault(tenant, "webhook", secret=SECRET) == {"settings"}
    assert fields_at_fault(tenant, "webhook", settings=URL) == {"client_secret"}
    assert "nothing to try" in setup.test(configure(tenant, "webhook", secret=SECRET, settings=URL))


@pytest.mark.parametrize("url", ["http://shop.example", "https://[shop", 5, "", None])
def test_an_endpoint_that_is_not_called(tenant: Tenant, url: Any) -> None:
    assert fields_at_fault(tenant, "webhook", secret=SECRET, settings={"url": url}) == {"settings"}


@pytest.mark.parametrize(
    ("url", "issuer", "is_whose"),
    [
        ("https://shop.example/who?a=b", "", "https://shop.example"),
        ("https://us:secret@shop.example:8443/who", "", "https://shop.example:8443"),
        ("https://shop.example/who", "https://cards.example", "https://cards.example"),
    ],
)
def test_whose_subjects_they_are(url: str, issuer: str, is_whose: str) -> None:
    assert Webhook(AuthProvider(kind="webhook", issuer=issuer, settings={"url": url})).issuer == is_whose
