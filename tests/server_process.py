"""Patron as `manage.py serve` starts it: a real server, on loopback, with a database of its own."""

import base64
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

ROOT: Path = settings.BASE_DIR
START_SECONDS = 60.0


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """What Patron needs, and nothing that the suite was started with."""
    return {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "VAR_DIR": str(folder),
        **variables,
    }


def manage(*words: str, env: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def until(condition: Callable[[], object], seconds: float = START_SECONDS) -> None:
    """Wait until it holds. Raises `AssertionError` when it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


class ServerProcess:
    """A running server, and what it wrote so far."""

    def __init__(self, process: "subprocess.Popen[str]", port: int) -> None:
        self.process = process
        self.port = port
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as written:
            for line in written:
                self.lines.append(line)

    def end(self) -> None:
        """Ask it to stop, and wait until it has."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        self._reader.join(10)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    def get(self, path: str, *, timeout: float = 10, **headers: str) -> tuple[int, bytes]:
        """Status and body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def is_live(self) -> bool:
        try:
            return self.get("/livez")[0] == 200
        except OSError:
            return False

    def descendants(self, words: str) -> list[int]:
        """The ids of the processes that it started, and those started, whose command line has the words."""
        found: list[int] = []
        waiting = [self.process.pid]
        while waiting:
            children = children_of(waiting.pop())
            waiting.extend(children)
            found.extend(child for child in children if words in command_line_of(child))
        return found


def children_of(pid: int) -> list[int]:
    """The ids of the processes that it started."""
    with suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return []


def command_line_of(pid: int) -> str:
    """Its words; "" when it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


@contextmanager
def serving(env: dict[str, str], *, command: Sequence[str] = ("serve",)) -> Iterator[ServerProcess]:
    """`manage.py serve`, or another command that serves, once it answers, until the end of the block."""
    port = free_port()
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=env | {"PORT": str(port), "WORKERS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    server = ServerProcess(process, port)
    try:
        until(lambda: process.poll() is not None or server.is_live())
        assert process.poll() is None, server.output
        yield server
    finally:
        server.end()
