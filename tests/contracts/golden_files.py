"""The golden files on the disk, and which of them a run of the suite has read."""

import json
from pathlib import Path

DIRECTORY = Path(__file__).parent / "golden"

read_names: set[str] = set()  # by the tests of this process, as paths below DIRECTORY


def read(contract: str, name: str) -> str:
    read_names.add(f"{contract}/{name}.json")
    return _path(contract, name).read_text()


def write(contract: str, name: str, text: str) -> None:
    _path(contract, name).write_text(text)


def is_shared(contract: str, name: str) -> bool:
    """Whether the operation has no file of its own for this case, but its contract has one."""
    case = name.partition(".")[2]
    return not _path(contract, name).exists() and _path(contract, f"shared/{case}").exists()


def allowed_methods(contract: str, operation: str) -> str:
    """The header `Allow` of the operation's path, as its successful answers have it."""
    found = {_allow(path) for path in (DIRECTORY / contract).glob(f"{operation}.2*.json")}
    assert len(found) == 1, f"{contract}/{operation}: {found or 'no successful answer'}"
    return found.pop()


def unread(names: set[str]) -> list[str]:
    """The files that are not among the names."""
    return sorted({str(path.relative_to(DIRECTORY)) for path in DIRECTORY.rglob("*.json")} - names)


def _path(contract: str, name: str) -> Path:
    return DIRECTORY / contract / f"{name}.json"


def _allow(path: Path) -> str:
    return str(json.loads(path.read_text())["headers"]["Allow"])
