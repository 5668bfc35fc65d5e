"""The benchmark's shop as a storefront calls it: the paths that are measured."""

import json
import os
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import Any

from cryptography.fernet import Fernet

from bench.load import Call, Client
from bench.server import Patron, execute

TENANT, CLIENT_ID, APPLICATION_ID = "bench", "storefront", "application"
PASSWORD = "correct horse battery"
APPLICATION_SECRET = "the secret of the benchmark's application"
CUSTOMERS = int(os.environ.get("BENCH_CUSTOMERS", "1000"))
ADDRESSES = 5
FIRST_NUMBER = 20_000_000

ANONYMOUS_LOGIN = f"/customerlogin/auth/anonymous/login?tenant={TENANT}&client_id={CLIENT_ID}"
ME, LOGIN, SIGNUP = (f"/customer/{TENANT}/{each}" for each in ("me", "login", "signup"))
TICKETS = "/commerce/customer/authtickets"
# Quotas count by address, so that each call comes from one of its own.
_addresses = (f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}" for number in count(1))
_numbers = count(1)


def email(index: int) -> str:
    return f"customer{index}@example.com"


def ask(base: str, path: str, token: str = "", body: dict[str, Any] | None = None) -> Any:
    """The answer to one call, as JSON."""
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(base + path, data, bearer(token) | {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def credentials(index: int) -> dict[str, str]:
    return {"email": email(index % CUSTOMERS), "password": PASSWORD}


def get(path: str, token: str = "") -> Call:
    return Call(method="GET", path=path, headers=bearer(token))


def post(path: str, token: str, body: dict[str, Any], expected: int = 200, method: str = "POST") -> Call:
    """With a body, and from an address that no other call came from."""
    headers = bearer(token) | {"Content-Type": "application/json", "X-Forwarded-For": next(_addresses)}
    return Call(method=method, path=path, headers=headers, body=json.dumps(body), expected=expected)


def repeated(call: Call, number: int) -> Client:
    for _ in range(number):
        yield call


@dataclass(frozen=True)
class Shop:
    """The shop on a running server. The methods are clients that make a number of calls."""

    patron: Patron

    @cached_property
    def visitor(self) -> str:
        return str(ask(self.patron.base, ANONYMOUS_LOGIN)["access_token"])

    @cached_property
    def customer(self) -> dict[str, str]:
        """The tokens of a customer."""
        return self.log_in(0)

    @cached_property
    def jwt(self) -> str:
        return str(ask(self.patron.base, f"/api/{TENANT}/customer/authenticate?provider=password", "", credentials(0)))

    @cached_property
    def application(self) -> str:
        body = {"client_id": APPLICATION_ID, "client_secret": APPLICATION_SECRET}
        return str(ask(self.patron.base, "/platform/applications/authtickets/oauth", "", body)["access_token"])

    def log_in(self, index: int) -> dict[str, str]:
        tokens: dict[str, str] = ask(self.patron.base, LOGIN, self.visitor, credentials(index))
        return tokens

    def reads(self, path: str, number: int) -> Client:
        return repeated(get(path, self.customer["access_token"]), number)

    def reads_by_jwt(self, number: int) -> Client:
        return repeated(get(f"/api/{TENANT}/customer", self.jwt), number)

    def visits(self, number: int) -> Client:
        for _ in range(number):
            yield Call(method="GET", path=ANONYMOUS_LOGIN, headers={"X-Forwarded-For": next(_addresses)})

    def refreshes(self, number: int) -> Client:
        """Each spends the token that the one before it got."""
        token = self.log_in(next(_numbers))["refresh_token"]
        for _ in range(number):
            call = get(f"/customer/{TENANT}/refreshauthtoken?refreshToken={token}", self.visitor)
            token = json.loads((yield call))["refresh_token"]

    def changes(self, number: int) -> Client:
        token = self.log_in(next(_numbers))["access_token"]
        for index in range(number):
            yield post(ME, token, {"firstName": f"Ada {index}"}, method="PATCH")

    def log_ins(self, number: int) -> Client:
        for _ in range(number):
            yield post(LOGIN, self.visitor, credentials(next(_numbers)))

    def sign_ups(self, number: int) -> Client:
        for _ in range(number):
            body = {"email": f"new{next(_numbers)}@example.com", "password": PASSWORD}
            yield post(SIGNUP, self.visitor, body, expected=201)

    def code_requests(self, number: int) -> Client:
        for _ in range(number):
            yield self._code_request(f"code{next(_numbers)}@example.com")

    def code_log_ins(self, number: int) -> Client:
        addresses = [email(next(_numbers) % CUSTOMERS) for _ in range(number)]
        for each in addresses:
            self._make(self._code_request(each))
        codes = self._codes()
        for each in addresses:
            body = {"email": each, "otpCode": codes[each]}
            yield post(f"{TICKETS}/otp/auth", self.application, body)

    def _code_request(self, address: str) -> Call:
        return post(f"{TICKETS}/otp/request", self.application, {"email": address})

    def _make(self, call: Call) -> None:
        data = call.body.encode() if call.body else None
        urllib.request.urlopen(urllib.request.Request(self.patron.base + call.path, data, call.headers)).close()

    def _codes(self) -> dict[str, str]:
        """The newest code of each address, which waits in the outbox."""
        fernet = Fernet(self.patron.environment["ENCRYPTION_KEYS"])
        query = "SELECT recipient, context_encrypted FROM tenants_message WHERE template = 'log_in_code' ORDER BY id"
        rows = execute(self.patron.database_url, query)
        return {str(to): json.loads(fernet.decrypt(str(context).encode()))["code"] for to, context in rows}


@dataclass(frozen=True, kw_only=True)
class Path:
    """Something to measure: how to call it, and how many calls a client makes in a round."""

    name: str
    client: Callable[[int], Client]
    calls: int
    # Measured on a server whose hash costs next to nothing (`bench.unhashed`).
    hashes: bool = False


def paths(shop: Shop) -> list[Path]:
    """Patron's hot paths."""
    return [
        Path(name="GET /me", client=lambda number: shop.reads(ME, number), calls=100),
        Path(name="GET /api/{tenant}/customer", client=shop.reads_by_jwt, calls=60),
        Path(
            name="validate", client=lambda number: shop.reads(f"/customer/{TENANT}/validateauthtoken", number), calls=60
        ),
        Path(name="five addresses", client=lambda number: shop.reads(f"{ME}/addresses", number), calls=50),
        Path(name="anonymous log-in", client=shop.visits, calls=60),
        Path(name="refresh", client=shop.refreshes, calls=40),
        Path(name="PATCH /me", client=shop.changes, calls=40),
        Path(name="log-in", client=shop.log_ins, calls=20, hashes=True),
        Path(name="sign-up", client=shop.sign_ups, calls=20, hashes=True),
        Path(name="code request", client=shop.code_requests, calls=30),
        Path(name="code log-in", client=shop.code_log_ins, calls=20),
    ]
