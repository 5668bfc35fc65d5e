"""Does the time of an answer tell whether an e-mail is known? Asked for log-in, password reset, a log-in code, another
opt-in mail, and sign-up where a tenant keeps it secret who is a customer: known and unknown in turn.

Every request names another e-mail, and comes from an address of its own, so that no delay and no quota is met, and no
count of an earlier question is there.
"""

import http.client
import statistics
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load import make, timed
from bench.server import manage, running
from bench.shop import ANONYMOUS_LOGIN, LOGIN, SIGNUP, TENANT, ask, email, post

TRIES = 300  # of each kind
DATABASES = ("sqlite://", "postgres://postgres@127.0.0.1:5432/postgres")
WITHIN = 0.1
PREPARE = f"from bench.seed import keep_customers_secret; keep_customers_secret({TRIES})"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A request that names an e-mail: which are known, from which number on, and where it stands in the body."""

    name: str
    path: str
    expected: int
    known: str = "customer"
    first: int = 0
    named: str = "email"
    body: dict[str, str] = field(default_factory=dict)


QUESTIONS = (
    Question(name="log-in", path=LOGIN, expected=401, body={"password": "not the right one"}),
    Question(name="password reset", path=f"/customer/{TENANT}/password/reset", expected=204, first=TRIES),
    Question(
        name="log-in code",
        path=f"/api/{TENANT}/customer/authenticate?provider=otp",
        expected=202,
        first=2 * TRIES,
        named="to",
        body={"channel": "email"},
    ),
    Question(
        name="another opt-in mail",
        path=f"/customer/{TENANT}/signup/optin/refresh_token",
        expected=202,
        known="waiting",
    ),
    Question(name="sign-up", path=SIGNUP, expected=201, body={"password": "a good long password"}),
)


def measure(base: str, question: Question) -> tuple[float, float]:
    """The medians, in milliseconds, for known and for unknown e-mails, asked in turn."""
    token = ask(base, ANONYMOUS_LOGIN)["access_token"]
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=30)
    timings: dict[bool, list[float]] = {True: [], False: []}
    for index in range(TRIES):
        for is_known in (index % 2 == 0, index % 2 == 1):
            known = (
                email(question.first + index)
                if question.known == "customer"
                else f"{question.known}{index}@example.com"
            )
            asked = known if is_known else f"nobody.{question.path[-5:].strip('=?/')}{index}@example.com"
            call = post(question.path, token, question.body | {question.named: asked}, question.expected)
            timings[is_known].append(timed(partial(make, connection, call)))
    connection.close()
    return statistics.median(timings[True]) * 1000, statistics.median(timings[False]) * 1000


def main() -> int:
    uneven = 0
    for url in DATABASES:
        with running(url, workers=1, TRUSTED_PROXIES="127.0.0.1") as patron:
            manage(patron.environment, "shell", "--verbosity", "0", "--command", PREPARE)
            for question in QUESTIONS:
                known, unknown = measure(patron.base, question)
                times = f"known {known:.2f} ms, unknown {unknown:.2f} ms, ratio {known / unknown:.3f}"
                uneven += abs(known / unknown - 1) > WITHIN
                print(f"{url.partition(':')[0]:8} {question.name:20} {times}", flush=True)
    return uneven


if __name__ == "__main__":
    sys.exit(main())
