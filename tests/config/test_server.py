"""What `manage.py serve` runs, as a process: slow clients, killed processes, a port in use."""

import http.client
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import server_process
from tests.server_process import ServerProcess, children_of, command_line_of, manage, serving, until

DEADLINE = 2  # seconds; what is shipped has 10
SLACK = 1.5
SLOW_CLIENTS = 8  # twice as many as there are threads
STARTS = {
    "body": b"POST /customer/demo/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
    "chunked body": b"POST /customer/demo/login HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
    "headers": b"POST /customer/demo/login HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    "silence": b"",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    env = server_process.environment(
        tmp_path_factory.mktemp("server"), REQUEST_SECONDS=str(DEADLINE), TRUSTED_PROXIES="127.0.0.1"
    )
    for words in (["migrate"], ["create_tenant", "acme"]):
        assert manage(*words, env=env).returncode == 0
    with serving(env) as running:
        yield running


class SlowClient(threading.Thread):
    """Sends a byte a second, and notes when it was cut off and what it was told."""

    def __init__(self, port: int, start: bytes) -> None:
        super().__init__(daemon=True)
        self.seconds = float("inf")
        self.answer = b""
        self._address = ("127.0.0.1", port)
        self._start = start
        self._next = b"1\r\na\r\n" if b"chunked" in start else b"a" if start else b""

    def run(self) -> None:
        started = time.monotonic()
        with socket.create_connection(self._address, timeout=1) as connection:
            connection.sendall(self._start)
            while time.monotonic() - started < DEADLINE * 4:
                try:
                    received = connection.recv(4096)
                    self.answer += received
                    if not received:
                        break
                    continue
                except TimeoutError:
                    pass
                except OSError:
                    break
                try:
                    connection.sendall(self._next)
                except OSError:
                    break
        self.seconds = time.monotonic() - started


@pytest.mark.parametrize("kind", STARTS)
def test_slow_clients_stop_nobody_and_are_cut_at_the_deadline(server: ServerProcess, kind: str) -> None:
    clients = [SlowClient(server.port, STARTS[kind]) for _ in range(SLOW_CLIENTS)]
    for client in clients:
        client.start()
    while any(client.is_alive() for client in clients):
        assert server.get("/livez", timeout=1)[0] == 200
        assert server.get("/", timeout=2, Host="localhost")[0] == 200
        time.sleep(0.1)
    assert all(DEADLINE - SLACK < client.seconds < DEADLINE + SLACK for client in clients), [c.seconds for c in clients]
    told = b"HTTP/1.1 408 " if "body" in kind else b""
    assert all(client.answer.startswith(told) for client in clients)


def test_a_body_in_pieces_arrives_whole(server: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(
            b"POST /api/nowhere/customer/authenticate?provider=password HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n"
        )
        for piece in (b'{"email"', b": ", b"1}"):
            time.sleep(0.2)
            connection.sendall(piece)
        assert connection.recv(4096).startswith(b"HTTP/1.1 404 ")  # no such tenant: the body was read


def peak_mib(process: int) -> float:
    """The most memory that the process has had."""
    [line] = [each for each in Path(f"/proc/{process}/status").read_text().splitlines() if each.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def test_a_body_in_many_pieces_takes_no_more_memory_than_it_has(server: ServerProcess) -> None:
    assert server.get("/", Host="localhost")[0] == 200
    serving = [each for each in server.descendants("granian") if not children_of(each)]
    before = [peak_mib(each) for each in serving]
    with ExitStack() as stack:
        address = ("127.0.0.1", server.port)
        connections = [stack.enter_context(socket.create_connection(address, timeout=5)) for _ in range(4)]
        for each in connections:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            each.sendall(b"POST /api/acme/customer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n")
        ends = time.monotonic() + DEADLINE * 0.75
        pieces = 0
        while time.monotonic() < ends:
            for each in connections:
                each.sendall(b" ")
                pieces += 1
            time.sleep(0)  # each is a piece of its own, where the server keeps up
    assert pieces > 1000
    grown = [peak_mib(each) - megabytes for each, megabytes in zip(serving, before, strict=True)]
    assert serving
    assert max(grown) < 10, (pieces, grown)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_and_not_read_to_its_end(server: ServerProcess, is_chunked: bool) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    body = iter([b" " * 65_536] * 5) if is_chunked else b" " * (5 * 65_536)
    connection.request(
        "POST",
        "/tenants/acme/oauth/token",
        body,
        {"Content-Type": "application/x-www-form-urlencoded"},
        encode_chunked=is_chunked,
    )
    assert connection.getresponse().status == 413
    connection.close()


def test_a_client_that_goes_away_is_not_answered(server: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        connection.sendall(STARTS["body"])
    time.sleep(0.5)
    assert server.is_live()
    assert "Traceback" not in server.output


@pytest.mark.parametrize("path", ["/a%FFb", "/%E2%82%AC", "/?q=%FF", "/?q=%E2%82%AC", "/%00"])
def test_unusual_addresses_are_answered(server: ServerProcess, path: str) -> None:
    assert server.get(path, Host="localhost")[0] in (200, 404)
    assert "Traceback" not in server.output


def test_raw_characters_in_an_address_are_answered(server: ServerProcess) -> None:
    for target in (b"/\xe2\x82\xac?q=\xe2\x82\xac", b"/?q=\xff"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            connection.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert connection.recv(4096).split()[1] in (b"200", b"400", b"404")
    assert "Traceback" not in server.output


def test_a_killed_web_worker_is_replaced(server: ServerProcess) -> None:
    (granian,) = server.descendants("-m granian")[:1]
    (worker,) = [pid for pid in children_of(granian) if "resource_tracker" not in command_line_of(pid)]
    os.kill(worker, signal.SIGKILL)
    until(lambda: worker not in children_of(granian))
    until(server.is_live)
    assert server.process.poll() is None


@pytest.mark.parametrize(("words", "name"), [("manage.py work", "worker"), ("-m granian", "server")])
def test_a_killed_process_is_started_again(server: ServerProcess, words: str, name: str) -> None:
    killed = server.descendants(words)[0]
    os.kill(killed, signal.SIGKILL)
    until(lambda: f"The {name} ended (signal 9). It is started again." in server.output)
    until(lambda: any(pid != killed for pid in server.descendants(words)))
    until(server.is_live)


def test_what_a_killed_server_leaves_behind_ends_by_itself(tmp_path: Path) -> None:
    env = server_process.environment(tmp_path)
    assert manage("migrate", env=env).returncode == 0
    with serving(env) as server:
        until(lambda: server.descendants("manage.py work"))
        left = server.descendants("")
        assert len(left) >= 3
        os.kill(server.process.pid, signal.SIGKILL)
        until(lambda: not any(command_line_of(pid) for pid in left))


def test_a_port_in_use_is_told_before_serving(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        finished = manage("serve", env=server_process.environment(tmp_path, PORT=str(port)))
    assert finished.returncode == 1
    assert finished.stderr.endswith(
        f"Port {port} on 127.0.0.1 is in use: stop what uses it, or name another port with PORT=…\n"
    )
    assert "Serving" not in finished.stdout
    assert "Traceback" not in finished.stderr


def test_a_host_that_is_not_here_is_told(tmp_path: Path) -> None:
    finished = manage("serve", env=server_process.environment(tmp_path, HOST="192.0.2.1"))
    assert finished.returncode == 1
    assert "Patron can't listen on 192.0.2.1, port 8000: Cannot assign requested address." in finished.stderr
    assert "Traceback" not in finished.stderr


def test_it_says_when_it_serves(server: ServerProcess) -> None:
    until(lambda: f"Serving on http://127.0.0.1:{server.port}/" in server.output)


def test_the_demo_says_what_it_does_and_answers_this_machine_alone(tmp_path: Path) -> None:
    env = server_process.environment(tmp_path, DEMO="true")
    with serving(env, command=("demo", "--serve")) as server:
        until(lambda: "Serving on" in server.output)
        order = ["Setting up the demo in", "Back office", "Starting the server", "Serving on"]
        found = [server.output.index(words) for words in order]
        assert found == sorted(found)
        assert server.get("/", Host="t10001-s1.localhost")[0] == 200
        assert server.get("/", Host="shop.example")[0] == 400


def test_the_demo_tells_a_port_in_use_before_anything_else(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        env = server_process.environment(tmp_path, DEMO="true", PORT=str(taken.getsockname()[1]))
        finished = manage("demo", "--serve", env=env)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "is in use" in finished.stderr
