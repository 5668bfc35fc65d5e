"""The files in `deploy/`, and what README says of the environment."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands

from tests.config.test_environment import variables_read
from tests.server_process import ROOT

DEPLOY = ROOT / "deploy"
README = (ROOT / "README.md").read_text()


def test_readme_lists_every_variable() -> None:
    rows = [row.split("|")[1] for row in README.splitlines() if row.startswith("| `")]
    assert variables_read() <= {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)}


def test_the_example_of_an_environment_names_variables_that_are_read() -> None:
    names = re.findall(r"^([A-Z_]+)=", (DEPLOY / "patron.env.example").read_text(), re.MULTILINE)
    assert {"SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL"} < set(names) < variables_read()


@pytest.mark.parametrize("name", ["patron.service", "patron-worker.service"])
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_the_units(tmp_path: Path, name: str) -> None:
    unit = (DEPLOY / name).read_text()
    # The program is somewhere else in tests.
    unit = unit.replace("/opt/patron/.venv/bin/python", sys.executable).replace("/opt/patron", str(ROOT))
    (tmp_path / name).write_text(unit)
    finished = subprocess.run(  # noqa: S603
        ["systemd-analyze", "verify", str(tmp_path / name)],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.parametrize("name", ["patron.service", "patron-worker.service", "Containerfile", "compose.yaml"])
def test_what_is_started_is_a_command_of_ours(name: str) -> None:
    text = re.sub(r'[",\[\]]+', " ", (DEPLOY / name).read_text())
    started = re.findall(
        r"^\S*(?:ExecStart=|CMD|command:).*manage\.py +([\w]+)", text.replace("    ", ""), re.MULTILINE
    )
    assert started
    assert set(started) <= set(get_commands())


def test_compose_starts_everything_after_the_migration() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert set(services) == {"database", "migrate", "web", "worker"}
    for name in ("web", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_the_manage_script_reads_the_environment_of_the_services(tmp_path: Path) -> None:
    """From any folder, and with values that have spaces."""
    (tmp_path / "patron.env").write_text("DEFAULT_FROM_EMAIL='Patron <id@example.com>'\nPORT=http\n")
    script = tmp_path / "program" / "deploy" / "manage"
    script.parent.mkdir(parents=True)
    shutil.copy(DEPLOY / "manage", script)
    (tmp_path / "program" / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / "program" / ".venv" / "bin" / "python"
    python.write_text('#!/bin/sh\necho "$PWD|$DEFAULT_FROM_EMAIL|$*"\n')
    python.chmod(0o755)
    finished = subprocess.run(  # noqa: S603
        [str(script), "create_tenant", "acme"],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PATRON_ENV": str(tmp_path / "patron.env")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout == f"{tmp_path / 'program'}|Patron <id@example.com>|manage.py create_tenant acme\n"
