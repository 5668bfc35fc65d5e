"""Measure the hot paths beside a floor and two peers, and compare with the last result. See README.md."""

import json
import os
import platform
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path as File
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(File(__file__).resolve().parent.parent))

from auth_providers.management import allocator
from bench.load import Client, Result, drive
from bench.peers import servers as peers
from bench.server import OTHER_CORES, SERVER_CORES, Patron, Server, backends, free_port, running, started
from bench.shop import Path, Shop, get, paths, post, repeated

DATABASE_URL = os.environ.get("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "11"))
# Store the result, however it compares: it was measured in another way, or on another machine.
IS_NEW_START = bool(os.environ.get("BENCH_NEW_START"))
CLIENTS = 4
FLOOR_CALLS = 50  # a client's, before and after each measurement
RESULTS = File(__file__).resolve().parent / "results"
FLOOR, HASH, FASTAPI_USERS, SIMPLEJWT = "floor", "floor and a hash", "fastapi-users me", "simplejwt me"
PEERS = ("fastapi-users", "simplejwt")
OTHERS = (FLOOR, *PEERS)  # what the names of paths that are not ours begin with
WORSE = 1.2  # times the last ratio: more fails

Figures: TypeAlias = dict[str, dict[str, float]]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A path of a server."""

    server: Server
    path: Path
    database: Callable[[], list[int]] = list


def serve(stack: ExitStack) -> list[Target]:
    """Everything that is measured, running and warm."""
    patron = stack.enter_context(
        running(DATABASE_URL, workers=1, cores=SERVER_CORES, TRUSTED_PROXIES="127.0.0.0/8", PGAPPNAME="patron")
    )
    unhashed = stack.enter_context(
        running(
            DATABASE_URL,
            workers=1,
            cores=SERVER_CORES,
            database="patron_bench_unhashed",
            TRUSTED_PROXIES="127.0.0.0/8",
            DJANGO_SETTINGS_MODULE="bench.unhashed",
        )
    )
    floor = stack.enter_context(_floor(patron))
    others = stack.enter_context(peers.running(DATABASE_URL))
    targets = [
        *(Target(server=floor, path=each) for each in _floor_paths()),
        *(Target(server=server, path=path) for server, path in _peer_paths(others)),
        *(Target(server=patron, path=each) for each in paths(Shop(patron)) if not each.hashes),
        *(Target(server=unhashed, path=each) for each in paths(Shop(unhashed)) if each.hashes),
    ]
    for each in targets:
        _drive(each, calls=5)
    return [_with_database(each, patron, others) for each in targets]


def _floor(patron: Patron) -> Any:
    port = free_port()
    environment = patron.environment | {
        "DJANGO_SETTINGS_MODULE": "bench.floor",
        "PGAPPNAME": "floor",
    }
    command = [sys.executable, "-m", "granian", "config.server.rsgi:app", "--interface", "rsgi", "--http", "1"]
    arguments = ["--no-ws", "--port", str(port), "--workers", "1", "--log-level", "warning"]
    return started([*command, *arguments], port=port, path="/read", environment=environment, cores=SERVER_CORES)


def _floor_paths() -> list[Path]:
    return [
        Path(name=FLOOR, client=lambda number: repeated(get("/read"), number), calls=150),
        Path(name=HASH, client=lambda number: repeated(get("/hash"), number), calls=20),
    ]


def _peer_paths(others: peers.Peers) -> list[tuple[Server, Path]]:
    access, refresh = others.simplejwt_tokens["access"], others.simplejwt_tokens["refresh"]
    fastapi, simplejwt = others.fastapi_users, others.simplejwt

    def posts(path: str, body: dict[str, str], number: int) -> Client:
        return repeated(post(path, "", body), number)

    return [
        (
            fastapi,
            Path(
                name=FASTAPI_USERS,
                client=lambda number: repeated(get("/users/me", others.fastapi_users_token), number),
                calls=80,
            ),
        ),
        (simplejwt, Path(name=SIMPLEJWT, client=lambda number: repeated(get("/me", access), number), calls=80)),
        (
            simplejwt,
            Path(
                name="simplejwt verify (no revocation)",
                client=lambda number: posts("/token/verify", {"token": access}, number),
                calls=60,
            ),
        ),
        (
            simplejwt,
            Path(
                name="simplejwt refresh (no rotation)",
                client=lambda number: posts("/token/refresh", {"refresh": refresh}, number),
                calls=60,
            ),
        ),
    ]


def _with_database(target: Target, patron: Patron, others: peers.Peers) -> Target:
    database = {
        "GET /me": (patron.database_url, "patron"),
        FLOOR: (patron.database_url, "floor"),
        FASTAPI_USERS: (others.database_url, "fastapi_users"),
        SIMPLEJWT: (others.database_url, "simplejwt"),
    }.get(target.path.name)
    if database is None:
        return target
    return replace(target, database=partial(backends, *database))


def _drive(target: Target, *, calls: int) -> Result:
    clients = [target.path.client(calls) for _ in range(CLIENTS)]
    return drive(target.server.base, clients, server=lambda: target.server.processes, database=target.database)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A path in one round, and the floor's CPU just before and after it: how fast a core is changes within seconds."""

    result: Result
    floor: float

    @property
    def ratio(self) -> float:
        return self.result.cpu / self.floor


Samples: TypeAlias = dict[str, list[Sample]]


def measure(targets: list[Target], floor: Target) -> Samples:
    """Each path, once a round. They take turns, so that a busy machine slows all of them alike."""
    found: Samples = defaultdict(list)
    for _ in range(ROUNDS):
        before = _drive(floor, calls=FLOOR_CALLS).cpu
        for target in targets:
            result = _drive(target, calls=target.path.calls)
            after = _drive(floor, calls=FLOOR_CALLS).cpu
            found[target.path.name].append(Sample(result=result, floor=(before + after) / 2))
            before = after
    return found


def figures_of(samples: Samples) -> Figures:
    """Of each path the medians: CPU in microseconds a call, what a client waited in milliseconds."""
    return {name: _medians(found) for name, found in samples.items()}


def _medians(found: list[Sample]) -> dict[str, float]:
    results = [each.result for each in found]
    return {
        "cpu": round(statistics.median(each.cpu for each in results), 1),
        "ratio": round(statistics.median(each.ratio for each in found), 3),
        "database_cpu": round(statistics.median(each.database_cpu for each in results), 1),
        "median_ms": round(statistics.median(each.median for each in results), 2),
        "p99_ms": round(statistics.median(each.slowest_percent for each in results), 2),
    }


def worse(figures: Figures, last: dict[str, Any]) -> list[str]:
    """The paths of ours that got slower by a fifth, by their ratio to the floor, since the last result: more than the
    peers did, whose code is the same. Where others use the machine's caches, all that is larger than the floor gets
    slower than that."""
    before = last.get("paths", {})
    changes = {name: each["ratio"] / before[name]["ratio"] for name, each in figures.items() if name in before}
    peers = [change for name, change in changes.items() if name.startswith(PEERS)]
    allowed = WORSE * max(1, statistics.median(peers or [1]))
    return [name for name, change in changes.items() if not name.startswith(OTHERS) and change > allowed]


def show(figures: Figures, console: Console) -> None:
    table = Table(title=f"PostgreSQL, {CLIENTS} clients, {ROUNDS} rounds, CPU in µs a request", title_justify="left")
    for column in ("path", "server", "of the floor", "of fastapi-users me", "database", "median ms", "99 % ms"):
        table.add_column(column, justify="left" if column == "path" else "right")
    peer = figures[FASTAPI_USERS]["cpu"]
    for name, each in figures.items():
        database = f"{each['database_cpu']:.0f}" if each["database_cpu"] else ""
        times = (f"{each['median_ms']:.1f}", f"{each['p99_ms']:.1f}")
        ratios = (f"{each['ratio']:.2f}", f"{each['cpu'] / peer:.2f}")
        table.add_row(name, f"{each['cpu']:.0f}", *ratios, database, *times)
    console.print(table)


def last_result() -> dict[str, Any]:
    """The newest one in `results/`, {} before there is any."""
    files = sorted(RESULTS.glob("*.json"))
    found: dict[str, Any] = json.loads(files[-1].read_text()) if files else {}
    return found


def store(figures: Figures) -> None:
    now = datetime.now(UTC)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    result = {
        "at": now.isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "rounds": ROUNDS,
        "paths": figures,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{now:%Y-%m-%d-%H%M}.json").write_text(json.dumps(result, indent=1) + "\n")


def _processor() -> str:
    lines = File("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def compare(targets: list[Target], last: dict[str, Any]) -> tuple[Figures, list[str]]:
    """The figures, and the paths that got slower since the last result. Those that seem slower are measured for as many
    rounds once more, and judged by all of these: the median of one run is off by a fifth now and then."""
    floor = next(each for each in targets if each.path.name == FLOOR)
    samples = measure(targets, floor)
    doubted = worse(figures_of(samples), last)
    if doubted:
        again = measure([each for each in targets if each.path.name in doubted], floor)
        samples = {name: found + again.get(name, []) for name, found in samples.items()}
    figures = figures_of(samples)
    return figures, worse(figures, last)


def main() -> int:
    last = last_result()
    with ExitStack() as stack:
        os.sched_setaffinity(0, OTHER_CORES)
        allocator.set_for_children()  # which `serve` does for ours
        figures, slower = compare(serve(stack), last)
    show(figures, Console(width=140))
    for name in slower:
        before = last["paths"][name]["ratio"]
        print(f"Slower by a fifth or more: {name}, {figures[name]['ratio']:.2f} times the floor, {before:.2f} before")
    if not slower or IS_NEW_START:
        store(figures)
    return 1 if slower and not IS_NEW_START else 0


if __name__ == "__main__":
    sys.exit(main())
