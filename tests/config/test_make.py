"""`make` and `manage.py` where something is missing: told in a sentence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server_process import ROOT

# A Python that says it is an older one.
OLD_PYTHON = f"""\
#!/bin/sh
[ "$1" = -c ] && exec {sys.executable} -c 'import sys; sys.version_info = (3, 9, 2); sys.version = "3.9.2 (old)"
'"$2"
echo "it went on with $*"
"""


def _make(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"]}
    return subprocess.run(  # noqa: S603
        ["make", "--directory", str(folder), *words],  # noqa: S607
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "manage.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def old_python(tmp_path: Path) -> Path:
    path = tmp_path / "python3.9"
    path.write_text(OLD_PYTHON)
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("target", ["run", "test"])
def test_an_older_python_is_told(folder: Path, old_python: Path, target: str) -> None:
    finished = _make(folder, target, f"PYTHON={old_python}")
    assert finished.returncode == 2
    assert finished.stderr.startswith("Patron needs Python 3.11 or newer, and ")
    assert "is 3.9.2." in finished.stderr.splitlines()[0]
    assert "it went on" not in finished.stdout
    assert not (folder / ".venv").exists()


@pytest.mark.parametrize("target", ["run", "test"])
def test_an_older_python_in_a_venv_of_before_is_told(folder: Path, old_python: Path, target: str) -> None:
    (folder / ".venv" / "bin").mkdir(parents=True)
    shutil.copy(old_python, folder / ".venv" / "bin" / "python")
    finished = _make(folder, target)
    assert finished.returncode == 2
    assert finished.stderr.startswith("Patron needs Python 3.11 or newer, and ")
    assert "it went on" not in finished.stdout


def test_the_command_line_tells_an_older_python(tmp_path: Path) -> None:
    old = "import runpy, sys; sys.version_info = (3, 9, 2); sys.argv = ['manage.py', 'check']; "
    finished = subprocess.run(  # noqa: S603
        [sys.executable, "-c", f"{old}runpy.run_path('manage.py', run_name='__main__')"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stderr.startswith("Patron needs Python 3.11 or newer, and ")
    assert finished.stderr.count("\n") == 1
