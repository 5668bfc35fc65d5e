"""Google, Apple, Facebook and LINE on loopback."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests import social_providers
from tests.social_providers import World


@pytest.fixture(scope="module")
def running() -> Iterator[World]:
    with social_providers.running() as world:
        yield world


@pytest.fixture
def world(running: World, settings: Settings) -> World:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    running.tokens, running.codes, running.down, running.override = {}, {}, set(), {}
    profile = {"email": "ada@example.com", "email_verified": True, "given_name": "Ada", "family_name": "Lovelace"}
    running.users = {"ada": profile | {"first_name": "Ada", "last_name": "Lovelace"}}
    return running
