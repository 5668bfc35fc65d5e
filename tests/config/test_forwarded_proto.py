"""`X-Forwarded-Proto` is accepted from trusted proxies alone."""

from ipaddress import ip_network

import pytest
from django.test import Client
from pytest_django import Settings


@pytest.mark.parametrize(
    ("address", "status"),
    [("10.1.2.3", 200), ("::ffff:10.1.2.3", 200), ("192.0.2.7", 301), ("not an address", 301)],
)
def test_whose_word_counts(db: None, settings: Settings, address: str, status: int) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.TRUSTED_PROXIES = [ip_network("10.0.0.0/8")]
    response = Client().get("/", headers={"x-forwarded-proto": "https"}, REMOTE_ADDR=address)
    assert response.status_code == status
