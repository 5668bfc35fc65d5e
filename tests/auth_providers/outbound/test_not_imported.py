"""A library that another one can do without is not there while that is imported, and is afterwards."""

import importlib
import sys

import pytest

from auth_providers.outbound.not_imported import not_imported

RARE = "antigravity_of_nobody"


def test_a_package_is_not_there_inside_and_may_be_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with not_imported("colorsys"), pytest.raises(ImportError):
        importlib.import_module("colorsys")
    assert importlib.import_module("colorsys").__name__ == "colorsys"


def test_what_is_imported_already_stays() -> None:
    before = sys.modules["json"]
    with not_imported("json"):
        assert importlib.import_module("json") is before
    assert sys.modules["json"] is before


def test_nothing_is_left_behind_where_the_import_fails() -> None:
    with pytest.raises(RuntimeError), not_imported(RARE):
        raise RuntimeError
    assert RARE not in sys.modules
