"""`/livez`, `/readyz` and `/healthz`: by address, without the rules that hosts and HTTPS have."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection, connections
from django.test import Client
from pytest_django import Settings

from tests import server_process
from tests.server_process import manage, serving

PROBES = ["/livez", "/readyz", "/healthz"]
READY = ["/readyz", "/healthz"]


@pytest.fixture
def settings_of_production(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["id.example.com"]
    settings.SECURE_SSL_REDIRECT = True


@pytest.fixture
def away(db: None) -> Iterator[None]:
    """The database refuses new connections."""
    there = dict(connection.settings_dict)
    connections.settings["default"] |= {"NAME": "/nowhere/patron", "PORT": 1}
    yield
    connections.settings["default"] |= there


@pytest.mark.parametrize("path", PROBES)
@pytest.mark.usefixtures("db", "settings_of_production")
def test_they_are_answered_by_address_and_without_https(path: str) -> None:
    response = Client().get(path, headers={"host": "10.0.0.7:8000"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert Client().get("/", headers={"host": "10.0.0.7:8000"}).status_code == 400
    assert Client().get("/", headers={"host": "id.example.com"}).status_code == 301


@pytest.mark.parametrize("path", PROBES)
def test_they_are_read_only(db: None, path: str) -> None:
    assert Client().head(path).status_code == 200
    assert Client().post(path).status_code == 405


@pytest.mark.parametrize("path", READY)
def test_ready_is_503_without_a_database(away: None, path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response.json()) == (503, {"status": "unavailable"})


def test_live_is_200_without_a_database(away: None) -> None:
    assert Client().get("/livez").status_code == 200


@pytest.mark.postgres
def test_ready_is_503_in_time_while_the_database_hangs(db: None) -> None:
    there = dict(connection.settings_dict)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connections.settings["default"] |= {"HOST": "127.0.0.1", "PORT": silent.getsockname()[1]}
        try:
            started = time.monotonic()
            assert Client().get("/readyz").status_code == 503
            assert time.monotonic() - started < 4
        finally:
            connections.settings["default"] |= there


def test_ready_is_503_until_every_migration_is_applied(tmp_path: Path) -> None:
    env = server_process.environment(tmp_path)
    with serving(env, command=("serve", "--no-worker")) as server:
        assert server.get("/readyz") == (503, b'{"status": "not migrated"}')
        assert manage("migrate", env=env).returncode == 0
        assert server.get("/readyz") == (200, b'{"status": "ok"}')
