"""What goes out with a call, what comes back, how long it may take, and what of it is kept for the next one."""

import socket
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.outbound import http_client
from auth_providers.outbound.http_client import KeptSessions, NoAnswer, ProviderRefused, ProviderUnavailable
from tests import metrics
from tests.openid_issuer import Conversation, Issuer
from tests.server_process import free_port

PATH = "/document"


@pytest.fixture
def heard(issuer: Issuer) -> list[Conversation]:
    """What the provider is asked; it says yes to all, and sets a cookie."""
    asked = list[Conversation]()

    def answer(each: Conversation) -> None:
        asked.append(each)
        each.reply(200, b'{"a": 1}', Set_Cookie="session=first")

    issuer.answers[PATH] = answer
    issuer.answers[f"{PATH}?q=x+y"] = answer
    return asked


@pytest.fixture
def timeouts(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every timeout that a socket was given."""
    given, settimeout = list[float](), socket.socket.settimeout

    def note(self: socket.socket, seconds: float | None) -> None:
        if seconds is not None:
            given.append(seconds)
        settimeout(self, seconds)

    monkeypatch.setattr(socket.socket, "settimeout", note)
    return given


def post(issuer: Issuer, **options: Any) -> tuple[int, bytes]:
    return http_client.post_json(issuer.url + PATH, b'{"b": 2}', **{"headers": {}} | options)


def counts(system: str) -> dict[str, float]:
    results = ("answered", "refused", "failed")
    return {each: metrics.sample("patron_calls_total", system=system, result=each) for each in results}


# -- what goes out ----------------------------------------------------------------------------------------------------
def test_a_form_goes_with_credentials_that_are_quoted_as_the_standard_asks(
    issuer: Issuer, heard: list[Conversation]
) -> None:
    answer = http_client.post_form(issuer.url + PATH, {"code": "x&y"}, credentials=("our id", "a:b"))
    assert answer == {"a": 1}
    [asked] = heard
    assert (asked.command, asked.body) == ("POST", b"code=x%26y")
    assert asked.headers["Authorization"] == "Basic b3VyK2lkOmElM0Fi"  # our+id:a%3Ab
    assert asked.headers["Accept"] == "application/json"


def test_a_call_goes_with_its_query_and_headers(issuer: Issuer, heard: list[Conversation]) -> None:
    http_client.call("GET", issuer.url + PATH, query={"q": "x y"}, headers={"X-Key": "k", "Accept": "text/x"})
    [asked] = heard
    assert (asked.command, asked.path) == ("GET", f"{PATH}?q=x+y")
    assert (asked.headers["X-Key"], asked.headers["Accept"]) == ("k", "text/x")
    assert "Authorization" not in asked.headers


def test_what_is_posted_is_json_unless_it_says_otherwise(issuer: Issuer, heard: list[Conversation]) -> None:
    assert post(issuer) == (200, b'{"a": 1}')
    post(issuer, headers={"Content-Type": "application/cloudevents+json"})
    assert [each.body for each in heard] == [b'{"b": 2}'] * 2
    kinds = ["application/json", "application/cloudevents+json"]
    assert [each.headers["Content-Type"] for each in heard] == kinds
    assert {each.headers["Accept"] for each in heard} == {"application/json"}


# -- what comes back --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [200, 204, 302, 400, 404, 500])
def test_a_post_is_told_the_status_and_the_answer_whatever_they_are(issuer: Issuer, status: int) -> None:
    issuer.answers[PATH] = (status, b"")
    issuer.answers["/elsewhere"] = (200, {})
    assert post(issuer) == (status, b"")


def test_an_answer_that_nobody_asks_for_is_not_read(issuer: Issuer, heard: list[Conversation]) -> None:
    assert post(issuer, is_answer_read=False) == (200, b"")


@pytest.mark.parametrize(
    ("content", "length", "is_read"),
    [(b"x" * 4096, "", True), (b"x" * 4097, "", False), (b"", "", True), (b"x", "none", False), (b"x", "-1", False)],
    ids=["4 KiB", "more", "nothing", "no number", "less than nothing"],
)
def test_an_answer_is_read_where_that_is_cheaper_than_a_new_connection(
    issuer: Issuer, content: bytes, length: str, is_read: bool
) -> None:
    issuer.answers[PATH] = lambda asked: asked.reply(200, content, **({"Content_Length": length} if length else {}))
    with closing(http_client.kept_sessions()) as sessions:
        assert post(issuer, is_answer_read=False, sessions=sessions) == (200, content if is_read else b"")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"error": "invalid_grant"}, "invalid_grant"),
        ({"error": {"code": 190, "message": "x"}}, "190"),
        ({"error": {"code": "expired"}}, "expired"),
        ({"error": "no <b>luck</b>"}, "no b luck b "),
        ({"error": "x" * 65}, "x" * 64),
        ({"error": ["x"]}, ""),
        ({"error": {"message": "x"}}, ""),
        ({"reason": "x"}, ""),
        (["error"], ""),
        (b"<html>", ""),
        (b"[" * 100_000, ""),
    ],
)
def test_a_refusal_has_the_providers_word_for_it(issuer: Issuer, answer: Any, code: str) -> None:
    issuer.answers[PATH] = (400, answer)
    with pytest.raises(ProviderRefused) as refused:
        http_client.call("GET", issuer.url + PATH)
    assert (refused.value.code, str(refused.value)) == (code, code or "no reason given")


@pytest.mark.parametrize("status", [400, 404, 499, 408, 429, 500, 302])
def test_who_reads_a_document_may_come_back_whatever_the_provider_says(issuer: Issuer, status: int) -> None:
    issuer.answers[PATH] = (status, {})
    with pytest.raises(ProviderUnavailable) as failed:
        http_client.get_json(issuer.url + PATH)
    assert failed.value.retry_after == 5


@pytest.mark.usefixtures("issuer")  # for which this machine may be called
def test_what_is_told_of_a_failure_has_nothing_of_the_query() -> None:
    url = f"http://localhost:{free_port()}"
    for call in (http_client.get_json, lambda it: http_client.call("GET", it, query={"token": "also-secret"})):
        with pytest.raises(ProviderUnavailable) as failed:
            call(f"{url}{PATH}?token=secret")
        cause = failed.value.__cause__
        assert isinstance(cause, NoAnswer)
        assert "secret" not in str(cause)
        assert "?…" in str(cause)
        assert str(cause).startswith("ConnectionError: ")
        assert failed.value.retry_after == 5


@pytest.mark.parametrize(
    ("status", "result"), [(200, "answered"), (400, "refused"), (500, "failed"), (408, "failed"), (302, "failed")]
)
def test_every_call_is_counted_by_what_came_of_it(issuer: Issuer, status: int, result: str) -> None:
    issuer.answers[PATH] = (status, {})
    before = counts("till")
    with suppress(ProviderRefused, ProviderUnavailable):
        http_client.post_form(issuer.url + PATH, {}, credentials=("a", "b"), system="till")
    assert counts("till") == {**before, result: before[result] + 1}


# -- how long it may take ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "call",
    [
        lambda issuer: http_client.get_json(issuer.url + PATH),
        post,
    ],
    ids=["get", "post"],
)
def test_a_connection_is_waited_for_two_seconds_and_an_answer_five(
    issuer: Issuer, heard: list[Conversation], timeouts: list[float], call: Callable[[Issuer], Any]
) -> None:
    call(issuer)
    assert timeouts[0] == 2
    assert 4 < max(timeouts) <= 5


# -- what is kept -----------------------------------------------------------------------------------------------------
def test_kept_sessions_are_one_for_each_kind_of_host_and_remember_no_cookie(
    issuer: Issuer, heard: list[Conversation], settings: Settings
) -> None:
    sessions = http_client.kept_sessions()
    for _ in range(2):
        post(issuer, sessions=sessions)
    assert [each.headers["Cookie"] for each in heard] == [None, None]
    ours, public = sessions.of(issuer.url), sessions.of("https://provider.example/")
    assert ours is sessions.of(f"{issuer.url}/another")
    assert public is sessions.of("https://another.example/")
    assert ours is not public
    for url in ("http://provider.example/", "ftp://localhost/", "https://user@provider.example/", ""):
        with pytest.raises(ValueError, match=r"by https only|host"):
            sessions.of(url)
    sessions.close()


def test_to_close_kept_sessions_closes_each(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    sessions = KeptSessions()
    both = [sessions.of("http://localhost/"), sessions.of("https://provider.example/")]
    closed = list[object]()
    for each in both:
        monkeypatch.setattr(each, "close", lambda each=each: closed.append(each))
    sessions.close()
    assert closed == both


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("https://provider.example/", True),
        ("https://localhost/", True),
        ("http://localhost:8000/", True),
        ("http://provider.example/", False),
        ("ftp://localhost/", False),
        ("https:///path", False),
        ("https://a b/", False),
    ],
)
def test_which_addresses_are_called_at_all(settings: Settings, url: str, is_allowed: bool) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    assert http_client.is_allowed(url) is is_allowed
