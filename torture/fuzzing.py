"""Generated requests over HTTP to an installation: every operation gets values of every type, size and encoding, what
its OpenAPI document allows and what not.

    python -m torture.fuzzing 100000 1

for so many requests; the second figure says which ones. No answer is a fault of the server's, none takes long, and
memory stays flat.
"""

import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests import oidc_provider, smtp_server
from torture import installation as installations
from torture.installation import ROOT, Installation

CLIENTS = 4
SLOWEST = 2.0  # seconds
MOST_MEMORY = 1.15  # times as much as after WARM_UP requests, or half of all
WARM_UP = 5_000  # requests, which fill the caches
EVERY = WARM_UP  # after which memory is looked at
SHOWN = 10  # faults, and 3 of the slowest
SERVER_FAULT, NO_ANSWER = 500, 0


@dataclass
class Figures:
    """What the clients told, and how much memory the server had, in MB, after so many requests."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    slowest: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    memory: dict[int, float] = field(default_factory=dict)
    failed_clients: int = 0

    def add(self, answer: dict[str, Any]) -> None:
        self.seconds.append(answer["seconds"])
        self.statuses[answer["status"]] += 1
        self.slowest = sorted([*self.slowest, answer], key=lambda each: -float(each["seconds"]))[:SHOWN]
        if answer["status"] == NO_ANSWER or answer["status"] >= SERVER_FAULT:
            self.faults.append(answer)
            print("fault:", brief(answer), flush=True)


def started_client(running: Installation, issuer: str, **options: int) -> "subprocess.Popen[str]":
    """A process of the installation's that tells of each answer in a line of JSON."""
    arguments = ", ".join([repr(running.base), repr(issuer), *(f"{name}={value}" for name, value in options.items())])
    command = f"from torture.fuzzers import run; run({arguments})"
    words = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--command", command]
    return subprocess.Popen(words, cwd=ROOT, env=running.environment, stdout=subprocess.PIPE, text=True)


def listen(process: "subprocess.Popen[str]", answers: "queue.Queue[dict[str, Any]]") -> None:
    """Until it ends."""
    for line in process.stdout or ():
        answers.put(json.loads(line))


def told(processes: "list[subprocess.Popen[str]]") -> Iterator[dict[str, Any]]:
    """What they tell, until all have ended."""
    answers: queue.Queue[dict[str, Any]] = queue.Queue()
    threads = [threading.Thread(target=listen, args=[each, answers], daemon=True) for each in processes]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads) or not answers.empty():
        try:
            yield answers.get(timeout=1)
        except queue.Empty:
            continue


def fuzz(running: Installation, issuer: str, requests: int, seed: int) -> Figures:
    """Send so many requests."""
    figures, warm = Figures(), min(WARM_UP, requests // 2)
    options = {"clients": CLIENTS, "share": -(-requests // CLIENTS), "seed": seed}
    processes = [started_client(running, issuer, number=number, **options) for number in range(CLIENTS)]
    for answer in told(processes):
        figures.add(answer)
        number = len(figures.seconds)
        if number == warm or number % EVERY == 0:
            figures.memory[number] = running.memory()
            print(f"{number} of {requests}: {figures.memory[number]:.0f} MB", flush=True)
    figures.failed_clients = sum(each.wait() != 0 for each in processes)
    figures.memory[len(figures.seconds)] = running.memory()
    return figures


def brief(answer: dict[str, Any]) -> str:
    """Enough to send it again."""
    return "{status} after {seconds:.2f} s, {operation}, seed {seed}: {request}".format(**answer)


def report(figures: Figures, log: Path) -> list[str]:
    """Print the figures; what is wrong."""
    seconds, memory = sorted(figures.seconds), list(figures.memory.values())
    classes = Counter(f"{status // 100}xx" if status else "none" for status in figures.statuses.elements())
    print(f"{len(seconds)} requests:", ", ".join(f"{number} {kind}" for kind, number in sorted(classes.items())))
    print(", ".join(f"{number} {status}" for status, number in sorted(figures.statuses.items())))
    print(f"median {median(seconds) * 1000:.0f} ms, 99 % {seconds[int(len(seconds) * 0.99)] * 1000:.0f} ms")
    for each in figures.slowest[:3]:
        print("slowest:", brief(each)[:400])
    print(f"memory: {memory[0]:.0f} MB after the first requests, {memory[-1]:.0f} MB after the last")
    lines = log.read_text().splitlines()
    tracebacks = sum(line.startswith("Traceback") for line in lines)
    print(f"the server logged {len(lines)} lines, {tracebacks} tracebacks", flush=True)
    wrong = [brief(each) for each in figures.faults[:SHOWN]]
    wrong += [brief(each) for each in figures.slowest if each["seconds"] > SLOWEST]
    wrong += (
        [f"memory grew from {memory[0]:.0f} to {memory[-1]:.0f} MB"] if memory[-1] > MOST_MEMORY * memory[0] else []
    )
    wrong += [f"{tracebacks} tracebacks", *lines[-30:]] if tracebacks else []
    return wrong + ([f"{figures.failed_clients} clients failed"] if figures.failed_clients else [])


def main() -> None:
    """From the command line."""
    requests, seed = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with (
        tempfile.TemporaryDirectory(prefix="patron-torture-") as name,
        smtp_server.running() as smtp,
        oidc_provider.running() as provider,
        installations.cluster(Path(name)) as cluster,
        installations.installation(Path(name), cluster.url, smtp.port, ALLOWED_PROVIDER_HOSTS="localhost") as running,
    ):
        provider.sign_up("grace", email="hopper@example.com", email_verified=True, given_name="Grace")
        started = time.monotonic()
        wrong = report(fuzz(running, provider.issuer, requests, seed), running.log)
        print(f"in {time.monotonic() - started:.0f} s")
    for line in wrong[:50]:
        print("WRONG:", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
