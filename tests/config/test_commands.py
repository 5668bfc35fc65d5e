"""The command line of `manage.py`, in processes of its own: what a command has imported can't be taken back."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import server_process
from tests.server_process import ROOT

PROGRAM = """
import sys
from django.apps import apps
from config.commands import execute
try:
    execute(["manage.py", *sys.argv[1:]])
except SystemExit:
    print("apps" if apps.ready else "settings")
"""


def help_of(tmp_path: Path, *words: str) -> list[str]:
    """The lines of a command's help, and whether the apps were imported for it ("apps"), or not ("settings")."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", PROGRAM, *words, "--help"],
        cwd=ROOT,
        env=server_process.environment(tmp_path, DJANGO_SETTINGS_MODULE="config.settings"),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        (["serve"], "settings"),
        (["serve", "--settings", "config.settings"], "apps"),
        (["serve", "--pythonpath=."], "apps"),
        (["work"], "apps"),
    ],
    ids=str,
)
def test_only_serve_starts_without_the_apps(words: list[str], needed: str, tmp_path: Path) -> None:
    lines = help_of(tmp_path, *words)
    assert lines[0].startswith(f"usage: manage.py {words[0]}")
    assert lines[-1] == needed
