"""Systems that send a byte now and then, from the first one on: nobody waits for them."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.messaging import text_messages
from auth_providers.outbound import http_client, limited_time
from auth_providers.outbound.http_client import ProviderUnavailable
from tests import https_server
from tests.openid_issuer import Conversation, Issuer

HEADERS = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Slow: " + b"x" * 1000
HANDSHAKE = b"\x16\x03\x03\x10\x00" + b"\x00" * 1000  # a record of TLS, of 4,096 bytes, that never is complete
LIMIT, BETWEEN, PATIENCE = 0.5, 0.05, 4.0  # seconds
Start = Callable[..., int]


@pytest.fixture(autouse=True)
def short_limit(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setattr(limited_time, "SECONDS", LIMIT)
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    context, certificate = https_server.tls(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    return context


@pytest.fixture
def drips() -> Iterator[Start]:
    """Has a server send these bytes, one after the other, to everyone, through TLS where there is a context; its
    port."""
    stopped, servers = threading.Event(), list[socket.socket]()

    def serve(server: socket.socket, *rest: Any) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=[server.accept()[0], *rest], daemon=True).start()

    def answer(connection: socket.socket, content: bytes, context: ssl.SSLContext | None) -> None:
        with (
            suppress(OSError),
            context.wrap_socket(connection, server_side=True) if context else connection as open_one,
        ):
            for byte in content:
                if stopped.wait(BETWEEN):
                    return
                open_one.send(bytes([byte]))

    def start(content: bytes, context: ssl.SSLContext | None = None) -> int:
        server = socket.create_server(("localhost", 0))
        servers.append(server)
        threading.Thread(target=serve, args=[server, content, context], daemon=True).start()
        return int(server.getsockname()[1])

    yield start
    stopped.set()
    for server in servers:
        server.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "call",
    [
        http_client.get_json,
        lambda url: http_client.post_json(url, b"{}", headers={}),
        lambda url: http_client.post_json(url, b"{}", headers={}, sessions=http_client.kept_sessions()),
    ],
    ids=["get", "post", "kept"],
)
def test_nobody_waits_for_headers_that_drip(
    drips: Start, tls: ssl.SSLContext, call: Callable[[str], object], scheme: str
) -> None:
    port = drips(HEADERS, tls if scheme == "https" else None)
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        call(f"{scheme}://localhost:{port}/")
    assert LIMIT <= time.monotonic() - started < PATIENCE


def test_an_answer_through_tls_that_comes_at_once(drips: Start, tls: ssl.SSLContext) -> None:
    with socket.create_server(("localhost", 0)) as server:

        def answer() -> None:
            with tls.wrap_socket(server.accept()[0], server_side=True) as connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        threading.Thread(target=answer, daemon=True).start()
        assert http_client.get_json(f"https://localhost:{server.getsockname()[1]}/") == {}


def test_nobody_waits_for_a_handshake_that_drips(drips: Start) -> None:
    started = time.monotonic()
    with pytest.raises(ProviderUnavailable):
        http_client.get_json(f"https://localhost:{drips(HANDSHAKE)}/")
    assert time.monotonic() - started < PATIENCE


def test_nobody_waits_for_a_gateway_of_text_messages_that_drips(drips: Start, settings: Settings) -> None:
    settings.SMS_URL = f"http://localhost:{drips(HEADERS)}/?to={{to}}"
    started = time.monotonic()
    with pytest.raises(text_messages.GatewayDown):
        text_messages.send(to="+491712345678", text="hello", reference="r")
    assert time.monotonic() - started < PATIENCE


def test_a_kept_connection_is_used_again_after_the_limit(issuer: Issuer) -> None:
    """It is one of each answer, not of the connection."""
    peers: list[object] = []

    def answer(asked: Conversation) -> None:
        asked.protocol_version = "HTTP/1.1"
        peers.append(asked.client_address)
        asked.reply(200, b"{}", Connection="keep-alive")
        asked.close_connection = False

    issuer.answers["/hook"] = answer
    sessions = http_client.kept_sessions()
    for _ in range(3):
        assert http_client.post_json(f"{issuer.url}/hook", b"{}", headers={}, sessions=sessions) == (200, b"{}")
        time.sleep(LIMIT * 0.8)
    assert len(peers) == 3
    assert len(set(peers)) == 1


def test_one_thread_watches_over_all() -> None:
    def watching() -> int:
        return sum(thread.name == "time-limits" for thread in threading.enumerate())

    with ExitStack() as stack:
        for _ in range(20):
            ours, theirs = (stack.enter_context(each) for each in socket.socketpair())
            stack.enter_context(limited_time.in_time(ours, 60))
            theirs.send(b"x")
            assert ours.recv(1) == b"x"
        assert watching() == 1


def test_what_ends_sooner_is_ended_before_what_began_earlier() -> None:
    early, late = socket.socketpair(), socket.socketpair()
    started = time.monotonic()
    with limited_time.in_time(early[0], 60):
        time.sleep(BETWEEN)  # the watch sleeps, until the first one ends
        with pytest.raises(TimeoutError), limited_time.in_time(late[0], LIMIT):
            assert late[0].recv(1) == b""  # as if the other side had ended it
        assert LIMIT <= time.monotonic() - started < PATIENCE
        early[1].send(b"x")
        assert early[0].recv(1) == b"x"
    for each in (*early, *late):
        each.close()


def test_what_came_in_time_goes_on() -> None:
    ours, theirs = socket.socketpair()
    with limited_time.in_time(ours, LIMIT):
        theirs.send(b"x")
        assert ours.recv(1) == b"x"
    assert limited_time._watch._limits == set()
    time.sleep(2 * LIMIT)
    theirs.send(b"y")
    assert ours.recv(1) == b"y"
    for each in (ours, theirs):
        each.close()
