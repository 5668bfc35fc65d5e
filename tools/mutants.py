"""What the tests would not notice: samples faults of the core, one at a time, and prints those that no test fails for.

    make mutants COUNT=150 SEED=1
    make mutants COUNT=30 CHANGED=main~10 WORKERS=2

A fault (a mutant) is put into a copy of the tree: a `raise` or a call left out, an argument of a query left out, a
condition negated, a boundary moved by one, a row lock left out, `and` for `or`, a constant returned. Near tests run
first: those that mirror the module, then those that import it, then all others. A survivor is a missing test, or a
change that changes nothing (an equivalent mutant): whoever reads the list judges.
"""

import argparse
import ast
import difflib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APPS = ("tenants", "customers", "auth_providers")
NOT_CORE = {"api", "admin", "management", "migrations", "apps.py", "admin.py", "demo.py"}
QUERIES = {"filter", "exclude", "get", "get_or_create", "update_or_create", "Q"}
# They read the code: what they notice is no behaviour.
LEFT_OUT = ("tests/test_architecture.py", "tests/test_mutants.py")
NEAR_TIMEOUT, FAR_TIMEOUT = 300, 1800  # seconds


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A fault: `old` source at `start` to `end` (characters) of the file replaced by `new`."""

    path: str
    line: int
    operator: str
    start: int
    end: int
    new: str

    def applied(self, source: str) -> str:
        return source[: self.start] + self.new + source[self.end :]

    def diff(self, source: str) -> str:
        lines = difflib.unified_diff(
            source.splitlines(), self.applied(source).splitlines(), self.path, self.path, lineterm="", n=2
        )
        return "\n".join(lines)


# -- the faults -------------------------------------------------------------------------------------------------------
class Finder(ast.NodeVisitor):
    """Every mutant of a module."""

    def __init__(self, path: str, source: str) -> None:
        self.path, self.source = path, source
        self.found: list[Mutant] = []
        self._starts = [0]
        for line in source.encode().splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._bytes = source.encode()
        self._returns: list[str] = []

    def _offset(self, line: int, column: int) -> int:
        """Of a place that `ast` names by bytes, in characters."""
        return len(self._bytes[: self._starts[line - 1] + column].decode())

    def _span(self, node: ast.expr | ast.stmt | ast.keyword) -> tuple[int, int]:
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self._offset(node.lineno, node.col_offset), self._offset(end_line, end_column)

    def _text(self, node: ast.expr) -> str:
        start, end = self._span(node)
        return self.source[start:end]

    def _add(self, operator: str, span: tuple[int, int], new: str, line: int) -> None:
        self.found.append(Mutant(path=self.path, line=line, operator=operator, start=span[0], end=span[1], new=new))

    def _replace(self, operator: str, node: ast.expr | ast.stmt, new: str) -> None:
        self._add(operator, self._span(node), new, node.lineno)

    # statements
    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._returns.append(ast.unparse(node.returns) if node.returns else "")
        for each in [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults), *node.body]:
            self.visit(each)  # not the annotations
        self._returns.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._replace("raise left out", node, "pass")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call):
            if not self._text(node.value.func).startswith(("logger.", "super()")):
                self._replace("call left out", node, "pass")
            self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is not None:
            for constant in _constants(self._returns[-1] if self._returns else ""):
                if constant != self._text(node.value):
                    self._replace("constant returned", node.value, constant)
            self.generic_visit(node)

    # conditions
    def _negate(self, test: ast.expr) -> None:
        self._replace("condition negated", test, f"(not ({self._text(test)}))")

    def visit_If(self, node: ast.If) -> None:
        if self._text(node.test) != "TYPE_CHECKING":
            self._negate(node.test)
            self.generic_visit(node)

    def visit_While(self, node: ast.While) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._negate(test)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        word = " or " if isinstance(node.op, ast.And) else " and "
        self._replace("and/or swapped", node, "(" + word.join(f"({self._text(each)})" for each in node.values) + ")")
        self.generic_visit(node)

    # boundaries
    def visit_Compare(self, node: ast.Compare) -> None:
        swapped: dict[type[ast.cmpop], str] = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">"}
        sides = [node.left, *node.comparators]
        for left, operator, right in zip(sides, node.ops, sides[1:], strict=False):
            if type(operator) in swapped:
                span = (self._span(left)[1], self._span(right)[0])
                between = re.sub(r"[<>]=?", swapped[type(operator)], self.source[span[0] : span[1]])
                self._add("boundary moved", span, between, node.lineno)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if type(node.value) is int:
            self._replace("boundary moved", node, str(node.value + 1))
            self._replace("boundary moved", node, f"({node.value - 1})")

    # calls
    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if self._text(node.func).startswith("models."):
            return  # a column: migrations are compared with it
        if name in QUERIES or (name == "update" and "(" in self._text(node.func)):  # not a module's function
            self._leave_out_arguments(node)
        if name == "select_for_update" and isinstance(node.func, ast.Attribute):
            self._replace("lock left out", node, self._text(node.func.value))
        self.generic_visit(node)

    def _leave_out_arguments(self, node: ast.Call) -> None:
        spans = sorted([*map(self._span, node.args), *map(self._span, node.keywords)])
        for each in node.keywords:
            start, end = self._span(each)
            following = [span[0] for span in spans if span[0] > start]
            preceding = [span[1] for span in spans if span[1] < start]
            if following:
                end = following[0]
            elif preceding:
                start = preceding[-1]
            self._add("argument of a query left out", (start, end), "", each.lineno)


def _constants(annotation: str) -> tuple[str, ...]:
    """What a function of this return type might always return instead."""
    if annotation == "bool":
        return ("True", "False")
    for start, constant in {"str": '""', "int": "0", "list": "[]", "tuple": "()", "dict": "{}", "set": "set()"}.items():
        if re.match(rf"{start}\b", annotation):
            return (constant,)
    return ("None",)


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Those that still are Python."""
    finder = Finder(path, source)
    finder.visit(ast.parse(source))
    return [each for each in finder.found if _compiles(each.applied(source))]


def _compiles(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


# -- what is changed, and who would notice ----------------------------------------------------------------------------
def core_modules(changed_since: str) -> list[str]:
    """Paths below the root; with a commit, of those only that differ from it."""
    found = {str(path.relative_to(ROOT)) for app in APPS for path in (ROOT / app).rglob("*.py")}
    if changed_since:
        found &= set(_git("diff", "--name-only", changed_since, "--", *APPS))
    return sorted(path for path in found if not NOT_CORE & set(Path(path).parts))


def near_tests(root: Path, module: str) -> list[str]:
    """The tests that mirror the module, then those that import it."""
    path = Path(module)
    stem = path.parent.name if path.stem == "__init__" else path.stem
    mirrored = sorted((root / "tests" / path.parent).glob(f"test_{stem}*.py"))
    package = ".".join(path.parent.parts)
    imports = re.compile(
        rf"from {re.escape(package)} import (?:\([^)]*|[^\n]*)\b{stem}\b|from {re.escape(package)}\.{stem} import"
    )
    importing = [test for test in sorted((root / "tests").rglob("test_*.py")) if imports.search(test.read_text())]
    chosen = dict.fromkeys(str(test.relative_to(root)) for test in [*mirrored, *importing])
    return [test for test in chosen if test not in LEFT_OUT]


def _git(*arguments: str) -> list[str]:
    done = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


# -- the runs ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of tests in the copy. `failed` is the first that failed, "" when none did."""

    failed: str
    seconds: float


class Copy:
    """A copy of the tree, in which mutants live."""

    def __init__(self, root: Path, far: Sequence[str], workers: str) -> None:
        self.root, self.far, self.workers = root, far, workers
        self._time = int(time.time())
        self._passing: set[str] = set()
        self._migrations = "".join(path.read_text() for path in sorted(root.glob("*/migrations/0*.py")))
        self._database, self._is_spoiled = "--create-db", True
        for name in _git("ls-files", "--cached", "--others", "--exclude-standard"):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        installed = ROOT / "tests" / "node" / "node_modules"
        if installed.exists():
            (root / "tests" / "node" / "node_modules").symlink_to(installed)

    def read(self, path: str) -> str:
        return (self.root / path).read_text()

    def write(self, path: str, source: str) -> None:
        """With a time of its own: compiled code is looked up by the second."""
        self._time += 2
        (self.root / path).write_text(source)
        os.utime(self.root / path, (self._time, self._time))

    def run(self, tests: Sequence[str], timeout: int, *options: str) -> Run:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", self._database]
        started = time.monotonic()
        with subprocess.Popen(
            [*command, *options, *tests], cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                output, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                return Run(failed="a timeout", seconds=time.monotonic() - started)
        return Run(failed=_first_failure(output, process.returncode), seconds=time.monotonic() - started)

    def _is_for_migrations(self, module: str) -> bool:
        """Whether a migration calls this module, so that the database has to be made anew."""
        return re.search(rf"^(from|import) .*\b{Path(module).stem}\b", self._migrations, re.MULTILINE) is not None

    def passes_unchanged(self, test: str) -> bool:
        """Whether this test passes without any mutant: else it noticed nothing."""
        self._database = "--create-db" if self._is_spoiled else "--reuse-db"
        if test not in self._passing and not self.run([test], NEAR_TIMEOUT).failed:
            self._passing.add(test)
        return test in self._passing

    def noticed_by(self, module: str) -> Run:
        near = near_tests(self.root, module)
        self._database = "--create-db" if self._is_for_migrations(module) or self._is_spoiled else "--reuse-db"
        self._is_spoiled = self._is_for_migrations(module)
        first = self.run(near, NEAR_TIMEOUT) if near else Run(failed="", seconds=0)
        if first.failed or not self.far:
            return first
        others = [f"--ignore={each}" for each in [*near, *LEFT_OUT]]
        second = self.run(self.far, FAR_TIMEOUT, *others, "-n", self.workers, "--dist", "loadgroup")
        return Run(failed=second.failed, seconds=first.seconds + second.seconds)


def _first_failure(output: str, code: int) -> str:
    if code in {0, 5}:  # 5: there was no test to run
        return ""
    found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", output, re.MULTILINE)
    return found[1] if found else output.strip().splitlines()[-1] if output.strip() else f"exit {code}"


# -- the command ------------------------------------------------------------------------------------------------------
def sampled(sources: Mapping[str, str], count: int, seed: int) -> list[Mutant]:
    """Mutants drawn from all of these modules' alike."""
    found = [mutant for path, source in sources.items() for mutant in mutants_of(path, source)]
    print(f"{len(found)} possible mutants of {len(sources)} modules: {dict(Counter(each.operator for each in found))}")
    return random.Random(seed).sample(found, min(count, len(found)))


def survivors(copy: Copy, mutants: Sequence[Mutant]) -> Iterator[Mutant]:
    for number, mutant in enumerate(mutants, 1):
        source = copy.read(mutant.path)
        copy.write(mutant.path, mutant.applied(source))
        run = copy.noticed_by(mutant.path)
        copy.write(mutant.path, source)
        is_noticed = bool(run.failed) and ("::" not in run.failed or copy.passes_unchanged(run.failed))
        verdict = "noticed by" if is_noticed else "UNCLEAR, without it fails, too," if run.failed else "SURVIVED"
        place = f"{mutant.path}:{mutant.line} {mutant.operator}"
        print(f"[{number}/{len(mutants)}] {place}: {verdict} {run.failed} ({run.seconds:.0f} s)", flush=True)
        if not is_noticed:
            print(mutant.diff(source), flush=True)
            yield mutant


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=30, help="how many mutants to try")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--changed", default="", metavar="COMMIT", help="only modules that differ from this commit")
    parser.add_argument("--only", default="", metavar="TEXT", help="only modules whose path contains this")
    parser.add_argument("--far", nargs="*", default=["tests"], help="tests to run when the near ones notice nothing")
    parser.add_argument("--workers", default="0", help="processes of pytest for the tests that are not near")
    asked = parser.parse_args()
    modules = [path for path in core_modules(asked.changed) if asked.only in path]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Copy(Path(folder), asked.far, asked.workers)
        mutants = sampled({path: copy.read(path) for path in modules}, asked.count, asked.seed)
        left = list(survivors(copy, mutants))
        print(f"\n{len(mutants)} mutants, {len(mutants) - len(left)} noticed, {len(left)} survived:")
        for mutant in left:
            print(f"\n{mutant.operator}\n{mutant.diff(copy.read(mutant.path))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
