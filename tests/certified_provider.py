"""npm's certified OpenID provider as a process of its own, and logging people in there as a browser would."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qs, quote_plus, urljoin, urlsplit

import httpx

from tests import node_packages
from tests.oidc_provider import REDIRECT_URI
from tests.social_providers import challenge

# As in openid_provider.mjs: with characters that HTTP Basic must encode (RFC 6749, 2.3.1).
SECRET = "our secret: 100% +/&"
RESOURCE = "https://shop.example/api"


@dataclass(frozen=True, kw_only=True)
class Provider:
    """Where it listens."""

    issuer: str

    def code_for(self, who: str, *, client_id: str = "shop", verifier: str = "", **more: str) -> str:
        """Log someone in and return the code that the storefront gets."""
        query = {
            "client_id": client_id,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": "openid email profile",
            "login_hint": who,
            "nonce": "n",
        } | more
        if verifier:
            query |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
        with httpx.Client() as browser:
            answer = browser.get(f"{self.issuer}/auth", params=query)
            while answer.is_redirect and not answer.headers["location"].startswith(REDIRECT_URI):
                answer = browser.get(urljoin(str(answer.url), answer.headers["location"]))
        assert answer.is_redirect, answer.text
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]

    def tokens_for(self, who: str, *, client_id: str = "shop", **more: str) -> dict[str, str]:
        """Log someone in for a client, which exchanges the code itself."""
        form = {
            "grant_type": "authorization_code",
            "code": self.code_for(who, client_id=client_id, **more),
            "redirect_uri": REDIRECT_URI,
        } | ({"resource": more["resource"]} if "resource" in more else {})
        answer = httpx.post(f"{self.issuer}/token", data=form, auth=(client_id, quote_plus(SECRET)))
        tokens: dict[str, str] = answer.raise_for_status().json()
        return tokens


@contextmanager
def running() -> Iterator[Provider]:
    """Start the provider, and end it afterwards."""
    node_packages.installed()
    with subprocess.Popen(
        ["node", "openid_provider.mjs"],  # noqa: S607 - whichever there is
        cwd=node_packages.FOLDER,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            yield Provider(issuer=process.stdout.readline().strip())
        finally:
            process.stdin.close()
            process.wait(10)
