"""A mail server on loopback (RFC 5321, the little that a sender needs), which keeps what it was given."""

import socketserver
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_bytes, policy
from email.message import EmailMessage

OK = "250 OK"
DRIP_SECONDS = 0.05


class SmtpServer(socketserver.ThreadingTCPServer):
    """`answer` is what it says to a mail handed over; "" hangs up instead, after it took the mail; `recipient_answer`
    what it says to each recipient. `envelopes` are the
    senders and recipients as it was told them. What it says begins with `drips` bytes, one after the other
    (`DRIP_SECONDS`), where it begins with `dripping`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        self.unread: deque[bytes] = deque()
        self._read: list[EmailMessage] = []
        self.envelopes: list[str] = []
        self.answer = self.recipient_answer = OK
        self.dripping, self.drips = "", 0
        super().__init__(("127.0.0.1", port), Conversation)

    @property
    def mails(self) -> list[EmailMessage]:
        """Those that have come by now. They are parsed here: no sender waits for that."""
        while self.unread:
            self._read.append(message_from_bytes(self.unread.popleft(), policy=policy.default))
        return self._read

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Conversation(socketserver.StreamRequestHandler):
    """One connection of a sender."""

    server: SmtpServer

    def handle(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say("354 go on")
                self.take_mail()
                if not self.server.answer:
                    return None
                self.say(self.server.answer)
            elif verb in {b"MAIL", b"RCPT"}:
                self.server.envelopes.append(line.decode("ascii").strip())
                self.say(self.server.recipient_answer if verb == b"RCPT" else OK)
            elif verb == b"QUIT":
                return self.say("221 bye")
            else:
                self.say(OK)
        return None

    def take_mail(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        self.server.unread.append(b"".join(lines))

    def say(self, text: str) -> None:
        if self.server.dripping and text.startswith(self.server.dripping):
            self.drip(text[:4].replace(" ", "-"))
        self.wfile.write(f"{text}\r\n".encode())

    def drip(self, code: str) -> None:
        """A line before the last one of the reply."""
        with suppress(OSError):
            self.wfile.write(code.encode())
            for _ in range(self.server.drips):
                time.sleep(DRIP_SECONDS)
                self.wfile.write(b".")
            self.wfile.write(b"\r\n")


@contextmanager
def running(port: int = 0) -> Iterator[SmtpServer]:
    """A server that listens on the port, by default a free one, until the block ends."""
    with SmtpServer(port) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
