"""The rules of CONTRIBUTING.md that can be checked by a program."""

import ast
import importlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory

from customers.models import PostalCode
from tenants.api import contracts
from tenants.api.base import ContractViewSet
from tenants.api.failures import Failure, failure_of
from tenants.errors import DomainError, FieldError, Reason
from tenants.isolation import owned_models
from tenants.models import StaffAuthenticator, StaffEvent, StaffRecoveryCode, Tenant

ROOT: Path = settings.BASE_DIR
APPS = ("config", "tenants", "customers", "auth_providers")
FOLDERS = {*APPS, "bench", "deploy", "docs", "templates", "tests", "tools", "torture"}
FILES = {"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md"}
FILES |= {"constraints.txt", "manage.py", "pyproject.toml"}
# Names that only contracts may use, and those that only one may.
CONTRACT_WORDS = re.compile(r"problem\+json|customerNumber|tenantId")
OWN_WORDS = {
    "emporix": re.compile(r"(?i:emporix|hybris|saas_?token|faultstring)|sessionId"),
    "kibo": re.compile(r"(?i:kibo|x-vol)"),
    "neostore": re.compile(r"(?i:neostore)"),
}
CONTRACT_HOMES = re.compile(r"/(api|contracts)/")
VAGUE_NAMES = {"utils", "helpers", "services", "managers", "common", "misc", "base_models"}
MAX_FILE_LINES = 400
MAX_MODULES = 15  # in a folder
MAX_FUNCTION_LINES = 45
MAX_MEDIAN_FUNCTION_LINES = 10


def python_files(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return sorted(path for path in found if "migrations" not in path.parts)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef))


def length(function: ast.FunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def domain_errors() -> list[type[DomainError]]:
    for path in python_files(*APPS):
        if not re.search(r"/admin/|/admin\.py$|/wsgi\.py$", name_of(path)) and not CONTRACT_HOMES.search(name_of(path)):
            importlib.import_module(name_of(path).removesuffix(".py").replace("/", "."))
    found: list[type[DomainError]] = []
    waiting = [DomainError]
    while waiting:
        for error in waiting.pop().__subclasses__():
            found.append(error)
            waiting.append(error)
    return sorted(set(found), key=lambda error: error.__name__)


@pytest.mark.parametrize("path", python_files(*APPS), ids=name_of)
def test_contracts_words_stay_in_their_packages(path: Path) -> None:
    if CONTRACT_HOMES.search(name_of(path)):
        return
    used = [line for line in path.read_text().splitlines() if CONTRACT_WORDS.search(line)]
    assert not used, f"words of a contract in the core: {used}"


@pytest.mark.parametrize("contract", OWN_WORDS)
def test_a_contracts_own_words_stay_in_its_own_packages(contract: str) -> None:
    home = re.compile(rf"/(api|contracts)/{contract}(/|\.py)|^config/settings\.py$")
    paths = [path for path in python_files(*APPS) if not home.search(name_of(path))]
    assert not [name_of(path) for path in paths if OWN_WORDS[contract].search(path.read_text())]


@pytest.mark.parametrize("path", python_files(*APPS), ids=name_of)
def test_a_file_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES
    assert path.stem not in VAGUE_NAMES, "name the file after its topic"


def test_a_folder_is_taken_in_at_a_glance() -> None:
    modules = Counter(name_of(path.parent) for path in python_files(*APPS) if path.name != "__init__.py")
    assert {folder: number for folder, number in modules.items() if number > MAX_MODULES} == {}


def test_nothing_left_behind_lies_at_the_top() -> None:
    tracked = subprocess.run(
        ["/usr/bin/env", "git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    top = {name.split("/")[0] for name in tracked.splitlines() if not name.startswith(".")}
    assert top <= FOLDERS | FILES


def test_functions_are_short() -> None:
    lengths = sorted(length(function) for path in python_files(*APPS) for function in functions(path))
    assert lengths[len(lengths) // 2] <= MAX_MEDIAN_FUNCTION_LINES
    assert lengths[-1] <= MAX_FUNCTION_LINES


@pytest.mark.parametrize("path", python_files(*APPS), ids=name_of)
def test_no_function_imports(path: Path) -> None:
    hidden = [
        ast.unparse(node)
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not hidden


@pytest.mark.parametrize("path", python_files(*APPS), ids=name_of)
def test_every_module_and_public_class_says_what_it_is_for(path: Path) -> None:
    tree = tree_of(path)
    if path.name != "__init__.py":
        assert ast.get_docstring(tree)
    if (
        "/api/" in name_of(path)
        or "/admin/" in name_of(path)
        or path.name == "admin.py"
        or "/commands/" in name_of(path)
    ):
        return
    silent = [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and node.name not in ("is_staff_path", "not_found", "server_error", "BackOffice", "StaffAdminConfig")
    ]
    assert not silent


def _creates(path: Path, model: str) -> bool:
    text = path.read_text()
    called = rf"(?:(?<!\.)|\bmodels\.)\b{model}\((?!models|TenantOwned)|\b{model}\.objects\.\w*create"
    named = rf"\b(?:fresh\(|partial\((?:fresh,\s*)?)\s*{model}\b"
    return bool(re.search(f"{called}|{named}", text))


@pytest.mark.parametrize(("model", "creator"), [("Session", "sessions.py"), ("Token", "opaque_tokens.py")])
def test_every_log_in_ends_in_the_same_function(model: str, creator: str) -> None:
    creators = {
        name_of(path)
        for path in python_files("auth_providers", "customers", "config")
        if _creates(path, model) and path.name not in ("models.py", "jwts.py")
    }
    assert creators == {f"auth_providers/tokens/{creator}"}


@pytest.mark.parametrize("served", contracts.served(), ids=lambda served: served.contract.name)
@pytest.mark.parametrize("error_class", domain_errors(), ids=lambda error: error.__name__)
def test_every_viewset_of_every_contract_renders_every_failure(
    served: contracts.Served, error_class: type[DomainError]
) -> None:
    detail = FieldError(field="email", code="invalid", message="Enter a valid e-mail address.")
    failure = failure_of(error_class(details=(detail,), retry_after=7))
    for each in served.patterns:
        viewset = getattr(each.callback, "cls", None)
        if viewset is not None:
            answer = _rendered(viewset, failure)
            assert answer.status_code in {400, 401, 403, 404, 409, 410, 412, 422, 429, 503}
            assert answer.data


def _rendered(viewset: type[ContractViewSet], failure: Failure) -> Response:
    view = viewset()
    view.action_map = {}
    view.request = view.initialize_request(APIRequestFactory().get("/"))
    return view.render_failure(failure)


def test_every_reason_is_that_of_one_failure() -> None:
    assert sorted(error.reason for error in domain_errors()) == sorted(Reason)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", reason) for reason in Reason)


# In the core `Any` stands where a framework's own signature has it, and nowhere else.
SIGNATURES_OF_FRAMEWORKS = {
    "auth_providers/tokens/jwts.py",  # simplejwt
    "tenants/compiled/bulk.py",  # Django's fields and querysets, psycopg's cursors
    "tenants/compiled/instances.py",  # Django's from_db
    "tenants/compiled/pipeline.py",  # psycopg's connections
    "tenants/compiled/prepared.py",  # rows of psycopg's
    "tenants/compiled/queries.py",  # Django's querysets, compilers and cursors
    "tenants/compiled/transactions.py",  # Django's execute_wrapper
    "tenants/compiled/writes.py",  # the same
    "tenants/isolation.py",  # Django's execute_wrapper
    "tenants/models/trail.py",  # Django's save and delete
}


def test_the_core_is_typed() -> None:
    core = [
        path
        for path in python_files("tenants", "customers", "auth_providers")
        if not {"api", "admin", "back_office", "management", "admin.py"} & {*path.relative_to(ROOT).parts}
    ]
    untyped = {
        name_of(path)
        for path in core
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Name) and node.id == "Any"
    }
    assert untyped == SIGNATURES_OF_FRAMEWORKS


def _unique_fields(model: type[models.Model]) -> Iterator[tuple[str, ...]]:
    yield from (tuple(each.fields) for each in model._meta.constraints if isinstance(each, models.UniqueConstraint))
    yield from ((field.name,) for field in model._meta.local_fields if field.unique and not field.primary_key)


# Looked up before the tenant is known; 256 random bits occur once.
GLOBALLY_UNIQUE = {("token_hash",)}


@pytest.mark.parametrize("model", owned_models(), ids=lambda model: model.__name__)
def test_unique_constraints_of_a_tenants_rows_start_with_the_tenant(model: type[models.Model]) -> None:
    others = {fields for fields in _unique_fields(model) if fields[0] != "tenant"} - GLOBALLY_UNIQUE
    assert not others


def test_every_model_of_ours_belongs_to_a_tenant() -> None:
    ours = {model for app in APPS[1:] for model in apps.get_app_config(app).get_models()}
    # Staff serve every tenant: their log-ins at the back office belong to none.
    # A post office's codes are the same for all.
    assert ours - set(owned_models()) == {Tenant, StaffEvent, StaffAuthenticator, StaffRecoveryCode, PostalCode}


# Such as "Raises `limits.Throttled` and ...".
RAISED = re.compile(r"[Rr]aises? ((?:[^.`]|`[^`]*`)*)")
NAME_IN_MODULE = re.compile(r"`(\w+)\.([A-Z]+[a-z]\w*)`")


def test_what_a_docstring_says_is_raised_is_there() -> None:
    """A module is named as it was imported, or by its own name."""
    there: dict[str, set[str]] = {}
    for path in python_files(*APPS):
        name = path.parent.name if path.stem == "__init__" else path.stem
        there.setdefault(name, set()).update(_names_in(tree_of(path)))
    missing = [
        f"{name_of(path)}: {module}.{error}"
        for path in python_files(*APPS)
        for module, error in _said_to_be_raised(path)
        if module in there and error not in there[module]
    ]
    assert missing == []


def _names_in(tree: ast.Module) -> Iterator[str]:
    """Of its classes, and of what it imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.ImportFrom):
            yield from (each.asname or each.name for each in node.names)


def _said_to_be_raised(path: Path) -> Iterator[tuple[str, str]]:
    nodes = list(ast.walk(tree_of(path)))
    imports = [each for node in nodes if isinstance(node, ast.ImportFrom) for each in node.names]
    renamed = {each.asname: each.name for each in imports if each.asname}
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            for sentence in RAISED.findall(ast.get_docstring(node) or ""):
                for module, error in NAME_IN_MODULE.findall(sentence):
                    yield renamed.get(module, module), error


def test_imports_run_in_one_direction() -> None:
    finished = subprocess.run(  # noqa: S603
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout
