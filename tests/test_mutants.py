"""The faults that `make mutants` puts into the code."""

from textwrap import dedent

import pytest

from tools import mutants


def changed(source: str, operator: str) -> list[str]:
    """The source with each mutant of this operator."""
    source = dedent(source).strip()
    return [each.applied(source) for each in mutants.mutants_of("x.py", source) if each.operator == operator]


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


def test_the_tests_that_mirror_a_module_come_first() -> None:
    near = mutants.near_tests(mutants.ROOT, "auth_providers/login/totp.py")
    assert near[0] == "tests/auth_providers/login/test_totp.py"
    assert "tests/auth_providers/login/test_second_factor.py" in near[1:]


def test_the_core_is_what_is_sampled() -> None:
    modules = mutants.core_modules("")
    assert {"tenants/isolation.py", "customers/profiles.py", "auth_providers/tokens/sessions.py"} <= set(modules)
    assert not [path for path in modules if "/api/" in path or "/admin/" in path or "/migrations/" in path]


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    sources = {"x.py": "x = [1, 2, 3, 4, 5]"}
    assert mutants.sampled(sources, 5, 1) == mutants.sampled(sources, 5, 1) != mutants.sampled(sources, 5, 2)
