"""The same paths under other servers and other Pythons, in turn, with one worker on one core. See README.md."""

import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path as File

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(File(__file__).resolve().parent.parent))

from auth_providers.management import allocator
from bench.load import Result, drive, resident_mib
from bench.server import OTHER_CORES, ROOT, SERVER_CORES, Patron, Server, free_port, running, started
from bench.shop import Shop, paths

DATABASE_URL = os.environ.get("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
PYTHONS = os.environ.get("BENCH_PYTHONS", "").split()
PATHS = ("GET /me", "refresh", "log-in")
CLIENTS = 4
THREADS = 16  # as `config.server.rsgi` has them
REQUIREMENTS = ROOT / "bench" / "servers.txt"
OURS = "granian, RSGI (ours)"
Command = Callable[[str, int], list[str]]


def _granian(python: str, port: int) -> list[str]:
    application = ["config.server.rsgi:app", "--interface", "rsgi", "--http", "1", "--no-ws"]
    return [python, "-m", "granian", *application, "--port", str(port), "--log-level", "warning"]


def _granian_wsgi(python: str, port: int) -> list[str]:
    application = ["bench.plain_wsgi:application", "--interface", "wsgi", "--http", "1", "--no-ws"]
    threads = ["--blocking-threads", str(THREADS), "--log-level", "warning"]
    return [python, "-m", "granian", *application, "--port", str(port), *threads]


def _gunicorn(python: str, port: int) -> list[str]:
    threads = ["--worker-class", "gthread", "--threads", str(THREADS), "--keep-alive", "60", "--log-level", "warning"]
    return [python, "-m", "gunicorn", "bench.plain_wsgi:application", "--bind", f"127.0.0.1:{port}", *threads]


def _uvicorn(python: str, port: int) -> list[str]:
    quiet = ["--log-level", "warning", "--no-access-log"]
    return [python, "-m", "uvicorn", "--factory", "bench.plain_wsgi:asgi", "--port", str(port), *quiet]


SERVERS: dict[str, Command] = {
    OURS: _granian,
    "granian, WSGI": _granian_wsgi,
    "gunicorn, gthread": _gunicorn,
    "uvicorn, a2wsgi": _uvicorn,
}


def environment_for(python: str) -> str:
    """The interpreter of a virtual environment with Patron and the servers, made where it is missing."""
    named = subprocess.run([python, "-VV"], capture_output=True, text=True, check=True).stdout.split()[1]
    folder = ROOT / "var" / "servers" / named
    stamp, wanted = folder / "installed.txt", (ROOT / "constraints.txt").read_text() + REQUIREMENTS.read_text()
    found = str(folder / "bin" / "python")
    if not stamp.exists() or stamp.read_text() != wanted:
        subprocess.run([python, "-m", "venv", str(folder)], check=True)
        pip = [found, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        pinned = ["--constraint", "constraints.txt", "--requirement", str(REQUIREMENTS), "--editable", "."]
        subprocess.run([*pip, *pinned], cwd=ROOT, check=True)
        stamp.write_text(wanted)
    return found


def serve(stack: ExitStack, patron: Patron) -> tuple[dict[str, Server], dict[str, float]]:
    """Every server under this Python, then ours under each of the others; and the seconds until each answered."""
    here = environment_for(sys.executable)
    wanted = {name: (here, command) for name, command in SERVERS.items()}
    for python in PYTHONS:
        other = environment_for(python)
        wanted[f"{OURS}, Python {File(other).parent.parent.name}"] = (other, _granian)
    servers, waited = {}, {}
    for name, (python, command) in wanted.items():
        before = time.perf_counter()
        servers[name] = _start(stack, patron, command, python)
        waited[name] = time.perf_counter() - before
    return servers, waited


def _start(stack: ExitStack, patron: Patron, command: Command, python: str) -> Server:
    port = free_port()
    serving = started(
        command(python, port), port=port, path="/healthz", environment=patron.environment, cores=SERVER_CORES
    )
    return stack.enter_context(serving)


def measure(servers: dict[str, Server], patron: Patron) -> dict[tuple[str, str], list[Result]]:
    """Each path of each server, in turn, so that a busy machine slows all of them alike."""
    shop = Shop(patron)
    chosen = [each for each in paths(shop) if each.name in PATHS]
    found: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for round_ in range(ROUNDS + 1):
        for path in chosen:
            for name, server in servers.items():
                clients = [path.client(path.calls) for _ in range(CLIENTS)]
                result = drive(server.base, clients, server=partial(_processes, server), database=list)
                if round_:  # the first one warms up
                    found[name, path.name].append(result)
    return found


def _processes(server: Server) -> Sequence[int]:
    return server.processes


def show(
    servers: dict[str, Server], waited: dict[str, float], found: dict[tuple[str, str], list[Result]], console: Console
) -> None:
    table = Table(title=f"PostgreSQL, {CLIENTS} clients, {ROUNDS} rounds, one worker on one core", title_justify="left")
    table.add_column("server")
    for path in PATHS:
        table.add_column(f"{path}: CPU µs", justify="right")
        table.add_column("a second", justify="right")
        table.add_column("99 % ms", justify="right")
    table.add_column("MiB", justify="right")
    table.add_column("start, s", justify="right")
    for name, server in servers.items():
        cells = [cell for path in PATHS for cell in _cells(found[name, path])]
        table.add_row(name, *cells, f"{resident_mib(server.processes):.0f}", f"{waited[name]:.1f}")
    console.print(table)


def _cells(results: list[Result]) -> tuple[str, str, str]:
    def median(values: list[float]) -> float:
        return statistics.median(values)

    cpu, rate = median([each.cpu for each in results]), median([each.per_second for each in results])
    return f"{cpu:.0f}", f"{rate:.0f}", f"{median([each.slowest_percent for each in results]):.1f}"


def main() -> None:
    with ExitStack() as stack:
        os.sched_setaffinity(0, OTHER_CORES)
        allocator.set_for_children()  # which `serve` does for ours
        patron = stack.enter_context(
            running(DATABASE_URL, workers=1, cores=SERVER_CORES, TRUSTED_PROXIES="127.0.0.0/8", PGAPPNAME="patron")
        )
        servers, waited = serve(stack, patron)
        show(servers, waited, measure(servers, patron), Console(width=170))


if __name__ == "__main__":
    main()
