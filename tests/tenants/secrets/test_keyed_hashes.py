"""Hashes that nobody else can compute."""

from typing import Any

import pytest
from django.utils.crypto import salted_hmac

from tenants.secrets.keyed_hashes import keyed_hash


@pytest.mark.parametrize("text", ["", "ada@example.com", "Ελλάδα\n日本"])
def test_they_are_those_of_django(text: str) -> None:
    assert keyed_hash("a purpose", text) == salted_hmac("a purpose", text, algorithm="sha256").digest()


def test_each_purpose_has_its_own() -> None:
    assert keyed_hash("a purpose", "ada@example.com") != keyed_hash("another", "ada@example.com")


def test_they_are_others_after_the_secret_was_changed(settings: Any) -> None:
    before = keyed_hash("a purpose", "ada@example.com")
    settings.SECRET_KEY = "b" * 50
    assert keyed_hash("a purpose", "ada@example.com") != before
