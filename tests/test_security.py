"""Every requirement of `docs/security.md` names code and tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
DOCUMENT = ROOT / "docs" / "security.md"
REQUIREMENTS = 31
NAMED = re.compile(r"`([\w/.-]+)::(\w+)`")
ROWS = [line.strip("| ").split(" | ") for line in DOCUMENT.read_text().splitlines() if re.match(r"\| \d", line)]


@cache
def named_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_requirement_is_there_once() -> None:
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, REQUIREMENTS + 1)]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_requirement_names_code_and_tests(row: list[str]) -> None:
    _, said, code, tests, whole = row
    assert said.endswith(".")
    for path in re.findall(r"`([\w/.-]+)`", code):
        assert (ROOT / path).exists(), path
    named = NAMED.findall(tests)
    assert named
    assert [name for path, name in named if name not in named_in(path)] == []
    assert whole == "yes" or whole.startswith("no: ")


def test_the_tests_that_are_named_elsewhere_in_it_exist() -> None:
    for path, name in NAMED.findall(DOCUMENT.read_text()):
        assert name in named_in(path), f"{path}::{name}"
