"""Many clients at once over kept-alive connections, bounded in count."""

import http.client
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to make."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    expected: int = 200


@dataclass(frozen=True, kw_only=True)
class Result:
    """The result for a path: requests a second, and milliseconds."""

    per_second: float
    median: float
    slowest_percent: float


def drive(base: str, calls: Iterable[Call], *, threads: int) -> Result:
    """Make the calls, shared out among the threads. Raises `RuntimeError` for an unexpected status."""
    shares: list[list[Call]] = [[] for _ in range(threads)]
    for index, call in enumerate(calls):
        shares[index % threads].append(call)
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        timings = [each for share in pool.map(lambda share: _drive_one(base, share), shares) for each in share]
    elapsed = time.perf_counter() - started
    timings.sort()
    return Result(
        per_second=len(timings) / elapsed,
        median=statistics.median(timings) * 1000,
        slowest_percent=timings[int(len(timings) * 0.99)] * 1000,
    )


def _drive_one(base: str, calls: list[Call]) -> list[float]:
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=30)
    try:
        return [timed(lambda call=call: make(connection, call)) for call in calls]  # type: ignore[misc]
    finally:
        connection.close()


def timed(act: Callable[[], None]) -> float:
    """How many seconds it took."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def make(connection: http.client.HTTPConnection, call: Call) -> None:
    """Make the call. Raises `RuntimeError` for an unexpected status."""
    connection.request(call.method, call.path, body=call.body, headers=call.headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != call.expected:
        raise RuntimeError(f"{call.method} {call.path}: {answer.status} {body[:200]!r}")
