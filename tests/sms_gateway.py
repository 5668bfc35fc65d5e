"""A gateway for text messages on loopback, which keeps what it was asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, as it was received."""

    method: str
    path: str
    body: str
    authorization: str
    content_type: str


class SmsGateway(ThreadingHTTPServer):
    """`status` is what it answers; 0 hangs up instead, after it took the message."""

    daemon_threads = True

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.status = 200
        super().__init__(("127.0.0.1", 0), Conversation)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Conversation(BaseHTTPRequestHandler):
    """One connection of a sender."""

    server: SmsGateway

    def do_GET(self) -> None:
        self.take("")

    def do_POST(self) -> None:
        self.take(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def take(self, body: str) -> None:
        call = Call(
            method=self.command,
            path=self.path,
            body=body,
            authorization=self.headers.get("Authorization", ""),
            content_type=self.headers.get("Content-Type", ""),
        )
        self.server.calls.append(call)
        if not self.server.status:
            return
        self.send_response(self.server.status)
        if self.server.status in range(300, 400):
            self.send_header("Location", f"{self.server.url}/elsewhere")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nowhere."""


@contextmanager
def running() -> Iterator[SmsGateway]:
    """A gateway that listens on a free port until the block ends."""
    with SmsGateway() as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
