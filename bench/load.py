"""Clients that call a server over kept-alive connections, bounded in count, and what the calls cost it."""

import http.client
import os
import statistics
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request to make."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    expected: int = 200


# Yields a client's calls, one by one, and is sent the body of each answer. What it does before the first one is
# preparation and not measured.
Client: TypeAlias = Generator[Call, bytes, None]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a number of calls took: CPU of the server and of its database in microseconds a call, and milliseconds that
    a client waited."""

    cpu: float
    database_cpu: float
    median: float
    slowest_percent: float
    per_second: float


Processes: TypeAlias = Callable[[], Sequence[int]]


def drive(base: str, clients: Sequence[Client], *, server: Processes, database: Processes) -> Result:
    """Let the clients make their calls at the same time, and say what they cost the processes of server and database,
    which may begin and end meanwhile. Raises `RuntimeError` for an unexpected status."""
    firsts = [next(client) for client in clients]
    before = cpu_of(server()), cpu_of(database())
    started = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        waits = pool.map(lambda client, first: _drive_one(base, client, first), clients, firsts)
        timings = sorted(chain.from_iterable(waits))
    elapsed = time.perf_counter() - started
    after = cpu_of(server()), cpu_of(database())
    spent = [_more(start, end) / len(timings) * 1e6 for start, end in zip(before, after, strict=True)]
    return Result(
        cpu=spent[0],
        database_cpu=spent[1],
        median=statistics.median(timings) * 1000,
        slowest_percent=timings[int(len(timings) * 0.99)] * 1000,
        per_second=len(timings) / elapsed,
    )


def _drive_one(base: str, client: Client, call: Call) -> list[float]:
    connection = http.client.HTTPConnection(urlsplit(base).netloc, timeout=60)
    timings = []
    try:
        while True:
            started = time.perf_counter()
            answer = make(connection, call)
            timings.append(time.perf_counter() - started)
            call = client.send(answer)
    except StopIteration:
        return timings
    finally:
        connection.close()


def timed(act: Callable[[], object]) -> float:
    """How many seconds it took."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def make(connection: http.client.HTTPConnection, call: Call) -> bytes:
    """Make the call; the body of the answer. Raises `RuntimeError` for an unexpected status."""
    connection.request(call.method, call.path, body=call.body, headers=call.headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != call.expected:
        raise RuntimeError(f"{call.method} {call.path}: {answer.status} {body[:200]!r}")
    return body


def cpu_of(processes: Sequence[int]) -> dict[int, float]:
    """Seconds of CPU that each of the processes has used: utime and stime of /proc/<pid>/stat, but in nanoseconds (the
    clock of another process, clock_getcpuclockid(3))."""
    found = {}
    for process in processes:
        with suppress(OSError):  # it has ended
            found[process] = time.clock_gettime_ns((~process << 3) | 2) / 1e9
    return found


def _more(before: dict[int, float], after: dict[int, float]) -> float:
    return sum(seconds - before.get(process, 0) for process, seconds in after.items())


def with_children(process: int) -> list[int]:
    """The process and all that it started."""
    parents = {int(path.name): _parent(path) for path in Path("/proc").iterdir() if path.name.isdecimal()}
    found = [process]
    for each in found:
        found += [child for child, parent in parents.items() if parent == each]
    return found


def _parent(path: Path) -> int:
    try:
        return int((path / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended
        return 0


def resident_mib(processes: Sequence[int]) -> float:
    """Resident memory of the processes together, from /proc/<pid>/statm."""
    pages = sum(int(Path(f"/proc/{each}/statm").read_text().split()[1]) for each in processes)
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
