"""A plugin of pytest: a run of all tests of the contracts fails when there are golden files that no test has read.

With xdist each worker tells the controller what it has read. A run of a part of the tests, and one in which a test
fails, says nothing about the files.
"""

from pathlib import Path
from typing import Any

import pytest

from tests.contracts import golden_files

CONTRACTS = Path(__file__).parent
READ, DESELECTED = "golden_files_read", "deselected_tests"

deselected: list[str] = []
unread: list[str] = []


def pytest_deselected(items: list[pytest.Item]) -> None:
    """A run with any option that leaves tests out leaves files unread."""
    deselected.extend(item.nodeid for item in items)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of xdist has ended."""
    output = getattr(node, "workeroutput", {})
    golden_files.read_names.update(output.get(READ, ()))
    deselected.extend(output.get(DESELECTED, ()))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output.update({READ: sorted(golden_files.read_names), DESELECTED: deselected})
    elif exitstatus == pytest.ExitCode.OK and _is_complete(session.config):
        unread.extend(golden_files.unread(golden_files.read_names))
        if unread:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if unread:
        terminalreporter.section("golden files that no test has read", red=True, bold=True)
        terminalreporter.write_line("\n".join(unread))


def _is_complete(config: pytest.Config) -> bool:
    option = config.option
    # With --last-failed whole files are left out, which no hook is told of.
    if deselected or option.collectonly or option.ignore or option.ignore_glob or getattr(option, "lf", False):
        return False
    asked = [Path(config.invocation_params.dir, argument).resolve() for argument in config.args]
    return any(CONTRACTS.is_relative_to(path) for path in asked)
