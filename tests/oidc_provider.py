"""A real OpenID provider in a process of its own, on loopback."""

import base64
import hashlib
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import httpx

# It is plain HTTP, and loading the authorities' certificates for each call would take longer than the call.
NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
REDIRECT_URI = "https://shop.example/callback"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Where it listens, and logging people in there as a browser would."""

    issuer: str

    def sign_up(self, subject: str, **claims: object) -> None:
        """Let the provider know someone."""
        httpx.put(f"{self.issuer}/users/{subject}", json=claims, verify=NO_AUTHORITIES).raise_for_status()

    def code_for(self, subject: str, *, client_id: str, redirect_uri: str = REDIRECT_URI, verifier: str = "") -> str:
        """Log someone in and return the code that the storefront gets."""
        query = {
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": "openid email profile",
            "state": "s",
            "nonce": "n",
        }
        if verifier:
            digest = hashlib.sha256(verifier.encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
        answer = httpx.post(
            f"{self.issuer}/oauth2/authorize", params=query, data={"sub": subject}, verify=NO_AUTHORITIES
        )
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    def tokens_for(self, subject: str, *, client_id: str) -> dict[str, str]:
        """Log someone in for a client of its own, which exchanges the code itself."""
        form = {
            "grant_type": "authorization_code",
            "code": self.code_for(subject, client_id=client_id),
            "redirect_uri": REDIRECT_URI,
        }
        answer = httpx.post(f"{self.issuer}/oauth2/token", data=form, auth=(client_id, "secret"), verify=NO_AUTHORITIES)
        tokens: dict[str, str] = answer.raise_for_status().json()
        return tokens


@contextmanager
def running() -> Iterator[Provider]:
    """Start the provider, and end it afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        provider = Provider(issuer=f"http://localhost:{port}")
        _wait_for(f"{provider.issuer}/.well-known/openid-configuration")
        yield provider
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(url, verify=NO_AUTHORITIES).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"no answer from {url}")


def new_verifier() -> str:
    """A PKCE code verifier (RFC 7636, 4.1)."""
    return secrets.token_urlsafe(48)
