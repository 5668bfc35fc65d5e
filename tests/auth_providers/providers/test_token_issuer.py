"""Where a provider is called: at its own addresses, or at a gateway that stands in for the beginnings of some."""

import pytest

from auth_providers.models import AuthProvider
from auth_providers.providers.kinds.google import Google

ENDPOINTS = {"https://id.example": "http://gateway/id/", "https://api.example/v2/": "http://gateway/api"}


@pytest.mark.parametrize(
    ("url", "called"),
    [
        ("https://id.example", "http://gateway/id"),
        ("https://id.example/token?a=b", "http://gateway/id/token?a=b"),
        ("https://id.example.evil/token", "https://id.example.evil/token"),
        ("https://api.example/v2/keys", "http://gateway/api/keys"),
        ("https://api.example/v1/keys", "https://api.example/v1/keys"),
    ],
)
def test_a_gateway_replaces_the_beginning_of_an_address(url: str, called: str) -> None:
    assert Google(AuthProvider(kind="google", settings={"endpoints": ENDPOINTS})).endpoint(url) == called
    assert Google(AuthProvider(kind="google")).endpoint(url) == url


def test_client_ids_are_ours_and_the_apps() -> None:
    google = Google(AuthProvider(kind="google", client_id="us", settings={"other_client_ids": ["app", "watch"]}))
    assert google.client_ids == ("us", "app", "watch")
    assert google.accepts_party_of({"azp": "watch"})
    assert google.accepts_party_of({})
    assert not google.accepts_party_of({"azp": "other"})
