"""A cache that is away misses, and is used again when it is back."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import close_caches
from django.core.cache.backends.base import BaseCache
from django.core.signals import request_finished
from django.utils.module_loading import import_string

from config.environment import storage
from config.environment.variables import Environment
from config.server import cache
from config.server.cache import RedisOrNothing
from tests.server_process import free_port, until

URL = "redis://127.0.0.1:{}/0"


def cache_at(port: int) -> RedisOrNothing:
    assert storage.cache(Environment({"CACHE_URL": URL.format(port)}))["BACKEND"] == f"{cache.__name__}.RedisOrNothing"
    return RedisOrNothing(URL.format(port), {})


def test_a_cache_that_is_away_holds_nothing_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    away = cache_at(free_port())
    assert away.get("name") is None
    assert away.get("name", "default") == "default"
    away.set("name", 1, 10)
    assert away.add("name", 1, 10) is True
    assert away.delete("name") is False
    assert away.get_or_set("name", lambda: 3, 10) == 3
    away.clear()
    with pytest.raises(ValueError, match="not found"):
        away.incr("name")
    assert [record.message for record in caplog.records] == ["The cache does not answer: ConnectionError"]


@pytest.mark.parametrize("environment", [{}, {"CACHE_URL": URL.format(6379)}])
def test_a_cache_that_can_be_set_has_nothing_to_close(environment: dict[str, str]) -> None:
    """No request ends with closing it (`tenants.compiled.connections.look_after_once`)."""
    backend = import_string(storage.cache(Environment(environment))["BACKEND"])
    assert backend.close is BaseCache.close
    assert not any(receiver() is close_caches for _, receiver, *_ in request_finished.receivers)


def test_one_that_hangs_is_waited_for_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = cache_at(silent.getsockname()[1])
        assert hanging.get("name") is None
        started = time.monotonic()
        assert [hanging.get("name") for _ in range(10)] == [None] * 10
        assert time.monotonic() - started < cache.SECONDS


@pytest.fixture
def redis() -> Iterator[int]:
    """The port of a Redis server."""
    port = free_port()
    with subprocess.Popen(  # noqa: S603
        ["redis-server", "--port", str(port), "--save", "", "--bind", "127.0.0.1"],  # noqa: S607
        stdout=subprocess.DEVNULL,
    ) as server:
        until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
        yield port
        server.terminate()


def move(there: RedisOrNothing, port: int) -> None:
    """The address leads somewhere else from now on."""
    client: Any = there._cache
    client._servers[:] = [URL.format(port)]
    client._pools.clear()


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="Redis is not installed")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_one_that_comes_back_is_used_again(redis: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "PAUSE_SECONDS", 0.0)
    there = cache_at(redis)
    there.set("name", 1, 10)
    assert (there.get("name"), there.add("name", 2, 10), there.incr("name"), there.delete("name")) == (
        1,
        False,
        2,
        True,
    )
    move(there, free_port())
    assert there.get("name") is None
    move(there, redis)
    there.set("name", 4, 10)
    assert there.get("name") == 4
