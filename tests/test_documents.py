"""The documents stay true: form and length of decisions, the files, modules, commands and variables that are named."""

import importlib
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import get_commands

from config.environment.variables import Environment

ROOT: Path = settings.BASE_DIR
DECISIONS = ROOT / "docs" / "decisions"
DECISION_FILES = sorted(path for path in DECISIONS.glob("*.md") if path.name != "README.md")
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/security.md", "docs/gateway.md")),
    *(ROOT / "docs" / name for name in ("slo.md", "operations.md")),
    *sorted(DECISIONS.glob("*.md")),
]
PACKAGES = ("config", "tenants", "customers", "auth_providers")
FOLDERS = (*PACKAGES, "bench", "deploy", "docs", "templates", "tests", "tools", "torture")
SECTIONS = ["Context", "Decision", "Alternatives", "Consequences"]
MAX_DECISION_WORDS = 300
MAX_GLOSSARY_LINES = 40
MAX_MAP_ROWS = 15

CODE = re.compile(r"`([^`\n]+)`")
# `folder/file.py`, `folder/`, `api/<contract>/`, `README.md`
PATH = re.compile(rf"(?:(?:{'|'.join(FOLDERS)})/[\w./*<>-]*|[\w-]+\.(?:py|md|toml|txt))")
# `sessions.start()`, `tenants.isolation.enable`
DOTTED = re.compile(r"([a-z_]\w*(?:\.\w+)+)(?:\(\))?")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def code_in(document: Path) -> list[str]:
    """What stands between backticks, outside of blocks."""
    return CODE.findall(re.sub(r"^```.*?^```", "", document.read_text(), flags=re.DOTALL | re.MULTILINE))


def sources() -> list[Path]:
    return [path for folder in (*PACKAGES, "bench", "tests") for path in (ROOT / folder).rglob("*.py")]


def product_sources() -> list[Path]:
    return [path for folder in PACKAGES for path in (ROOT / folder).rglob("*.py")]


def section(document: Path, heading: str) -> list[str]:
    """The lines under a heading, without empty ones."""
    text = re.split(rf"^## {heading}$", document.read_text(), flags=re.MULTILINE)[1]
    return [line for line in re.split(r"^## ", text, flags=re.MULTILINE)[0].splitlines() if line.strip()]


def rows(lines: list[str]) -> list[list[str]]:
    """The cells of a table's rows, without its head."""
    table = [line for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:]]


@pytest.mark.parametrize("path", DECISION_FILES, ids=name_of)
def test_a_decision_has_the_form(path: Path) -> None:
    text = path.read_text()
    lines = text.splitlines()
    assert lines[0].startswith("# ")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d, (accepted|replaced by \[.+\]\(.+\))\.", lines[2])
    assert re.findall(r"^\*\*(\w+)\.\*\* \S", text, re.MULTILINE) == SECTIONS
    assert len(text.split()) <= MAX_DECISION_WORDS


def test_the_list_of_decisions_is_complete() -> None:
    listed = re.findall(r"^- \[(.+)\]\((.+)\)$", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    titles = {path.name: path.read_text().splitlines()[0].removeprefix("# ") for path in DECISION_FILES}
    assert {file: title for title, file in listed} == titles


def exists(named: str) -> bool:
    """Whether a file of that path, pattern or mere name is there."""
    pattern = re.sub(r"<\w+>", "*", named).rstrip("/")
    return any(ROOT.glob(pattern)) or ("/" not in pattern and any(each.name == pattern for each in sources()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_files_that_a_document_names_exist(document: Path) -> None:
    named = [code for code in code_in(document) if PATH.fullmatch(code)]
    assert [code for code in named if not exists(code)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_of_a_document_lead_to_files(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", document.read_text())
    assert [link for link in links if ":" not in link and not (document.parent / link).exists()] == []


def is_defined(dotted: str) -> bool:
    """Whether `module.name`, with or without the packages around it, is a module or something that one defines."""
    first, *rest = dotted.split(".")
    if first in PACKAGES:
        return _resolves(dotted)
    modules = [name_of(path).removesuffix(".py").replace("/", ".") for path in sources() if path.stem == first]
    return any(_resolves(".".join([module, *rest])) for module in modules)


def _resolves(dotted: str) -> bool:
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            if not hasattr(found, name):
                return False
            found = getattr(found, name)
        return True
    return False


MODULES = {path.stem for path in sources()} | set(PACKAGES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_modules_and_functions_that_a_document_names_exist(document: Path) -> None:
    named = [match[1] for code in code_in(document) if (match := DOTTED.fullmatch(code)) and not PATH.fullmatch(code)]
    ours = [dotted for dotted in named if dotted.partition(".")[0] in MODULES]
    assert [dotted for dotted in ours if not is_defined(dotted)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_commands_that_a_document_names_exist(document: Path) -> None:
    text = document.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = set(get_commands()) | {"help", "version"}
    assert set(re.findall(r"(?:manage\.py|deploy/manage) ([a-z_]+)", text)) <= commands
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.MULTILINE)) <= targets


def test_decisions_that_the_code_names_exist() -> None:
    named = {each for path in sources() for each in re.findall(r"docs/decisions/[\w-]+\.md", path.read_text())}
    assert named
    assert [each for each in sorted(named) if not (ROOT / each).exists()] == []


def test_modules_and_functions_that_the_code_names_with_their_package_exist() -> None:
    named = {
        (name_of(path), match[1])
        for path in sources()
        for code in CODE.findall(path.read_text())
        if (match := DOTTED.fullmatch(code)) and match[1].partition(".")[0] in PACKAGES
    }
    assert named
    assert [(file, dotted) for file, dotted in sorted(named) if not _resolves(dotted)] == []


class Recorder(dict[str, str]):
    """Environment variables, and the names of those that somebody asked for."""

    def __init__(self, variables: dict[str, str]) -> None:
        super().__init__(variables)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


@pytest.fixture
def variables_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What the settings ask for when they are read, as in the demo, where they ask for everything."""
    variables = Recorder({"DEMO": "true", "VAR_DIR": str(tmp_path)})
    monkeypatch.setattr(Environment.__init__, "__defaults__", (variables,))
    runpy.run_path(str(ROOT / "config" / "settings.py"))
    return variables.asked


def test_only_the_settings_read_the_environment() -> None:
    reading = [
        name_of(path)
        for path in product_sources()
        if re.search(r"\bos\.(environ\b(?!\.setdefault)|getenv)", path.read_text())
    ]
    # The command looks up secrets by the names that a tenant's file gives them.
    assert reading == ["config/environment/variables.py", "auth_providers/management/commands/tenant.py"]


def test_the_readme_lists_every_variable_that_is_read_and_no_other(variables_read: set[str]) -> None:
    described = [
        name for row in rows(section(ROOT / "README.md", "Running it in production")) for name in CODE.findall(row[0])
    ]
    assert len(described) == len(set(described))
    assert set(described) == variables_read


def test_the_readme_says_what_each_folder_is() -> None:
    """But those that Django names, and those that a row with an asterisk describes for every app."""
    listed = CODE.findall("".join(section(ROOT / "README.md", "The folders")))
    understood = {"migrations", "management", "commands", "api", "admin", "static", "data"}
    folders = {each.parent for package in PACKAGES for each in (ROOT / package).rglob("__init__.py")}
    wanted = {name_of(folder) for folder in folders if not understood & set(folder.relative_to(ROOT).parts)}
    assert sorted(wanted - {each.rstrip("/") for each in listed} - {"auth_providers"}) == []


def test_the_map_is_short() -> None:
    assert len(rows(section(ROOT / "README.md", "Where to look"))) <= MAX_MAP_ROWS


def test_the_glossary_is_short_and_names_a_source_for_each_term() -> None:
    lines = section(ROOT / "CONTRIBUTING.md", "Glossary")
    assert len(lines) <= MAX_GLOSSARY_LINES
    terms = [row[0] for row in rows(lines)]
    assert len(terms) == len(set(terms))
    assert all(len(row) == len(["term", "meaning", "source"]) and all(row) for row in rows(lines))
