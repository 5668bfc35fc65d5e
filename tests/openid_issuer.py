"""An OpenID provider on loopback that says and signs whatever a test wants, and counts who asks."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

DISCOVERY, JWKS, INTROSPECTION = "/.well-known/openid-configuration", "/jwks", "/introspect"
CLIENT_ID = "shop"


class Key:
    """A key pair and its entry in a key set."""

    def __init__(self, kid: str = "", algorithm: str = "ES256", **entry: Any) -> None:
        self.kid, self.algorithm = kid, algorithm
        self.private: Any
        if algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
            published = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            published = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.entry: dict[str, Any] = published | ({"kid": kid} if kid else {}) | entry


class Issuer(ThreadingHTTPServer):
    """`answers` holds, for a path, a status with a body (JSON, or bytes as they are) or a function that answers."""

    daemon_threads = True
    request_queue_size = 128  # a connection that finds no room tries again after a second

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.url = f"http://localhost:{self.server_address[1]}"
        self.asked: Counter[str] = Counter()
        self.forms: list[bytes] = []
        self.answers: dict[str, Any] = {}
        self.keys = [Key("first")]
        self.publish()

    def publish(self, *keys: Key, **discovery: Any) -> None:
        """Serve these keys, or the ones there are, and a discovery document."""
        self.keys = list(keys) or self.keys
        document = {"issuer": self.url, "jwks_uri": self.url + JWKS, "token_endpoint": f"{self.url}/token"}
        self.answers[DISCOVERY] = (200, document | discovery)
        self.answers[JWKS] = (200, {"keys": [key.entry for key in self.keys]})

    def token(self, *, by: Key | None = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token, with other claims (`...` leaves one out), another key, more in its header."""
        key, now = by or self.keys[0], int(time.time())
        good = {"iss": self.url, "aud": CLIENT_ID, "client_id": CLIENT_ID, "sub": "ada", "iat": now, "exp": now + 300}
        payload = {name: value for name, value in (good | claims).items() if value is not ...}
        headers = ({"kid": key.kid} if key.kid else {}) | (header or {})
        return jwt.encode(payload, key.private, algorithm=key.algorithm, headers=headers)


class Conversation(BaseHTTPRequestHandler):
    """One request."""

    server: Issuer

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        answer = self.server.answers.get(self.path, (404, {}))
        if callable(answer):
            answer(self)
            return
        self.answer(*answer)

    def answer(self, status: int, body: Any) -> None:
        self.reply(status, body if isinstance(body, bytes) else json.dumps(body).encode())

    def do_POST(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.forms.append(self.body)
        self.do_GET()

    def reply(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in ({"Content-Length": str(len(content))} | given).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def running() -> Iterator[Issuer]:
    """An issuer that listens until the block ends."""
    with Issuer() as issuer:
        thread = threading.Thread(target=issuer.serve_forever, args=[0.02])
        thread.start()
        try:
            yield issuer
        finally:
            issuer.shutdown()
            thread.join()


def drip(asked: Conversation) -> None:
    """A byte now and then, so that it is never silent for long."""
    try:
        asked.reply(200, b"{", Content_Length="1000")
        for _ in range(30):
            asked.wfile.write(b" ")
            time.sleep(0.1)
    except OSError:
        pass  # nobody listens any more
