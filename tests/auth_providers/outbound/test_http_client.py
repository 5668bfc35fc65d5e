"""Calls to providers: HTTPS to public addresses only, no redirects, bounded in size and time."""

import gzip
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from auth_providers.outbound import http_client
from auth_providers.outbound.http_client import ProviderRefused, ProviderUnavailable
from tests.openid_issuer import Conversation, Issuer, drip

PATH = "/document"
QUICKLY = 1.5  # seconds; nothing here waits for anybody


def fetch(issuer: Issuer) -> dict[str, Any]:
    return http_client.get_json(issuer.url + PATH)


def is_unavailable(url: str) -> bool:
    try:
        http_client.get_json(url)
    except ProviderUnavailable:
        return True
    return False


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - every address of ours must be out of reach
        server.setblocking(False)
        yield server


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Host and port of every connection that was tried, by whatever library. None succeeds."""
    tried: list[tuple[str, int]] = []

    def refuse(_: socket.socket, address: Any) -> None:
        tried.append(address[:2])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tried


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "0.0.0.0",  # noqa: S104
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "user@localhost",
    ],
)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_our_own_machine_is_not_called(listener: socket.socket, settings: Settings, scheme: str, host: str) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = []
    assert is_unavailable(f"{scheme}://{host}:{listener.getsockname()[1]}/")
    with pytest.raises(BlockingIOError):  # nobody is in the queue
        listener.accept()


@pytest.mark.parametrize(
    "authority",
    [
        r"127.0.0.2:{port}\@localhost",
        r"127.0.0.2:{port}\\@localhost",
        "127.0.0.2:{port}#@localhost",
        "127.0.0.2:{port}?@localhost",
        "localhost@127.0.0.2:{port}",
        "localhost:@127.0.0.2:{port}",
        "user:localhost@127.0.0.2:{port}",
        "127.0.0.2:{port} @localhost",
        "127.0.0.2:{port}\t@localhost",
    ],
)
def test_an_address_that_parsers_read_in_different_ways_is_not_called(
    listener: socket.socket, settings: Settings, authority: str
) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = ["localhost"]
    url = f"http://{authority.format(port=listener.getsockname()[1])}/x"
    assert not http_client.is_allowed(url)
    assert is_unavailable(url)
    with pytest.raises(ProviderUnavailable):
        http_client.post_json(url, b"{}", headers={})
    with pytest.raises(BlockingIOError):  # nobody is in the queue
        listener.accept()


@pytest.mark.parametrize("url", ["https://user@provider.example/", "https://user:secret@provider.example/"])
def test_an_address_with_a_user_name_is_not_called(connections: list[tuple[str, int]], url: str) -> None:
    assert not http_client.is_allowed(url)
    assert is_unavailable(url)
    assert not connections


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.0",
        "10.255.255.255",
        "172.16.0.0",
        "172.31.255.255",
        "192.168.0.0",
        "192.168.255.255",
        "169.254.0.0",
        "169.254.169.254",
        "100.64.0.0",
        "100.100.100.200",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.255",
        "0.0.0.0",  # noqa: S104
        "[::1]",
        "[fc00::]",
        "[fd00::1]",
        "[fe80::1]",
        "[::ffff:10.0.0.1]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::7f00:1]",
        "[::127.0.0.1]",
        "[::7f00:1]",
        "[::ffff:0:127.0.0.1]",
        "[::fffe:7f00:1]",
        "[1fff:ffff::1]",
        "[4000::1]",
        "[fec0::1]",
        "[2002:7f00:1::1]",
        "[2001:0:7f00:1::1]",
        "224.0.0.1",
        "localhost",
    ],
)
@pytest.mark.parametrize("port", ["", ":443", ":8080"])
def test_no_connection_is_opened_into_a_private_network(
    settings: Settings, connections: list[tuple[str, int]], host: str, port: str
) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = ["provider.example"]
    url = f"https://{host}{port}/"
    assert is_unavailable(url)
    with pytest.raises(ProviderUnavailable):
        http_client.post_form(url, {"a": "b"}, credentials=("id", "secret"))
    with pytest.raises(ProviderUnavailable):
        http_client.post_json(url, b"{}", headers={})
    assert not connections


@pytest.mark.parametrize(
    "address",
    [
        "9.255.255.255",
        "11.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.167.255.255",
        "192.169.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "223.255.255.255",
        "[2000::]",
        "[2606:4700::1111]",
    ],
)
def test_the_addresses_beside_a_private_network_are_called(
    settings: Settings, connections: list[tuple[str, int]], address: str
) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = []
    assert is_unavailable(f"https://{address}/")
    assert connections == [(address.strip("[]"), 443)]


@pytest.mark.parametrize(
    "url", ["http://example.com/", "http://8.8.8.8/", "ftp://8.8.8.8/", "file:///etc/hostname", "", "https://"]
)
def test_other_schemes_are_not_called(settings: Settings, connections: list[tuple[str, int]], url: str) -> None:
    settings.ALLOWED_PROVIDER_HOSTS = []
    assert is_unavailable(url)
    assert not connections


def test_a_host_that_the_deployment_names_is_called(issuer: Issuer) -> None:
    issuer.answers[PATH] = (200, {"a": 1})
    assert fetch(issuer) == {"a": 1}


def test_a_redirect_is_not_followed(issuer: Issuer) -> None:
    issuer.answers["/elsewhere"] = (200, {})
    issuer.answers[PATH] = lambda asked: asked.reply(302, b"", Location=f"{issuer.url}/elsewhere")
    assert is_unavailable(issuer.url + PATH)
    assert issuer.asked == {PATH: 1}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b"5", b"\xff\xfe", b"{", b"[" * 100_000])
def test_what_is_no_json_object(issuer: Issuer, body: bytes) -> None:
    issuer.answers[PATH] = (200, body)
    assert is_unavailable(issuer.url + PATH)


@pytest.mark.parametrize("status", [204, 301, 408, 429, 500, 503, 404])
def test_a_status_that_is_no_answer(issuer: Issuer, status: int) -> None:
    issuer.answers[PATH] = (status, {})
    assert is_unavailable(issuer.url + PATH)


@pytest.mark.parametrize(("extra", "is_too_long"), [(0, False), (1, True)])
def test_an_answer_as_long_as_can_be(issuer: Issuer, extra: int, is_too_long: bool) -> None:
    issuer.answers[PATH] = (200, b'{"a":"%s"}' % (b"x" * (http_client.MAX_BYTES - 8 + extra)))
    assert is_unavailable(issuer.url + PATH) is is_too_long


def test_an_answer_that_is_long_once_unpacked(issuer: Issuer) -> None:
    packed = gzip.compress(b" " * (64 * http_client.MAX_BYTES) + b"{}")
    issuer.answers[PATH] = lambda asked: asked.reply(200, packed, Content_Encoding="gzip")
    assert is_unavailable(issuer.url + PATH)


def test_an_answer_that_does_not_unpack(issuer: Issuer) -> None:
    issuer.answers[PATH] = lambda asked: asked.reply(200, b"not gzip", Content_Encoding="gzip")
    assert is_unavailable(issuer.url + PATH)


def test_an_answer_that_breaks_off(issuer: Issuer) -> None:
    issuer.answers[PATH] = lambda asked: asked.reply(200, b'{"a"', Content_Length="100")
    assert is_unavailable(issuer.url + PATH)


def stall(asked: Conversation) -> None:
    """Take the request, and think."""
    time.sleep(1)


def stall_in_the_body(asked: Conversation) -> None:
    asked.reply(200, b"{", Content_Length="1000")
    time.sleep(1)


@pytest.mark.parametrize("answer", [stall, stall_in_the_body, drip])
def test_a_slow_provider_is_not_waited_for(issuer: Issuer, monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    monkeypatch.setattr(http_client, "TIMEOUT", (0.5, 0.5))
    issuer.answers[PATH] = answer
    started = time.perf_counter()
    assert is_unavailable(issuer.url + PATH)
    assert time.perf_counter() - started < QUICKLY


def test_nobody_waits_longer_than_five_seconds() -> None:
    assert max(http_client.TIMEOUT) <= 5


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_form_that_is_refused(issuer: Issuer, status: int) -> None:
    issuer.answers[PATH] = (status, {})
    with pytest.raises(ProviderRefused):
        http_client.post_form(issuer.url + PATH, {"a": "b"}, credentials=("id", "secret"))
    assert issuer.forms == [b"a=b"]


@pytest.mark.parametrize("status", [408, 429, 500, 302])
def test_a_form_that_is_not_answered(issuer: Issuer, status: int) -> None:
    issuer.answers[PATH] = (status, {})
    with pytest.raises(ProviderUnavailable):
        http_client.post_form(issuer.url + PATH, {"a": "b"}, credentials=("id", "secret"))
