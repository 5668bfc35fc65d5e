"""Customers who note what they were told: what was acknowledged has to be there in the end."""

import http.client
import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from bench.shop import ANONYMOUS_LOGIN, LOGIN, ME, SIGNUP, TENANT

PASSWORD = "correct horse battery"
PAUSE = 0.05  # seconds between two tries while nobody answers
PATIENCE = 60.0  # seconds for what has to succeed in the end
UNAVAILABLE = 503
_numbers = count(1)


@dataclass
class Notes:
    """What all shoppers were told. `names` are, by e-mail, the last names that the profile may have: one where the last
    write was acknowledged, more where somebody never learned what became of it."""

    names: dict[str, set[str]] = field(default_factory=dict)
    asked_for_mail: Counter[str] = field(default_factory=Counter)
    maybe_asked: Counter[str] = field(default_factory=Counter)
    log_ins: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    in_doubt: Counter[str] = field(default_factory=Counter)
    unavailable: int = 0
    lost_connections: int = 0
    faults: list[str] = field(default_factory=list)
    answers: list[tuple[float, int]] = field(default_factory=list)  # when, and the status


class Unanswered(Exception):
    """Nobody knows what became of the request."""


class Shopper:
    """One customer after another, each with some visits, over one connection."""

    def __init__(self, port: int, notes: Notes, stopped: threading.Event, pause: float) -> None:
        self._port, self._notes, self._stopped, self._pause = port, notes, stopped, pause
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        self._visitor = ""
        self._visit_ends = 0.0
        self.refresh_token = ""

    def run(self) -> None:
        """Go on until it is stopped."""
        while not self._stopped.wait(self._pause):
            try:
                self._visit()
            except Unanswered:
                time.sleep(PAUSE)
            except Exception as error:
                self._notes.faults.append(f"{type(error).__name__}: {error}")

    def _visit(self) -> None:
        if time.monotonic() > self._visit_ends:
            visit = self._call("visit", "GET", ANONYMOUS_LOGIN)
            self._visitor = str(visit["access_token"])
            self._visit_ends = time.monotonic() + int(visit["expires_in"]) / 2
        email = f"torture{next(_numbers)}@example.com"
        body = {"email": email, "password": PASSWORD, "customerDetails": {"lastName": "new"}}
        self._call("sign-up", "POST", SIGNUP, self._visitor, body)
        self._notes.names[email] = {"new"}
        self._ask_for_mail(email)
        tokens = self._call("log-in", "POST", LOGIN, self._visitor, {"email": email, "password": PASSWORD})
        self._notes.log_ins += 1
        for _ in range(random.randint(1, 4)):
            self._write(email, tokens)
            tokens = self._refresh(tokens)
            if self._stopped.is_set():
                return

    def _ask_for_mail(self, email: str) -> None:
        self._notes.maybe_asked[email] += 1
        self._call("mail", "POST", f"/customer/{TENANT}/password/reset", self._visitor, {"email": email})
        self._notes.asked_for_mail[email] += 1

    def _write(self, email: str, tokens: dict[str, Any]) -> None:
        name = f"name {next(_numbers)}"
        possible = self._notes.names[email]
        possible.add(name)
        self._call("profile", "PATCH", ME, _part(tokens, "access"), {"lastName": name})
        self._notes.names[email] = {name}

    def _refresh(self, tokens: dict[str, Any]) -> dict[str, Any]:
        """Who gets no answer asks again, with the same token, and is never logged out by that."""
        path = f"/customer/{TENANT}/refreshauthtoken?refreshToken={_part(tokens, 'refresh')}"
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self._call("refresh", "GET", path, self._visitor)
            except Unanswered:
                if time.monotonic() > end:
                    raise
                time.sleep(PAUSE)

    def _call(self, kind: str, method: str, path: str, token: str = "", body: object = None) -> dict[str, Any]:
        """The answer. Raises `Unanswered`; any other answer than success and 503 is a fault."""
        headers = {"Content-Type": "application/json", "X-Forwarded-For": _address()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self._notes.lost_connections += 1
            self._notes.in_doubt[kind] += 1
            self._notes.answers.append((time.monotonic(), 0))
            raise Unanswered from error
        self._notes.answers.append((time.monotonic(), answer.status))
        if answer.status == UNAVAILABLE:
            self._notes.unavailable += 1
            self._notes.in_doubt[kind] += 1
            if not answer.headers.get("Retry-After"):
                self._notes.faults.append(f"503 without Retry-After: {method} {path.partition('?')[0]}")
            raise Unanswered
        if not 200 <= answer.status < 300:
            if kind != "visit":
                self._visit_ends = 0.0
            raise RuntimeError(f"{kind}: {answer.status} {text[:200]!r}")
        self._notes.acknowledged[kind] += 1
        return dict(json.loads(text)) if text else {}


def _part(tokens: dict[str, Any], kind: str) -> str:
    return str(tokens.get(f"{kind}_token") or tokens[f"{kind}Token"])


def _address() -> str:
    """Quotas count by address: each call comes from one of its own."""
    return ".".join(["10", *(str(random.randrange(1, 255)) for _ in range(3))])


class Crowd:
    """Several shoppers at once."""

    def __init__(self, port: int, number: int, *, pause: float = 0.0) -> None:
        """`pause` is in seconds, between two customers."""
        self.notes = Notes()
        self._stopped = threading.Event()
        shoppers = [Shopper(port, self.notes, self._stopped, pause) for _ in range(number)]
        self._threads = [threading.Thread(target=each.run, daemon=True) for each in shoppers]
        for thread in self._threads:
            thread.start()

    def stop(self) -> Notes:
        """What they were told, once each is done."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        return self.notes
