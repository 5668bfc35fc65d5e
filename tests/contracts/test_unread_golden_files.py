"""Which runs say that a golden file is read by no test: those of all tests alone."""

from pathlib import Path

import pytest

from tests.contracts import unread_golden_files

CONTRACTS = Path(__file__).parent


@pytest.fixture
def config(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> pytest.Config:
    """Of a run of all tests."""
    monkeypatch.setattr(unread_golden_files, "deselected", [])
    monkeypatch.setattr(pytestconfig, "args", [str(CONTRACTS.parent)])
    for name, value in {"lf": False, "collectonly": False, "ignore": None, "ignore_glob": None}.items():
        monkeypatch.setattr(pytestconfig.option, name, value, raising=False)
    return pytestconfig


def test_a_run_of_all_tests_says_so(config: pytest.Config) -> None:
    assert unread_golden_files._is_complete(config)


@pytest.mark.parametrize(
    ("option", "value"),
    [("lf", True), ("collectonly", True), ("ignore", ["tests/contracts/test_errors.py"]), ("ignore_glob", ["*a*"])],
)
def test_a_run_that_leaves_tests_out_says_nothing(
    option: str, value: object, config: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config.option, option, value)
    assert not unread_golden_files._is_complete(config)


def test_a_run_of_other_tests_says_nothing(config: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "args", [str(CONTRACTS / "test_errors.py"), str(CONTRACTS.parent / "tenants")])
    assert not unread_golden_files._is_complete(config)


def test_a_run_with_options_that_leave_tests_out_says_nothing(
    config: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unread_golden_files, "deselected", ["tests/contracts/test_errors.py::test_one"])
    assert not unread_golden_files._is_complete(config)
