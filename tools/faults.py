"""The faults that `tools.mutants` puts into the code, one at a time.

A fault (a mutant) is a `raise` or a call left out, an argument of a query left out, a condition negated, a boundary
moved by one, a row lock left out, `and` for `or`, or a constant returned.
"""

import ast
import difflib
import re
from dataclasses import dataclass

# Decorators by which a function is run once a process, or once for each of few arguments.
KEPT = {"cache", "cached_property", "compiled", "compiled_update", "lru_cache"}
QUERIES = {"filter", "exclude", "get", "get_or_create", "update_or_create", "Q"}


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A fault: the source from `start` to `end` (characters) of the file replaced by `new`. It is in `line`, of a
    statement that begins in `statement`; `runs_once` says that it is in no function's body, or in that of one whose
    result a process keeps, so that a single test executes it whichever depend on it."""

    path: str
    line: int
    statement: int
    runs_once: bool
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
        self._statement = 1
        self._is_kept = False  # whether a process keeps what the function returns

    def visit(self, node: ast.AST) -> None:
        outer = self._statement
        if isinstance(node, ast.stmt):
            self._statement = node.lineno
        super().visit(node)
        self._statement = outer

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
        self.found.append(
            Mutant(
                path=self.path,
                line=line,
                statement=self._statement,
                runs_once=not self._returns or self._is_kept,
                operator=operator,
                start=span[0],
                end=span[1],
                new=new,
            )
        )

    def _replace(self, operator: str, node: ast.expr | ast.stmt, new: str) -> None:
        self._add(operator, self._span(node), new, node.lineno)

    # statements
    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for each in [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(each)  # not the annotations
        outer, names = self._is_kept, {ast.unparse(each).partition("(")[0] for each in node.decorator_list}
        self._is_kept = outer or not names.isdisjoint(KEPT)
        self._returns.append(ast.unparse(node.returns) if node.returns else "")
        for statement in node.body:
            self.visit(statement)
        self._returns.pop()
        self._is_kept = outer

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
