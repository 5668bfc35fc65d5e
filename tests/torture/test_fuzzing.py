"""What the exercise calls wrong, and that its requests find what they need."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from pytest_django.live_server_helper import LiveServer

from tenants.models import CheckIn
from tests.contracts.fuzzed import Sent
from tests.contracts.operations import BY_NAME
from tests.oidc_provider import Provider
from torture.fuzzers import Client, Fuzzed
from torture.fuzzing import Figures, report

ANSWER = {"operation": "emporix me-get", "seed": 1, "status": 200, "seconds": 0.1, "request": "GET /customer/acme/me"}

NOBODY = Provider(issuer="http://localhost:1")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Of a server that has nothing to tell."""
    (tmp_path / "log").write_text("Serving\n")
    return tmp_path / "log"


def figures(*answers: dict[str, Any], memory: float = 100.0) -> Figures:
    """Of a good answer and these, with so many MB at the end, and 100 before."""
    found = Figures(memory={1: 100.0, 2: memory})
    for each in ({}, *answers):
        found.add(ANSWER | each)
    return found


def test_good_answers(log: Path) -> None:
    assert report(figures({"status": 400, "seconds": 2.0}, {"status": 429}, memory=114.0), log) == []


@pytest.mark.parametrize("status", [0, 500, 502, 503])
def test_fault_is_told_with_what_repeats_it(status: int, log: Path) -> None:
    (wrong,) = report(figures({"status": status}), log)
    assert wrong == f"{status} after 0.10 s, emporix me-get, seed 1: GET /customer/acme/me"


def test_late_answer(log: Path) -> None:
    (wrong,) = report(figures({"seconds": 2.01}), log)
    assert wrong.startswith("200 after 2.01 s, emporix me-get")


def test_memory_that_grows(log: Path) -> None:
    assert report(figures(memory=116.0), log) == ["memory grew from 100 to 116 MB"]


def test_traceback_in_the_log(log: Path) -> None:
    log.write_text("Traceback (most recent call last):\nKeyError\n")
    assert report(figures(), log)[0] == "1 tracebacks"


def test_client_that_failed(log: Path) -> None:
    found = figures()
    found.failed_clients = 1
    assert report(found, log) == ["1 clients failed"]


@pytest.mark.parametrize(("name", "success"), [("logout", 204), ("email-confirm", 204), ("me-get", 200)])
def test_each_request_finds_what_it_needs(
    name: str, success: int, live_server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the one before has spent it."""
    source = Fuzzed(BY_NAME[name])
    unchanged = {"fields": {}, "encoding": "utf-8", "query": {}}
    variants = {"is_escaped": st.booleans(), "policy": st.sampled_from(CheckIn.values)}
    source.generated = st.builds(Sent, **{key: st.just(value) for key, value in unchanged.items()}, **variants)
    with closing(Client(live_server.url, NOBODY, 0)) as client:
        assert client.exercise(source, 1, 4) == 4
    statuses = [json.loads(line)["status"] for line in capsys.readouterr().out.splitlines()]
    assert statuses == [success] * 4
