"""Google, Apple, Facebook and LINE on loopback: what they document about tokens, codes and profiles, over real HTTP.

A path starts with the host that it stands in for, and `ENDPOINTS` is what a provider's settings need to get here.
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.openid_issuer import Key

HOSTS = (
    *("accounts.google.com", "www.googleapis.com", "oauth2.googleapis.com"),
    *("appleid.apple.com", "www.facebook.com", "graph.facebook.com", "api.line.me"),
)
GRAPH = "graph.facebook.com/v24.0"
OURS, OTHERS = "1234567890", "6666666666"
SECRET = "0123456789abcdef" * 2
TEAM, KEY_ID = "TEAM123456", "KEY1234567"
REDIRECT_URI = "https://shop.example/callback"
Answer = tuple[int, dict[str, Any]]


@dataclass(kw_only=True)
class Grant:
    """What an app may know about a user, and how the user came."""

    app: str = OURS
    user: str = "ada"
    expires_in: int = 3600
    claims: dict[str, Any] | None = None
    redirect_uri: str = REDIRECT_URI
    verifier: str = ""


class World(ThreadingHTTPServer):
    """All four of them. `tokens` and `codes` are what they gave out."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.url = f"http://localhost:{self.server_address[1]}"
        self.tokens: dict[str, Grant] = {}
        self.codes: dict[str, Grant] = {}
        self.users: dict[str, dict[str, Any]] = {"ada": {}}
        self.rsa, self.ec = Key("rsa", "RS256"), Key("ec")
        self.team_key = ec.generate_private_key(ec.SECP256R1())
        self.down: set[str] = set()
        self.override: dict[str, Answer] = {}

    @property
    def endpoints(self) -> dict[str, str]:
        return {f"https://{host}": f"{self.url}/{host}" for host in HOSTS}

    @property
    def apple_key(self) -> str:
        """What Apple lets the team download."""
        return self.team_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def id_token(self, key: Key | None = None, *, secret: str = "", **claims: Any) -> str:
        now = int(time.time())
        good = {"aud": OURS, "sub": "ada", "iat": now, "exp": now + 300, "jti": secrets.token_hex(8)}
        payload = {name: value for name, value in (good | claims).items() if value is not ...}
        if secret:
            return jwt.encode(payload, secret, algorithm="HS256")
        signer = key or self.rsa
        return jwt.encode(payload, signer.private, algorithm=signer.algorithm, headers={"kid": signer.kid})


class Conversation(BaseHTTPRequestHandler):
    """One request."""

    server: World

    def do_GET(self) -> None:
        self._answer("GET", "")

    def do_POST(self) -> None:
        self._answer("POST", self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())

    def _answer(self, method: str, body: str) -> None:
        parts = urlsplit(self.path)
        path = parts.path.lstrip("/")
        given = {name: values[0] for name, values in parse_qs(parts.query + "&" + body, strict_parsing=False).items()}
        bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        act = ROUTES.get((method, path))
        if path.split("/")[0] in self.server.down:
            answer: Answer = (503, {})
        elif method == "POST" and parts.query:  # secrets don't belong there (RFC 6749, 2.3.1)
            answer = (400, {"error": "invalid_request"})
        elif path in self.server.override:
            answer = self.server.override[path]
        else:
            answer = act(self.server, given, bearer) if act else (404, {})
        status, said = answer
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _keys(world: World, *_: Any) -> Answer:
    return 200, {"keys": [world.rsa.entry, world.ec.entry]}


def _redeem(world: World, form: dict[str, str], is_known: bool) -> tuple[Grant | None, Answer]:
    """The grant of a code, which is good once, for the same redirect URI and verifier."""
    if not is_known:
        return None, (401, {"error": "invalid_client"})
    grant = world.codes.pop(form.get("code", ""), None)
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    is_right = grant is not None and grant.redirect_uri == form.get("redirect_uri")
    if grant is None or not is_right or (grant.verifier and grant.verifier != _text(digest)):
        return None, (400, {"error": "invalid_grant"})
    world.tokens["of-a-code"] = grant
    return grant, (200, {"access_token": "of-a-code", "token_type": "Bearer", "expires_in": grant.expires_in})


def _text(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def challenge(verifier: str) -> str:
    """RFC 7636, 4.2."""
    return _text(hashlib.sha256(verifier.encode()).digest())


def _is_ours(form: dict[str, str]) -> bool:
    return (form.get("client_id"), form.get("client_secret")) == (OURS, SECRET)


def _google_token(world: World, form: dict[str, str], _: str) -> Answer:
    grant, (status, said) = _redeem(world, form, _is_ours(form))
    if grant:
        claims = {"iss": "https://accounts.google.com", "sub": grant.user} | (grant.claims or {})
        said |= {"id_token": world.id_token(**claims)}
    return status, said


def _google_info(world: World, query: dict[str, str], _: str) -> Answer:
    grant = world.tokens.get(query.get("access_token", ""))
    if grant is None or grant.expires_in < 0:
        return 400, {"error": "invalid_token", "error_description": "Invalid Value"}
    return 200, {"aud": grant.app, "azp": grant.app, "sub": grant.user, "expires_in": str(grant.expires_in)}


def _google_profile(world: World, _: dict[str, str], bearer: str) -> Answer:
    grant = world.tokens.get(bearer)
    if grant is None:
        return 401, {"error": "invalid_request"}
    return 200, {"sub": grant.user} | world.users.get(grant.user, {})


def _apple_token(world: World, form: dict[str, str], _: str) -> Answer:
    try:
        said = jwt.decode(
            form.get("client_secret", ""),
            world.team_key.public_key(),
            algorithms=["ES256"],
            audience="https://appleid.apple.com",
            issuer=TEAM,
        )
        kid = jwt.get_unverified_header(form["client_secret"])["kid"]
        is_known = said["sub"] == form.get("client_id") == OURS and kid == KEY_ID
        is_known = is_known and said["exp"] - said["iat"] <= 600
    except jwt.PyJWTError:
        is_known = False
    grant, (status, answer) = _redeem(world, form, is_known)
    if grant:
        claims = {"iss": "https://appleid.apple.com", "sub": grant.user} | (grant.claims or {})
        answer |= {"id_token": world.id_token(**claims)}
    return (400 if status == 401 else status), answer


def _facebook_error(code: int) -> Answer:
    return 400, {"error": {"message": "no", "type": "OAuthException", "code": code}}


def _facebook_debug(world: World, query: dict[str, str], _: str) -> Answer:
    if query.get("access_token") != f"{OURS}|{SECRET}":
        return _facebook_error(190)
    grant = world.tokens.get(query.get("input_token", ""))
    if grant is None:
        return 200, {"data": {"is_valid": False, "error": {"code": 190, "message": "Malformed access token"}}}
    return 200, {
        "data": {
            "app_id": grant.app,
            "type": "USER",
            "is_valid": grant.expires_in > 0,
            "expires_at": int(time.time()) + grant.expires_in,
            "user_id": grant.user,
        }
    }


def _facebook_me(world: World, query: dict[str, str], _: str) -> Answer:
    token = query.get("access_token", "")
    grant = world.tokens.get(token)
    proof = hmac.digest(SECRET.encode(), token.encode(), "sha256").hex()
    if grant is None or query.get("appsecret_proof") != proof:
        return _facebook_error(100)
    wanted = {"id": grant.user} | world.users.get(grant.user, {})
    return 200, {name: value for name, value in wanted.items() if name in query.get("fields", "id").split(",")}


def _facebook_token(world: World, form: dict[str, str], _: str) -> Answer:
    if form.get("grant_type") == "client_credentials":
        return (200, {"access_token": f"{OURS}|{SECRET}"}) if _is_ours(form) else _facebook_error(101)
    grant, (status, answer) = _redeem(world, form, _is_ours(form))
    if grant is None:
        return _facebook_error(1 if status == 401 else 100)
    return status, answer


def _line_token(world: World, form: dict[str, str], _: str) -> Answer:
    grant, (status, said) = _redeem(world, form, _is_ours(form))
    if grant:
        claims = {"iss": "https://access.line.me", "sub": grant.user} | (grant.claims or {})
        said |= {"id_token": world.id_token(secret=SECRET, **claims)}
    return status, said


def _line_verify(world: World, query: dict[str, str], _: str) -> Answer:
    grant = world.tokens.get(query.get("access_token", ""))
    if grant is None:
        return 400, {"error": "invalid_request", "error_description": "access token expired"}
    return 200, {"scope": "profile", "client_id": grant.app, "expires_in": grant.expires_in}


def _line_profile(world: World, _: dict[str, str], bearer: str) -> Answer:
    grant = world.tokens.get(bearer)
    return (200, {"userId": grant.user, "displayName": "Ada"}) if grant else (401, {"message": "invalid token"})


ROUTES = {
    ("GET", "www.googleapis.com/oauth2/v3/certs"): _keys,
    ("GET", "appleid.apple.com/auth/keys"): _keys,
    ("GET", "www.facebook.com/.well-known/oauth/openid/jwks/"): _keys,
    ("GET", "api.line.me/oauth2/v2.1/certs"): _keys,
    ("POST", "oauth2.googleapis.com/token"): _google_token,
    ("GET", "oauth2.googleapis.com/tokeninfo"): _google_info,
    ("GET", "www.googleapis.com/oauth2/v3/userinfo"): _google_profile,
    ("POST", "appleid.apple.com/auth/token"): _apple_token,
    ("GET", f"{GRAPH}/debug_token"): _facebook_debug,
    ("GET", f"{GRAPH}/me"): _facebook_me,
    ("POST", f"{GRAPH}/oauth/access_token"): _facebook_token,
    ("POST", "api.line.me/oauth2/v2.1/token"): _line_token,
    ("GET", "api.line.me/oauth2/v2.1/verify"): _line_verify,
    ("GET", "api.line.me/v2/profile"): _line_profile,
}


@contextmanager
def running() -> Iterator[World]:
    """All of them listen until the block ends."""
    with World() as world:
        thread = threading.Thread(target=world.serve_forever, args=[0.02])
        thread.start()
        try:
            yield world
        finally:
            world.shutdown()
            thread.join()
