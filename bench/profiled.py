"""One thread that calls the application in a loop, for `bench/profiles.py`.

`python -m bench.profiled PATH BASE SECONDS`: at BASE runs a server of the same database, where the callers' tokens
come from.
"""

import os
import sys
import time
from contextlib import suppress

from django.test import RequestFactory

from bench.load import Call
from bench.server import Patron
from bench.shop import Path, Shop, paths
from config.server.rsgi import _call, start_worker


def loop(name: str, base: str, seconds: str) -> None:
    """Call the path again and again."""
    start_worker()
    environment = dict(os.environ)
    shop = Shop(Patron(base=base, processes=[], database_url=environment["DATABASE_URL"], environment=environment))
    path = next(each for each in paths(shop) if each.name == name)
    ends = time.monotonic() + float(seconds)
    while time.monotonic() < ends:
        _round(path)


def _round(path: Path) -> None:
    client = path.client(path.calls)
    call = next(client)
    with suppress(StopIteration):
        while True:
            call = client.send(_answer(call))


def _answer(call: Call) -> bytes:
    """The body of the application's answer."""
    request = RequestFactory().generic(
        call.method,
        call.path,
        call.body or "",
        content_type="application/json",
        headers=call.headers,
        HTTP_HOST="127.0.0.1",
    )
    response = _call(request.environ)
    if response.status != call.expected:
        raise RuntimeError(f"{call.method} {call.path}: {response.status} {response.body[:200]!r}")
    return response.body


if __name__ == "__main__":
    loop(*sys.argv[1:])
