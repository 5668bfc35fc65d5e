"""The version is said once, in `config/__init__.py`, and shown where people and programs look for it."""

import os
import re
import socket
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.test import Client
from pytest_django import Settings

from config import VERSION, docs
from tenants.api.contracts import served

ROOT: Path = configured.BASE_DIR
START_SECONDS = 60.0


@pytest.mark.parametrize("argument", ["version", "--version"])
def test_the_command_says_it_without_any_configuration(argument: str) -> None:
    finished = subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", argument], cwd=ROOT, env={}, capture_output=True, text=True, check=True
    )
    assert finished.stdout == f"Patron {VERSION}\n"


def test_the_packaging_reads_it_from_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "config.VERSION"}


def test_the_changelog_describes_it() -> None:
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d\d-\d\d))?$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    assert headings[1][0] == VERSION
    assert all(date for _, date in headings[1:])


@pytest.mark.parametrize("path", ["/", "/nowhere", "/docs/emporix/", "/admin/login/"])
def test_the_foot_of_a_page_shows_it(db: None, path: str) -> None:
    assert _foot(Client(), path) == f"Patron {VERSION}"


def test_the_foot_of_the_back_office_shows_it(admin_client: Client, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = False
    assert _foot(admin_client, "/admin/") == f"Patron {VERSION}"


def _foot(client: Client, path: str) -> str:
    footer = re.search(
        r"<footer.*?</footer>", client.get(path, headers={"Accept": "text/html"}).content.decode(), re.DOTALL
    )
    assert footer is not None
    return re.sub(r"<[^>]+>", "", footer.group()).strip()


@pytest.mark.parametrize("contract", [each.contract.name for each in served()])
def test_every_openapi_document_names_it(contract: str) -> None:
    assert docs.document(contract)["info"]["version"] == VERSION


def test_the_log_names_it_when_server_and_worker_start(tmp_path: Path) -> None:
    environment = {**os.environ, "DEMO": "true", "VAR_DIR": str(tmp_path), "LOG_LEVEL": "ERROR"}
    environment.pop("DATABASE_URL", None)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    wanted = [f"patron.serve: Patron {VERSION} ", f"patron.work: Patron {VERSION} "]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "manage.py", "serve", "--port", str(port)],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        # Stopped, not killed: the children that it stops hold the other ends of the pipe, so the loop ends as well.
        deadline = threading.Timer(START_SECONDS, server.terminate)
        deadline.start()
        assert server.stderr is not None
        for line in server.stderr:
            wanted = [each for each in wanted if each not in line]
            if not wanted:
                break
        deadline.cancel()
        server.terminate()
        server.stderr.read()
    assert not wanted
