"""A shop's day in ten minutes: 90 % profile reads, 5 % refreshes, 3 % log-ins, 2 % sign-ups, on two cores.

Prints requests a second, the median and the 99th percentile of each, errors, and the memory of the server's processes
in the course of it. Then profile reads while eight clients do nothing but log in, beside those on an idle server.
`MIXED_SECONDS` is how long it takes, 600 by default.
"""

import http.client
import json
import os
import random
import statistics
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.load import Call, resident_mib
from bench.run import DATABASE_URL
from bench.server import OTHER_CORES, SERVER_CORES, Patron, backends, running
from bench.shop import CUSTOMERS, LOGIN, ME, SIGNUP, TENANT, Shop, credentials, get, post

SECONDS = float(os.environ.get("MIXED_SECONDS", "600"))
CLIENTS, STORM_CLIENTS = 8, 8
WEIGHTS = {"GET /me": 90, "refresh": 5, "log-in": 3, "sign-up": 2}
SAMPLES = 10  # of memory
APPLICATION = "patron"  # as PostgreSQL knows it
UNAVAILABLE = 503  # what a full queue of hashes answers; counted apart from errors
_numbers = count(10**6)


class Shopper:
    """One client with a connection and a customer's tokens of its own."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.tokens = shop.log_in(next(_numbers) % CUSTOMERS)
        self.waits: dict[str, list[float]] = defaultdict(list)
        self.refused = self.errors = 0
        self._connection = http.client.HTTPConnection(urlsplit(shop.patron.base).netloc, timeout=60)

    def run(self, weights: dict[str, int], until: float) -> "Shopper":
        names, shares = list(weights), list(weights.values())
        while time.monotonic() < until:
            self._make(random.choices(names, shares)[0])
        return self

    def _make(self, name: str) -> None:
        call = self._call(name)
        started = time.perf_counter()
        self._connection.request(call.method, call.path, body=call.body, headers=call.headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status == call.expected:
            self.waits[name].append(time.perf_counter() - started)
        self.refused += answer.status == UNAVAILABLE
        self.errors += answer.status not in (call.expected, UNAVAILABLE)
        if name == "refresh" and answer.status == call.expected:
            self.tokens = json.loads(body)

    def _call(self, name: str) -> Call:
        visitor = self.shop.visitor
        if name == "refresh":
            token = self.tokens["refresh_token"]
            return get(f"/customer/{TENANT}/refreshauthtoken?refreshToken={token}", visitor)
        if name == "log-in":
            return post(LOGIN, visitor, credentials(next(_numbers)))
        if name == "sign-up":
            return post(
                SIGNUP, visitor, credentials(next(_numbers)) | {"email": f"new{next(_numbers)}@example.com"}, 201
            )
        return get(ME, self.tokens["access_token"])


def drive(shop: Shop, weights: dict[str, int], clients: int, seconds: float) -> list[Shopper]:
    shoppers = [Shopper(shop) for _ in range(clients)]
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(clients) as pool:
        return list(pool.map(lambda each: each.run(weights, until), shoppers))


def show(title: str, shoppers: list[Shopper], seconds: float) -> None:
    waits: dict[str, list[float]] = defaultdict(list)
    for shopper in shoppers:
        for name, found in shopper.waits.items():
            waits[name] += found
    total = sum(map(len, waits.values()))
    refused, errors = sum(each.refused for each in shoppers), sum(each.errors for each in shoppers)
    print(f"{title}: {total / seconds:.0f} requests/s, {errors} errors, {refused} sent away with Retry-After")
    for name, found in waits.items():
        found.sort()
        median, slowest = statistics.median(found) * 1000, found[int(len(found) * 0.99)] * 1000
        print(f"  {name:10} {len(found):7} requests, median {median:6.1f} ms, 99 % {slowest:6.1f} ms")


def mixed(patron: Patron) -> None:
    shop = Shop(patron)
    for number in range(SAMPLES):
        show(
            f"mixed, part {number + 1} of {SAMPLES}",
            drive(shop, WEIGHTS, CLIENTS, SECONDS / SAMPLES),
            SECONDS / SAMPLES,
        )
        print(f"  memory {resident_mib(patron.processes):.0f} MiB")


def storm(patron: Patron) -> None:
    """Profile reads of one client, alone and beside clients that log in. The server has a core of its own."""
    os.sched_setaffinity(0, OTHER_CORES)
    shop, seconds = Shop(patron), max(5.0, SECONDS / 20)
    drive(shop, {"log-in": 1, "GET /me": 1}, STORM_CLIENTS, 2.0)  # every thread has its connection
    backends(patron.database_url, APPLICATION)
    show("profile reads alone", drive(shop, {"GET /me": 1}, 1, seconds), seconds)
    with ThreadPoolExecutor(2) as pool:
        log_ins = pool.submit(drive, shop, {"log-in": 1}, STORM_CLIENTS, seconds)
        reads = pool.submit(drive, shop, {"GET /me": 1}, 1, seconds)
        show(f"profile reads beside {STORM_CLIENTS} clients that log in", reads.result(), seconds)
        show("these", log_ins.result(), seconds)


if __name__ == "__main__":
    with running(DATABASE_URL, workers=2, TRUSTED_PROXIES="127.0.0.0/8") as patron:
        mixed(patron)
    own = {"TRUSTED_PROXIES": "127.0.0.0/8", "PGAPPNAME": APPLICATION}
    with running(DATABASE_URL, workers=1, cores=SERVER_CORES, **own) as patron:
        storm(patron)
