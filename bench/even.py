"""Does the time of an answer tell whether an e-mail is known? Measured for log-in and password reset, in turn.

Every request names another e-mail, so that no delay after failures and no quota of mails for one address is met.
"""

import http.client
import statistics
import sys
from functools import partial
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load import make, timed
from bench.server import running
from bench.shop import ANONYMOUS_LOGIN, TENANT, ask, post

# The address quotas end a run: 100 mails an hour, 50 failures.
ROUNDS = 24
WRONG = "not the right one"


def measure(base: str, path: str, expected: int, **body: str) -> tuple[float, float]:
    """The medians, in milliseconds, for known and for unknown e-mails, asked in turn."""
    token = ask(base, ANONYMOUS_LOGIN)["access_token"]
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=30)
    timings: dict[str, list[float]] = {"customer": [], "nobody": []}
    numbers = count(1)
    for index in range(ROUNDS):
        names = ("customer", "nobody") if index % 2 else ("nobody", "customer")
        for name in names:
            email = f"{name}{next(numbers)}@example.com"
            call = post(f"/customer/{TENANT}/{path}", token, body | {"email": email}, expected)
            timings[name].append(timed(partial(make, connection, call)))
    connection.close()
    return statistics.median(timings["customer"]) * 1000, statistics.median(timings["nobody"]) * 1000


if __name__ == "__main__":
    for url in ("sqlite://", "postgres://postgres@127.0.0.1:5432/postgres"):
        for path, expected, body in (("password/reset", 204, {}), ("login", 401, {"password": WRONG})):
            with running(url) as base:
                known, unknown = measure(base, path, expected, **body)
            times = f"known {known:.2f} ms, unknown {unknown:.2f} ms, ratio {known / unknown:.3f}"
            print(f"{url.partition(':')[0]:8} {path:14} {times}")
