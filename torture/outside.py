"""Others' systems fail while customers use the shop: the mail server says "later" (SMTP 451), a shop's endpoint hangs,
an identity provider sends a byte now and then.

    python -m torture.outside 60

for so many seconds. The others are not held up, memory stays flat, and everything arrives once they are well again.
"""

import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from urllib.parse import quote

from bench.server import execute, manage
from bench.shop import TENANT
from tests import openid_issuer, smtp_server
from tests.openid_issuer import CLIENT_ID, DISCOVERY, Conversation, Issuer
from torture import installation as installations
from torture.installation import Installation
from torture.shoppers import Crowd
from torture.storefront import SUCCESS, Storefront
from torture.verdict import Mails, report

SHOPPERS = 4
# Seconds between two customers, where it takes longer than A_WHILE: a tenant has a quota of mails an hour.
PAUSE, A_WHILE = 1.0, 600.0
QUIET = 20.0  # seconds before, to compare with
WARM_UP = 10.0
LATER = "451 4.7.1 Try again later"
TAKES, HANGS = "/takes", "/hangs"
UNAVAILABLE = 503
SLOWEST_REFUSAL = 15.0  # seconds for a log-in at a provider that drips: its document and its keys, five seconds each
SLOWEST_EVENT = 10.0  # for the endpoint that takes them, on a busy machine
LATER_EVENTS = 1.0  # seconds, in the median, that another endpoint's silence may cost
MOST_MEMORY, MOST_TIME = 1.5, 3.0  # times as much as before
# Attempts follow each other at up to twice the time that it has been away; beyond, docs/operations.md has a statement.
BY_ITSELF = 60.0
EVENTS_SECONDS = 120.0  # without any that arrives
ATTEMPT = 20.0  # seconds after which what was being sent when all was well again has failed
DUE_NOW = (
    "UPDATE tenants_message SET next_attempt_at = now() "
    "WHERE sent_at IS NULL AND failed_at IS NULL AND dropped_at IS NULL"
)


def set_up(url: str) -> None:
    """A provider and two endpoints at this address; inside the installation."""
    from auth_providers.models import AuthProvider, WebhookEndpoint  # noqa: PLC0415 - there, Django is set up
    from auth_providers.outbound.webhook_signature import new_secret  # noqa: PLC0415
    from tenants.models import Tenant  # noqa: PLC0415
    from tenants.secrets.encryption import encrypt  # noqa: PLC0415

    tenant = Tenant.objects.get(code=TENANT)
    AuthProvider.objects.create(
        tenant=tenant,
        name="corporate",
        kind="jwt",
        issuer=url,
        client_id=CLIENT_ID,
        authorized_parties=[CLIENT_ID],
        is_provisioning=True,
    )
    for path in (TAKES, HANGS):
        WebhookEndpoint.objects.create(
            tenant=tenant,
            name=path.strip("/"),
            url=url + path,
            event_types="customer.created customer.updated",
            secret_encrypted=encrypt(new_secret()),
        )


@dataclass
class Outside:
    """The systems of others, well or not."""

    issuer: Issuer
    smtp: smtp_server.SmtpServer
    well: threading.Event = field(default_factory=threading.Event)
    # By event, when it happened and when it arrived, in seconds since 1970.
    taken: dict[str, dict[str, tuple[float, float]]] = field(default_factory=lambda: {TAKES: {}, HANGS: {}})
    repeated: int = 0
    failing_since: float = 0.0  # seconds since 1970

    def __post_init__(self) -> None:
        self.well.set()
        self._document = self.issuer.answers[DISCOVERY]
        self.issuer.answers |= {TAKES: self._take, HANGS: self._hang, DISCOVERY: self._drip}

    def fail(self) -> None:
        """From now on."""
        self.failing_since = time.time()
        self.well.clear()
        self.smtp.recipient_answer = LATER

    def recover(self) -> None:
        """And answer who waits."""
        self.smtp.recipient_answer = smtp_server.OK
        self.well.set()

    def _take(self, asked: Conversation) -> None:
        event = json.loads(asked.body)
        taken = self.taken[asked.path]
        self.repeated += event["id"] in taken
        taken.setdefault(event["id"], (datetime.fromisoformat(event["time"]).timestamp(), time.time()))
        asked.answer(200, {})

    def _hang(self, asked: Conversation) -> None:
        if self.well.is_set():
            self._take(asked)
        else:
            self.well.wait()

    def _drip(self, asked: Conversation) -> None:
        if self.well.is_set():
            asked.answer(*self._document)
            return
        with suppress(OSError):
            asked.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while not self.well.wait(0.2):
                asked.wfile.write(b"x")


class Callers:
    """Threads that log customers in again and again, one with a password and so many at the provider, and note how that
    went."""

    def __init__(self, shop: Storefront, issuer: Issuer, *, federated: int) -> None:
        self._shop, self._issuer, self._stopped = shop, issuer, threading.Event()
        self.log_ins: list[tuple[float, int]] = []  # seconds, status
        self.federated: list[tuple[float, int]] = []
        acts = [(self.log_ins, self._log_in), *[(self.federated, self.exchange)] * federated]
        self._threads = [threading.Thread(target=self._run, args=each, daemon=True) for each in acts]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(SLOWEST_REFUSAL * 2)

    def _run(self, notes: list[tuple[float, int]], act: Callable[[int], int]) -> None:
        number = 0
        while not self._stopped.wait(0.1):
            started, number = time.monotonic(), number + 1
            status = act(number)
            notes.append((time.monotonic() - started, status))

    def _log_in(self, number: int) -> int:
        return self._shop.log_in_status(number % 100)

    def exchange(self, number: int) -> int:
        """The status of a log-in at the provider."""
        token = self._issuer.token(sub=f"subject{number}")
        path = f"/customer/{TENANT}/exchangeauthtoken?subjectAccessToken={quote(token)}"
        return self._shop.status(path, self._shop.visit(), {}, address=f"198.51.100.{number % 250}")


def figures(notes: list[tuple[float, int]]) -> str:
    """How many there were, how long they took and what came of them."""
    seconds = sorted(each for each, _ in notes)
    statuses = ", ".join(
        f"{number} times {status}" for status, number in sorted(Counter(each for _, each in notes).items())
    )
    late = seconds[int(len(seconds) * 0.95)]
    return f"{statuses}; median {median(seconds):.2f} s, 95 % {late:.2f} s, longest {seconds[-1]:.2f} s"


def torture(running: Installation, outside: Outside, shop: Storefront, seconds: float) -> list[str]:
    """What is wrong while they fail, compared with before."""
    wrong = []
    time.sleep(WARM_UP)
    with Callers(shop, outside.issuer, federated=0) as quiet:
        time.sleep(QUIET)
    before = running.memory()
    outside.fail()
    with Callers(shop, outside.issuer, federated=4) as failing:
        time.sleep(seconds)
    after = running.memory()
    outside.recover()
    print(f"log-ins with a password before: {figures(quiet.log_ins)}")
    print(f"log-ins with a password meanwhile: {figures(failing.log_ins)}")
    print(f"log-ins at the provider meanwhile: {figures(failing.federated)}")
    print(f"memory: {before:.0f} MB before, {after:.0f} MB after", flush=True)
    if {status for _, status in failing.log_ins} != {SUCCESS}:
        wrong.append("a log-in with a password failed")
    if median(s for s, _ in failing.log_ins) > MOST_TIME * median(s for s, _ in quiet.log_ins) + 0.1:
        wrong.append("log-ins with a password were held up")
    if {status for _, status in failing.federated} != {UNAVAILABLE}:
        wrong.append("a log-in at the provider was not answered with 503")
    if max(s for s, _ in failing.federated) > SLOWEST_REFUSAL:
        wrong.append("a log-in at the provider was refused too late")
    if after > MOST_MEMORY * before:
        wrong.append(f"memory grew from {before:.0f} to {after:.0f} MB")
    return wrong


def events_arrive(running: Installation, outside: Outside) -> list[str]:
    """What is wrong with the events: each reaches both endpoints, and the one that takes them soon."""
    query = "SELECT count(*) FROM tenants_message WHERE channel = 'webhook' AND sent_at IS NULL"
    started = moved = time.monotonic()
    left = int(str(execute(running.database_url, query)[0][0]))
    while left and time.monotonic() - moved < EVENTS_SECONDS:
        time.sleep(1)
        earlier, left = left, int(str(execute(running.database_url, query)[0][0]))
        moved = time.monotonic() if left < earlier else moved
    waited = time.monotonic() - started
    taken, since = list(outside.taken[TAKES].values()), outside.failing_since
    before = sorted(arrived - happened for happened, arrived in taken if happened < since)
    delays = sorted(arrived - happened for happened, arrived in taken if happened >= since)
    print(
        f"events: {len(delays)} at the endpoint that takes them, after {median(delays):.1f} s in the median and "
        f"{delays[-1]:.1f} s at most, {median(before):.1f} s and {before[-1]:.1f} s before; "
        f"{len(outside.taken[HANGS])} at the one that hung, {waited:.0f} s after it was well; "
        f"{outside.repeated} came again"
    )
    wrong = [] if delays[-1] < SLOWEST_EVENT else [f"an event waited {delays[-1]:.0f} s for another endpoint"]
    if median(delays) > median(before) + LATER_EVENTS:
        wrong.append("events waited for another endpoint")
    missing = outside.taken[TAKES].keys() ^ outside.taken[HANGS].keys()
    return wrong + ([f"{len(missing)} events reached one endpoint only, {left} wait"] if missing else [])


@contextmanager
def outside_world() -> Iterator[Outside]:
    """On loopback, until the block ends."""
    with openid_issuer.running() as issuer, smtp_server.running() as smtp:
        yield Outside(issuer, smtp)


def main() -> None:
    """From the command line."""
    seconds = float(sys.argv[1])
    with (
        tempfile.TemporaryDirectory(prefix="patron-torture-") as name,
        outside_world() as outside,
        installations.cluster(Path(name)) as cluster,
        installations.installation(
            Path(name), cluster.url, outside.smtp.port, ALLOWED_PROVIDER_HOSTS="localhost"
        ) as running,
    ):
        command = f"from torture.outside import set_up; set_up({outside.issuer.url!r})"
        manage(running.environment, "shell", "--verbosity", "0", "--command", command)
        crowd = Crowd(running.port, SHOPPERS, pause=PAUSE if seconds > A_WHILE else 0.0)
        shop = Storefront(running.base, outside.smtp)
        wrong = torture(running, outside, shop, seconds)
        time.sleep(ATTEMPT)
        if seconds > BY_ITSELF:
            execute(running.database_url, DUE_NOW)
        status = Callers(shop, outside.issuer, federated=0).exchange(0)
        wrong += [] if status == SUCCESS else [f"the provider is well, and a log-in there gets {status}"]
        notes = crowd.stop()
        wrong += events_arrive(running, outside)
        wrong += report(notes, cluster.url, Mails(outside.smtp), Counter())
    for line in wrong[:20]:
        print("WRONG:", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
