"""Which classes of a module are kinds: those that it states itself, with a name of their own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from auth_providers.models import AuthProvider
from auth_providers.providers import kinds
from auth_providers.providers.kinds.google import Google
from auth_providers.providers.sign_in import SignIn
from auth_providers.providers.token_issuer import TokenIssuer
from tenants.errors import InvalidInput

BAKERY = '''
from auth_providers.providers.kinds.google import Google


class Shops(Google):
    """What bakeries and others would share: no kind by itself."""


class Bakery(Shops):
    name = "bakery"
    label = "A bakery"


DOOR = "no class"
'''


@pytest.fixture
def bakery(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    (tmp_path / "bakery.py").write_text(BAKERY)
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    kinds.by_name.cache_clear()
    yield
    kinds.by_name.cache_clear()
    sys.modules.pop("auth_providers.providers.kinds.bakery", None)


def test_a_class_without_a_name_of_its_own_is_no_kind(bakery: None) -> None:
    found = kinds.by_name()
    assert found["google"] is Google
    assert found["bakery"].__name__ == "Bakery"
    assert len(found) == 11
    assert ("bakery", "A bakery") in kinds.choices()
    assert "bakery" in kinds.names_of(SignIn)


def test_kinds_of_a_base_are_named() -> None:
    assert set(kinds.names_of(TokenIssuer)) == {"jwt", *kinds.names_of(SignIn)}
    assert kinds.names_of(Google) == ["google"]


def test_a_provider_is_read_by_its_kind() -> None:
    provider = AuthProvider(kind="google", client_id="us")
    found = kinds.of(provider)
    assert isinstance(found, Google)
    assert found.provider is provider
    with pytest.raises(InvalidInput) as raised:
        kinds.of(AuthProvider(kind="pigeon"))
    assert [each.field for each in raised.value.details] == ["kind"]
