"""What the tests would not notice: samples faults of the core, one at a time, and prints those that no test fails for.

    make mutants COUNT=150 SEED=1
    make mutants COUNT=30 CHANGED=main~10

A fault (`tools.faults`) is put into a copy of the tree. The tests that execute its line (`tools.executed_lines`, which
is recorded the first time) run up to the first that fails, those that mirror the module before others. A survivor is a
missing test, or a change that changes nothing (an equivalent mutant): the reader of the list judges. Several jobs
share the sample, each with a copy of the tree and a database of its own.
"""

import argparse
import importlib
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from multiprocessing.queues import Queue
from pathlib import Path
from typing import ClassVar

import pytest

from bench.load import cpu_of
from tools.executed_lines import ExecutedLines, record
from tools.faults import Mutant, mutants_of

ROOT = Path(__file__).resolve().parent.parent
RECORD = ROOT / "var" / "executed_lines"
APPS = ("tenants", "customers", "auth_providers")
NOT_CORE = {"api", "admin", "management", "migrations", "apps.py", "admin.py", "demo.py"}
# A busy machine lets a run of tests wait up to so many times as long as it computes.
WAITING = 20
IDLE = 120  # seconds
# Tests that are run before all others.
FEW = 100
# They read the code: what they notice is no behaviour.
LEFT_OUT = ("tests/test_architecture.py", "tests/test_mutants.py")
OPTIONS = ("-p", "no:cacheprovider", *(f"--ignore={path}" for path in LEFT_OUT))
# What takes the tests seconds to import and knows nothing of the code: each run of tests is a fork that has it.
IMPORTED_ONCE = (
    "argon2", "babel.numbers", "cryptography.x509", "django.test", "factory", "httpx", "hypothesis",
    "jsonschema_rs", "msgspec", "phonenumbers", "psycopg", "pycountry", "pytest_django", "requests", "schemathesis",
    "xdist",
)  # fmt: skip


# -- what is changed, and who would notice ----------------------------------------------------------------------------
def core_modules(root: Path, changed_since: str = "") -> list[str]:
    """Paths below the root; with a commit, of those only that differ from it."""
    found = {str(path.relative_to(root)) for app in APPS for path in (root / app).rglob("*.py")}
    if changed_since:
        found &= set(_git("diff", "--name-only", changed_since, "--", *APPS))
    return sorted(path for path in found if not NOT_CORE & set(Path(path).parts))


def near_files(root: Path, module: str) -> list[str]:
    """The files of tests that mirror the module, then those that import it, then those that mirror its neighbours."""
    path = Path(module)
    stem = path.parent.name if path.stem == "__init__" else path.stem
    mirrored = sorted((root / "tests" / path.parent).glob(f"test_{stem}*.py"))
    package = ".".join(path.parent.parts)
    imports = re.compile(
        rf"from {re.escape(package)} import (?:\([^)]*|[^\n]*)\b{stem}\b|from {re.escape(package)}\.{stem} import"
    )
    importing = [
        test for test in sorted((root / "tests").rglob("test_*.py"), key=_depth) if imports.search(test.read_text())
    ]
    neighbours = sorted((root / "tests" / path.parent).glob("test_*.py")) or sorted(
        # No folder mirrors the package: files that are named after it do.
        (root / "tests" / path.parent.parent).glob(f"test_*{path.parent.name}*.py")
    )
    chosen = dict.fromkeys(str(test.relative_to(root)) for test in [*mirrored, *importing, *neighbours])
    return [test for test in chosen if test not in LEFT_OUT]


def _depth(test: Path) -> tuple[int, Path]:
    """Those at the top come first: they look at all modules in a moment, such as at the numbers that are set."""
    return len(test.parts), test


def nearest_first(tests: Sequence[str], near: Sequence[str], module: str) -> list[str]:
    """Tests of the near files in their order, then those of the folders that have most in common with the module's."""

    def distance(test: str) -> tuple[int, int]:
        file = test.partition("::")[0]
        pairs = zip(Path(file).parts[1:], Path(module).parts, strict=False)
        shared = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        return (near.index(file) if file in near else len(near), -shared)

    return sorted(tests, key=distance)


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


# -- the runs ---------------------------------------------------------------------------------------------------------
class Copy:
    """A copy of the tree, in which mutants live."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._time = int(time.time())
        for name in _git("ls-files", "--cached", "--others", "--exclude-standard"):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        installed = ROOT / "tests" / "node" / "node_modules"
        if installed.exists():
            (root / "tests" / "node" / "node_modules").symlink_to(installed.resolve())

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def write(self, path: str, source: str) -> None:
        """With a time of its own: compiled code is looked up by the second."""
        self._time += 2
        (self.root / path).write_text(source)
        os.utime(self.root / path, (self._time, self._time))

    def pytest(self, *arguments: str, cpu_seconds: int) -> str:
        """What pytest prints, in a fork of this process; "a timeout" where that computes longer, or waits for ever."""
        with tempfile.NamedTemporaryFile() as output:
            process = get_context("fork").Process(
                target=_run_pytest, args=(self.root, output.fileno(), cpu_seconds, arguments)
            )
            process.start()
            if not _has_ended(process, WAITING * cpu_seconds) and process.pid:
                os.killpg(process.pid, signal.SIGKILL)
                process.join()
                return "FAILED a timeout"
            return "FAILED a timeout" if process.exitcode == -signal.SIGXCPU else Path(output.name).read_text()


def _has_ended(process: ForkProcess, seconds: int) -> bool:
    """Wait so long for its end, or until it has not computed anything for `IDLE` seconds: then it waits for ever."""
    until, computed, since = time.monotonic() + seconds, -1.0, time.monotonic()
    while process.is_alive() and time.monotonic() < until:
        process.join(1)
        now = sum(cpu_of([process.pid or 0]).values())
        if now != computed:
            computed, since = now, time.monotonic()
        if time.monotonic() - since > IDLE:
            return False
    return not process.is_alive()


def _run_pytest(root: Path, output: int, cpu_seconds: int, arguments: Sequence[str]) -> None:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.chdir(root)
    sys.path[:] = [str(root), *(path for path in sys.path if path not in {"", str(ROOT)})]
    for name in [name for name in sys.modules if name.partition(".")[0] == "tools"]:
        del sys.modules[name]
    # What was imported before is not rewritten for its assertions, and says so.
    pytest.main(["-q", "-W", "ignore::pytest.PytestAssertRewriteWarning", *OPTIONS, *arguments])


def function_of(test: str) -> str:
    """The test without its case: a mutant may change the name of that."""
    return test.partition("[")[0]


class Suite:
    """The tests of the copy, and which of them execute what."""

    def __init__(self, copy: Copy, executed: ExecutedLines) -> None:
        self.copy, self.executed = copy, executed
        listed = copy.pytest("--collect-only", cpu_seconds=120).splitlines()
        self.tests = list(dict.fromkeys(function_of(line) for line in listed if "::" in line))
        self._new = set(self.tests) - {function_of(test) for test in executed.every_test()}
        self._migrations = "".join(path.read_text() for path in sorted(copy.root.glob("*/migrations/0*.py")))
        self._is_spoiled = True

    def chosen_for(self, mutant: Mutant) -> list[str]:
        """The tests that execute the mutant; where it runs once a process, those that execute its module, and the near
        ones; of tests that are newer than the record, the near ones; and all near ones where a migration calls it."""
        source, near = self.copy.read(mutant.path), near_files(self.copy.root, mutant.path)
        lines = () if mutant.runs_once else range(mutant.statement, mutant.line + 1)
        executing, is_sure = self.executed.tests_of(mutant.path, source, lines)
        others = self._new if is_sure and not self._is_for_migrations(mutant.path) else set(self.tests)
        chosen = {function_of(test) for test in executing}
        chosen |= {test for test in others if test.partition("::")[0] in near}
        return nearest_first([test for test in self.tests if test in chosen], near, mutant.path)

    def first_failure(self, tests: Sequence[str], module: str) -> str:
        """The first of these tests that fails, "" when none does."""
        is_for_migrations = self._is_for_migrations(module)
        database = "--create-db" if is_for_migrations or self._is_spoiled else "--reuse-db"
        self._is_spoiled = is_for_migrations
        for part in (tests[:FEW], tests[FEW:]):  # to collect thousands takes a minute
            if failed := self._failures(part, "-x", database):
                return failed[0]
            database = "--create-db" if is_for_migrations else "--reuse-db"
        return ""

    def _is_for_migrations(self, module: str) -> bool:
        """Whether a migration calls the module: it runs before any test."""
        return bool(re.search(rf"^(from|import) .*\b{Path(module).stem}\b", self._migrations, re.MULTILINE))

    def failures_unchanged(self, tests: Sequence[str]) -> set[str]:
        """Which of these tests fail without any mutant: they noticed nothing."""
        functions = {function_of(test) for test in tests}
        return set(self._failures([test for test in self.tests if test in functions], "--create-db"))

    def _failures(self, tests: Sequence[str], *options: str) -> list[str]:
        if not tests:
            return []
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as names:
            names.write("\n".join(tests))
            names.flush()
            output = self.copy.pytest(*options, f"@{names.name}", cpu_seconds=60 + len(tests))
        failed = re.findall(r"^(?:FAILED|ERROR) (tests/.+?|a timeout)(?: - .*)?$", output, re.MULTILINE)
        is_done = re.search(r"^\d+ (passed|skipped)", output, re.MULTILINE)
        return failed or ([] if is_done else [output.strip().rpartition("\n")[2] or "the end of the process"])


# -- the command ------------------------------------------------------------------------------------------------------
def sampled(sources: Mapping[str, str], count: int, seed: int) -> list[Mutant]:
    """Mutants drawn from all of these modules' alike."""
    found = [mutant for path, source in sources.items() for mutant in mutants_of(path, source)]
    print(f"{len(found)} possible mutants of {len(sources)} modules: {dict(Counter(each.operator for each in found))}")
    return random.Random(seed).sample(found, min(count, len(found)))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Which test failed first for the mutant, "" for a survivor."""

    mutant: Mutant
    failed: str


class Job:
    """A process that judges mutants in a copy of the tree and with a database of its own."""

    suite: ClassVar[Suite]
    number: ClassVar[int]

    @classmethod
    def start(cls, folder: str, numbers: "Queue[int]") -> None:
        cls.number = numbers.get()
        own = Path(folder) / str(cls.number)
        # pytest-django appends the first to the database's name; the tests write files to the second.
        os.environ |= {"TOX_PARALLEL_ENV": f"mutants{cls.number}", "VAR_DIR": str(own / "var" / "tests")}
        cls.suite = Suite(Copy(own), ExecutedLines(RECORD))


def judge(mutant: Mutant) -> Verdict:
    """Runs the mutant's tests, in a process that is a job."""
    started, suite = time.monotonic(), Job.suite
    source, tests = suite.copy.read(mutant.path), suite.chosen_for(mutant)
    suite.copy.write(mutant.path, mutant.applied(source))
    failed = suite.first_failure(tests, mutant.path)
    suite.copy.write(mutant.path, source)
    what = f"noticed by {failed}" if failed else f"SURVIVED {len(tests)} tests\n{mutant.diff(source)}"
    took = time.monotonic() - started
    print(f"[{Job.number}] {mutant.path}:{mutant.line} {mutant.operator} ({took:.0f} s): {what}", flush=True)
    return Verdict(mutant=mutant, failed=failed)


def failures_unchanged(tests: Sequence[str]) -> set[str]:
    return Job.suite.failures_unchanged(tests)


def judged(mutants: Sequence[Mutant], jobs: int) -> tuple[list[Verdict], set[str]]:
    """The verdict on each mutant, and which of the tests that failed fail without a mutant, too."""
    context = get_context("fork")
    numbers: Queue[int] = context.Queue()
    for number in range(jobs):
        numbers.put(number)
    with (
        tempfile.TemporaryDirectory(prefix="mutants-") as folder,
        ProcessPoolExecutor(jobs, mp_context=context, initializer=Job.start, initargs=(folder, numbers)) as pool,
    ):
        verdicts = list(pool.map(judge, mutants))
        return verdicts, pool.submit(failures_unchanged, [each.failed for each in verdicts]).result()


def record_executed_lines() -> None:
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Copy(Path(folder))
        record(copy.root, core_modules(copy.root), RECORD, *OPTIONS, "-n", "auto", "--dist", "loadgroup")


def show(title: str, mutants: Sequence[Mutant]) -> None:
    print(f"\n{len(mutants)} {title}")
    for mutant in mutants:
        print(f"\n{mutant.operator}\n{mutant.diff((ROOT / mutant.path).read_text())}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=30, help="how many mutants to try")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--changed", default="", metavar="COMMIT", help="only modules that differ from this commit")
    parser.add_argument("--only", default="", metavar="TEXT", help="only modules whose path contains this")
    parser.add_argument("--record", action="store_true", help="record anew which tests execute which lines")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many mutants are tried at a time")
    asked = parser.parse_args()
    if asked.record or not RECORD.exists():
        record_executed_lines()
    for name in IMPORTED_ONCE:
        with suppress(ImportError):
            importlib.import_module(name)
    modules = [path for path in core_modules(ROOT, asked.changed) if asked.only in path]
    mutants = sampled({path: (ROOT / path).read_text() for path in modules}, asked.count, asked.seed)
    verdicts, unsound = judged(mutants, asked.jobs)
    survived = [each.mutant for each in verdicts if not each.failed]
    unclear = [each.mutant for each in verdicts if each.failed in unsound]
    print(f"\n{len(mutants)} mutants, {len(mutants) - len(survived) - len(unclear)} noticed")
    show("survived:", survived)
    show("unclear, because the test that failed fails without them, too:", unclear)
    return 0


if __name__ == "__main__":
    sys.exit(main())
