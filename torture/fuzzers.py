"""Clients that send generated requests to a server over HTTP and tell how each was answered. They build the scenes that
the requests need in the server's database, so that each is a process of the installation's."""

import http.client
import json
import random
import select
import time
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any, Protocol
from urllib.parse import urlsplit

import hypothesis
import requests
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode

from auth_providers.models import Account, Authenticator, MailedToken, OneTimeCode, PendingLogIn, Session, Token
from customers.models import Address
from tenants.models import Tenant
from tests import factories
from tests.contracts.calls import JSON, one_transaction
from tests.contracts.documented import documented_operations, make_lenient, prepare, token_for, values_of
from tests.contracts.fuzzed import Sent, requests_of
from tests.contracts.operations import EVERY_OPERATION, Operation
from tests.contracts.scene import Scene, set_scene
from tests.oidc_provider import Provider

SCENE_REQUESTS = 25  # from one scene at most, which is fewer than any quota allows but those of mails
PATIENCE = 30.0  # seconds for an answer
SHOWN = 300  # characters of a path and of a body
FIRST_NUMBER, NUMBERS = 1_000_000, 1_000_000  # of the tenants of the first client, and of each client
SUCCESSES, THROTTLED, NO_ANSWER = range(200, 300), 429, 0
# What requests need, and can spend.
NEEDED: dict[Any, tuple[str, ...]] = {
    Account: ("identifier", "password", "is_permitted"),
    Address: ("public_id",),
    Authenticator: ("confirmed_at", "last_step"),
    MailedToken: ("spent_at",),
    OneTimeCode: ("challenge_id", "spent_at"),
    PendingLogIn: ("challenge_id", "spent_at"),
    Session: ("ended_at",),
    Token: ("spent_at",),
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """How a request was answered: its `status` (0: not at all) after so many `seconds`, and itself, in short."""

    operation: str
    seed: int
    status: int
    seconds: float
    request: str


@dataclass(frozen=True, kw_only=True)
class Call:
    """What is sent."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def __str__(self) -> str:
        return f"{self.method} {self.path[:SHOWN]} {self.body[:SHOWN]!r}"


class Source(Protocol):
    """Generates requests of one operation."""

    label: str
    generated: st.SearchStrategy[Any]

    def prepare(self, scene: Scene) -> None:
        """Make what its requests need of the scene."""

    def call(self, scene: Scene, request: Any) -> Call:
        """One of its requests, in the scene."""


class Fuzzed:
    """Requests whose fields have values of every type."""

    def __init__(self, operation: Operation) -> None:
        self.label, self.generated = f"{operation.contract} {operation.name}", requests_of(operation)
        self._operation = self._prepared = operation

    def prepare(self, scene: Scene) -> None:
        self._prepared = self._operation.prepared(scene)

    def call(self, scene: Scene, request: Sent) -> Call:
        Tenant.objects.filter(pk=scene.tenant.pk).update(check_in_policy=request.policy)
        token = self._prepared.least_token(scene)
        return Call(
            method=self._prepared.method,
            path=request.path_of(self._prepared),
            headers={"Content-Type": JSON, "User-Agent": factories.CLIENT.user_agent}
            | ({"Authorization": f"Bearer {token}"} if token else {}),
            body=request.body_of(self._prepared),
        )


class Documented:
    """Requests that an operation's OpenAPI document allows, or does not."""

    def __init__(self, operation: Any, mode: GenerationMode) -> None:
        self.label = f"{operation.label} ({mode.value})"
        self.generated: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=mode)
        self._operation = operation

    def prepare(self, scene: Scene) -> None:
        make_lenient(scene)
        token_for(self._operation, scene)
        values_of(self._operation, scene)

    def call(self, scene: Scene, request: Case[Any]) -> Call:
        prepare(request, scene)
        made = requests.Request(**request.as_transport_kwargs()).prepare()
        body = made.body.encode() if isinstance(made.body, str) else made.body or b""
        return Call(method=str(made.method), path=made.path_url, headers=made.headers, body=body)


def every_source(base: str) -> list[Source]:
    """Those of all contracts."""
    documented = documented_operations(base)
    return [
        *(Fuzzed(operation) for operation in EVERY_OPERATION),
        *(Documented(operation, mode) for operation in documented for mode in GenerationMode),
    ]


def needed_rows(tenant: Tenant) -> set[tuple[Any, ...]]:
    """What requests can spend, as it is now."""
    return {
        (model, *row)
        for model, fields in NEEDED.items()
        for row in model.objects.for_tenant(tenant).values_list("pk", *fields)
    }


class Client:
    """Sends requests over one connection, from a scene that is fresh enough."""

    def __init__(self, base: str, provider: Provider, number: int) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=PATIENCE)
        self._provider, self._numbers = provider, count(FIRST_NUMBER + number * NUMBERS)
        self._left = 0

    def close(self) -> None:
        self._connection.close()

    def exercise(self, source: Source, seed: int, examples: int) -> int:
        """Send up to so many of its requests, and tell of each; how many there were."""
        answers: list[Answer] = []
        self._left = 0

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=examples,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(request=source.generated)
        def send(request: Any) -> None:
            if not self._left:
                self._build_scene(source)
            answers.append(self._send(source, request, seed))
            self._left = 0 if self._is_spent(answers[-1].status) else self._left - 1

        send()
        for each in answers:
            print(json.dumps(asdict(each)), flush=each is answers[-1])
        return len(answers)

    def _build_scene(self, source: Source) -> None:
        """In a tenant of its own: quotas count by tenant. In one transaction, or the worker would send its codes."""
        number = next(self._numbers)
        with one_transaction():
            tenant = factories.make_tenant(f"fuzz{number}", number=number)
            self._scene = set_scene(tenant, self._provider)
            source.prepare(self._scene)
        self._needed, self._left = needed_rows(tenant), SCENE_REQUESTS

    def _send(self, source: Source, request: Any, seed: int) -> Answer:
        call = source.call(self._scene, request)
        headers = {**call.headers, "X-Forwarded-For": factories.CLIENT.address}
        if self._is_closed():
            self._connection.close()
        started, status = time.monotonic(), NO_ANSWER
        try:
            with suppress(BrokenPipeError):  # it is refused before it was read
                self._connection.request(call.method, call.path, call.body, headers)
            answer = self._connection.getresponse()
            answer.read()
            status = answer.status
        except (OSError, http.client.HTTPException):
            self._connection.close()
        seconds = time.monotonic() - started
        return Answer(operation=source.label, seed=seed, status=status, seconds=seconds, request=str(call))

    def _is_closed(self) -> bool:
        """Whether the server has closed the connection, since it was idle for long (`REQUEST_SECONDS`) or the last
        request was answered before all of it was read: nobody may send on it (RFC 9112, 9.3)."""
        connected = self._connection.sock
        return connected is not None and bool(select.select([connected], [], [], 0)[0])

    def _is_spent(self, status: int) -> bool:
        """Whether the scene is not what the next request needs."""
        if status in SUCCESSES:
            return not self._needed <= needed_rows(self._scene.tenant)
        return status == THROTTLED


def run(base: str, issuer: str, *, number: int, clients: int, share: int, seed: int) -> None:
    """Be the client of this number, and send a `share` of the requests: each time around, some of each of its
    operations, which are others than those of the other `clients`, and than the time before."""
    sources = every_source(base)
    random.Random(seed).shuffle(sources)
    examples = min(SCENE_REQUESTS, max(1, share * clients // len(sources)))
    with closing(Client(base, Provider(issuer=issuer), number)) as client:
        for turn in count():
            for source in sources[(number + turn) % clients :: clients]:
                share -= client.exercise(source, seed * 10_000 + turn, min(examples, share))
                if share <= 0:
                    return
