"""Which tests execute which line of the core: recorded once by a run of the whole suite, kept in `var/executed_lines/`.

The modules are kept beside the record, so that it still serves after a change: a line is looked up by where it was.
"""

import difflib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from coverage import CoverageData

DATA, MODULES = "coverage", "modules.json"
# xdist appends the group of a test to its name.
GROUP = re.compile(r"@[^\]]*$")


class ExecutedLines:
    """A record in `folder`, of the modules as they were then."""

    def __init__(self, folder: Path) -> None:
        self._data = CoverageData(basename=str(folder / DATA))
        self._data.read()
        self._modules: dict[str, str] = json.loads((folder / MODULES).read_text())

    def tests_of(self, path: str, source: str, lines: Iterable[int]) -> tuple[set[str], bool]:
        """The tests that execute one of these lines of the module, whose source is now this, and whether that is known:
        of no lines, or new ones, all tests of the module are given."""
        then, contexts = self._lines_then(path, source), self._contexts(path)
        found = set[str]().union(*(contexts.get(then.get(line, 0), set()) for line in lines))
        return (found, True) if found else (set[str]().union(*contexts.values()), False)

    def every_test(self) -> set[str]:
        """Those that execute anything of the core."""
        return {_test_of(context) for context in self._data.measured_contexts() if context}

    def _lines_then(self, path: str, source: str) -> dict[int, int]:
        """For the number of each line that was there already, the number that it had."""
        before = self._modules.get(path, "").splitlines()
        blocks = difflib.SequenceMatcher(None, source.splitlines(), before, autojunk=False).get_matching_blocks()
        return {block.a + each + 1: block.b + each + 1 for block in blocks for each in range(block.size)}

    @cache  # noqa: B019 - there is one record
    def _contexts(self, path: str) -> dict[int, set[str]]:
        """For each line that a test executes, the names of the tests."""
        return {
            line: {_test_of(each) for each in contexts if each}
            for line, contexts in self._data.contexts_by_lineno(path).items()
        }


def _test_of(context: str) -> str:
    return GROUP.sub("", context.rpartition("|")[0])


def record(root: Path, modules: Iterable[str], folder: Path, *options: str) -> None:
    """Run the suite of the tree at `root` and keep in `folder` which lines of the modules its tests execute. `options`
    are pytest's. What fails is shown, and no obstacle."""
    coverage = ["--cov", "--cov-context=test", "--cov-report="]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *coverage, *options]
    subprocess.run(command, cwd=root, check=False)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MODULES).write_text(json.dumps({module: (root / module).read_text() for module in modules}))
    shutil.move(root / ".coverage", folder / DATA)
