"""A shop's own system on loopback: it takes webhooks, keeps what it received, and answers what a test wants."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from standardwebhooks.webhooks import Webhook

from tests import openid_issuer
from tests.openid_issuer import Conversation, Issuer

SECRET = "whsec_" + "c2hvcCBzZWNyZXQgb2YgMjQgYnl0ZXMu"
PATH = "/hook"


class Shop:
    """`answer` is a status with a body (JSON, or bytes as they are) or a function that answers."""

    def __init__(self, server: Issuer) -> None:
        self.server = server
        self.url = server.url + PATH
        self.answer: Any = (200, {})
        self.headers: list[dict[str, str]] = []
        server.answers[PATH] = self._converse

    @property
    def bodies(self) -> list[bytes]:
        return self.server.forms

    def verified(self, secret: str = SECRET) -> list[Any]:
        """Every message that came, as a receiver's own library reads it; it raises for what is not signed."""
        return [Webhook(secret).verify(*each) for each in zip(self.bodies, self.headers, strict=True)]

    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers in self.headers]

    def lets_in(self, **claims: Any) -> None:
        self.answer = (200, {"allowed": True, "claims": claims})

    def _converse(self, asked: Conversation) -> None:
        self.headers.append({name.lower(): value for name, value in asked.headers.items()})
        if callable(self.answer):
            self.answer(asked)
            return
        asked.answer(*self.answer)


@contextmanager
def running() -> Iterator[Shop]:
    """A shop that listens until the block ends."""
    with openid_issuer.running() as server:
        yield Shop(server)
