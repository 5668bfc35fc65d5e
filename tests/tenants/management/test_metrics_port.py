"""Prometheus gets the numbers of every process that `serve` runs, also of one that was killed, and of a `work` that
runs by itself."""

import http.client
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests import server_process
from tests.server_process import ROOT, free_port, manage, serving, until


def numbers(port: int) -> dict[str, float]:
    """Every number, summed over its labels."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0.0) + sample.value
    return found


def is_answering(port: int) -> bool:
    try:
        return bool(numbers(port))
    except OSError:
        return False


def test_all_processes_of_the_server_count_together(tmp_path: Path) -> None:
    port = free_port()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    env = server_process.environment(tmp_path, METRICS_PORT=str(port), TMPDIR=str(temporary))
    assert manage("migrate", env=env).returncode == 0
    with serving(env) as server:
        until(lambda: is_answering(port))
        before = numbers(port)
        assert before["patron_build_info"] == before["patron_database_up"] == 1
        assert before["patron_outbox_waiting"] == 0
        for _ in range(3):
            assert server.get("/livez")[0] == 200
        assert numbers(port)["patron_request_seconds_count"] == before["patron_request_seconds_count"] + 3
        (web,) = server.descendants("multiprocessing.spawn") or server.descendants("granian")[-1:]
        os.kill(web, signal.SIGKILL)
        until(server.is_live)
        assert numbers(port)["patron_request_seconds_count"] > before["patron_request_seconds_count"] + 3
        assert any(temporary.glob("patron-metrics-*/*.db"))
    assert not any(temporary.iterdir())


@pytest.mark.parametrize("has_directory", [False, True], ids=["no directory", "no port"])
def test_to_answer_for_others_needs_a_port_and_their_directory(has_directory: bool, tmp_path: Path) -> None:
    where = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)} if has_directory else {"METRICS_PORT": str(free_port())}
    finished = manage("metrics", env=server_process.environment(tmp_path, **where))
    assert finished.returncode == 1
    assert finished.stderr == "CommandError: `manage.py serve` runs this itself, where METRICS_PORT is set.\n"


def test_serve_tells_that_the_port_of_the_metrics_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = server_process.environment(tmp_path, METRICS_PORT=str(port), PORT=str(free_port()))
        finished = manage("serve", env=env)
    assert finished.returncode == 1
    assert finished.stderr.endswith(
        f"Port {port} on 127.0.0.1 is in use: stop what uses it, or name another port with PORT=…\n"
    )


def test_a_worker_by_itself_answers_and_says_that_the_database_is_away(tmp_path: Path) -> None:
    port = free_port()
    env = server_process.environment(
        tmp_path, WORKER_METRICS_PORT=str(port), DATABASE_URL="postgres://patron@127.0.0.1:1/patron"
    )
    with subprocess.Popen(
        [sys.executable, "manage.py", "work"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL
    ) as worker:
        try:
            until(lambda: is_answering(port))
            assert numbers(port)["patron_database_up"] == 0
            assert "patron_outbox_waiting" not in numbers(port)
        finally:
            worker.terminate()
