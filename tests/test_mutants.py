"""The faults that `make mutants` puts into the code."""

from textwrap import dedent

import pytest

from tools import faults, mutants
from tools.executed_lines import ExecutedLines, record


def changed(source: str, operator: str) -> list[str]:
    """The source with each mutant of this operator."""
    source = dedent(source).strip()
    return [each.applied(source) for each in faults.mutants_of("x.py", source) if each.operator == operator]


@pytest.mark.parametrize(
    ("operator", "source", "expected"),
    [
        ("raise left out", "if a:\n    raise B(1)", ["if a:\n    pass"]),
        ("call left out", "save(x)\nlogger.info(x)\ny = save(x)", ["pass\nlogger.info(x)\ny = save(x)"]),
        ("condition negated", "if a is None: b()", ["if (not (a is None)): b()"]),
        ("condition negated", "x = [a for a in b if a]", ["x = [a for a in b if (not (a))]"]),
        ("condition negated", "x = a if b else c", ["x = a if (not (b)) else c"]),
        ("and/or swapped", "x = a and b == c", ["x = ((a) or (b == c))"]),
        ("boundary moved", "x = a < b", ["x = a <= b"]),
        ("boundary moved", "x = a >= b > c", ["x = a > b > c", "x = a >= b >= c"]),
        ("boundary moved", "x = 'ü'; LIMIT = 20", ["x = 'ü'; LIMIT = 21", "x = 'ü'; LIMIT = (19)"]),
        ("boundary moved", "x: Literal[1] = y", []),
        ("boundary moved", "x = models.CharField(max_length=64)", []),
        ("lock left out", "x = rows.select_for_update(of=('self',)).get()", ["x = rows.get()"]),
        ("argument of a query left out", "x = rows.filter(a=1)", ["x = rows.filter()"]),
        ("argument of a query left out", "x = rows.get(a=1, b=2)", ["x = rows.get(b=2)", "x = rows.get(a=1)"]),
        ("argument of a query left out", "x = rows.filter(q, a=1)", ["x = rows.filter(q)"]),
        ("argument of a query left out", "x = rows.all().update(a=1)", ["x = rows.all().update()"]),
        ("argument of a query left out", "x = profiles.update(a=1)", []),
        (
            "constant returned",
            "def f() -> bool:\n    return a",
            [f"def f() -> bool:\n    return {x}" for x in (True, False)],
        ),
        ("constant returned", "def f() -> list[int]:\n    return a", ["def f() -> list[int]:\n    return []"]),
        ("constant returned", "def f() -> A | None:\n    return None", []),
    ],
)
def test_a_fault(operator: str, source: str, expected: list[str]) -> None:
    assert changed(source, operator) == expected


def test_a_fault_knows_the_statement_it_is_in() -> None:
    source = "if a:\n    b(\n        c=1,\n    )\ndef f(x=2):\n    y = 3"
    found = faults.mutants_of("x.py", source)
    assert {(each.operator, each.statement, each.line, each.runs_once) for each in found} == {
        ("condition negated", 1, 1, True),
        ("call left out", 2, 2, True),
        ("boundary moved", 2, 3, True),
        ("boundary moved", 5, 5, True),
        ("boundary moved", 6, 6, False),
    }


def test_a_fault_in_what_a_process_keeps_runs_once() -> None:
    source = "@compiled\ndef f(*, a):\n    b(a)\n\n@cache\ndef g():\n    return lambda: c(d=1)\n\ndef h():\n    e()"
    assert {each.line: each.runs_once for each in faults.mutants_of("x.py", source)} == {3: True, 7: True, 10: False}


def test_the_tests_that_mirror_a_module_come_first() -> None:
    module = "auth_providers/login/totp.py"
    near = mutants.near_files(mutants.ROOT, module)
    assert near[0] == "tests/auth_providers/login/test_totp.py"
    assert "tests/auth_providers/login/test_second_factor.py" in near[1:]
    tests = ["tests/a.py::x", "tests/auth_providers/b.py::x", f"{near[1]}::x", f"{near[0]}::x"]
    assert mutants.nearest_first(tests, near, module) == tests[::-1]


def test_files_named_after_a_package_mirror_its_modules_where_no_folder_does() -> None:
    near = mutants.near_files(mutants.ROOT, "auth_providers/limits/waits.py")
    assert {"tests/auth_providers/test_limits.py", "tests/auth_providers/test_frequent_limits.py"} <= set(near)
    assert "tests/auth_providers/test_retention.py" not in near


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> ExecutedLines:
    """A record of two tests of a module."""
    root, kept = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("kept") / "record"
    (root / "app").mkdir()
    (root / "app" / "code.py").write_text(CODE)
    (root / "test_code.py").write_text(TESTS)
    (root / "pyproject.toml").write_text('[tool.coverage.run]\nsource = ["app"]\nrelative_files = true\n')
    record(root, ["app/code.py"], kept, "-p", "no:django")
    return ExecutedLines(kept)


CODE = "LIMIT = 3\n\ndef small(x):\n    return x < LIMIT\n\ndef big(x):\n    return x > 9\n"
TESTS = (
    "from app.code import big, small\n\ndef test_small():\n    assert small(2)\n\ndef test_big():\n    assert big(10)\n"
)
SMALL, BIG = "test_code.py::test_small", "test_code.py::test_big"


@pytest.mark.parametrize(
    ("source", "line", "expected"),
    [
        (CODE, 4, ({SMALL}, True)),
        (CODE, 7, ({BIG}, True)),
        (f"# One more line\n{CODE}", 8, ({BIG}, True)),
        (CODE.replace("x > 9", "x > 8"), 7, ({SMALL, BIG}, False)),
        (CODE, 1, ({SMALL, BIG}, False)),
        (CODE, None, ({SMALL, BIG}, False)),
    ],
    ids=["a line", "another line", "a line that moved", "a line that is new", "a line that runs at import", "none"],
)
def test_the_tests_that_execute_a_line(
    source: str, line: int | None, expected: tuple[set[str], bool], executed: ExecutedLines
) -> None:
    assert executed.tests_of("app/code.py", source, [] if line is None else [line]) == expected
    assert executed.every_test() == {SMALL, BIG}


def test_the_core_is_what_is_sampled() -> None:
    modules = mutants.core_modules(mutants.ROOT)
    assert {"tenants/isolation.py", "customers/profiles.py", "auth_providers/tokens/sessions.py"} <= set(modules)
    assert not [path for path in modules if "/api/" in path or "/admin/" in path or "/migrations/" in path]


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    sources = {"x.py": "x = [1, 2, 3, 4, 5]"}
    assert mutants.sampled(sources, 5, 1) == mutants.sampled(sources, 5, 1) != mutants.sampled(sources, 5, 2)
