"""kill -9 of a random one of server, web worker and background worker, again and again, while customers use the shop.

python -m torture.kills postgresql 200
python -m torture.kills sqlite 50
"""

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests import smtp_server
from torture import installation as installations
from torture.installation import KINDS, Installation
from torture.shoppers import Crowd
from torture.verdict import Mails, report

SHOPPERS = 4
BETWEEN = (0.3, 2.5)  # seconds
PATIENCE = 30.0  # seconds, until a process of the kind is there again
SLOWEST_RETURN = 30.0  # seconds, on a busy machine: each process takes some seconds to start


def kill_one(running: Installation) -> str:
    """Kill a process of a random kind, as soon as there is one; which kind, "" where none came."""
    kind = random.choice(KINDS)
    end = time.monotonic() + PATIENCE
    while not (there := running.processes()[kind]):
        if time.monotonic() > end:
            return ""
        running.keep_up()
        time.sleep(0.1)
    try:
        os.kill(random.choice(there), signal.SIGKILL)
    except ProcessLookupError:
        return ""
    return kind


def torture(running: Installation, times: int) -> tuple[Counter[str], list[float]]:
    """How often each kind was killed, and how long it took until the shop answered again."""
    killed: Counter[str] = Counter()
    returns: list[float] = []
    while killed.total() < times:
        time.sleep(random.uniform(*BETWEEN))
        running.keep_up()
        kind = kill_one(running)
        if not kind:
            continue
        killed[kind] += 1
        if killed.total() % 5 == 0:  # most of the time it is hit again before it is back
            returns.append(running.wait())
        if killed.total() % 25 == 0:
            print(f"killed {killed.total()} of {times}", flush=True)
    returns.append(running.wait())
    return killed, returns


def main() -> None:
    """From the command line."""
    kind, times, seed = sys.argv[1], int(sys.argv[2]), int(os.environ.get("SEED", "1"))
    random.seed(seed)
    with tempfile.TemporaryDirectory(prefix="patron-torture-") as name, smtp_server.running() as smtp:
        folder = Path(name)
        smtp.handle_error = lambda *_: None  # type: ignore[method-assign]  # senders are killed
        if kind == "sqlite":
            wrong = run(folder, f"sqlite:///{folder / 'patron.sqlite3'}", smtp, times)
        else:
            with installations.cluster(folder) as cluster:
                wrong = run(folder, cluster.url, smtp, times)
    for line in wrong[:20]:
        print("WRONG:", line)
    sys.exit(1 if wrong else 0)


def run(folder: Path, database_url: str, smtp: smtp_server.SmtpServer, times: int) -> list[str]:
    """What is wrong after so many kills."""
    with installations.installation(folder, database_url, smtp.port, WORKERS=os.environ.get("WORKERS", "")) as running:
        crowd = Crowd(running.port, SHOPPERS)
        started = time.monotonic()
        killed, returns = torture(running, times)
        notes = crowd.stop()
        running.wait()
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(killed.items()))
        print(
            f"{database_url.partition(':')[0]}: {killed.total()} kills in {time.monotonic() - started:.0f} s: {kinds}"
        )
        print(f"back after {sorted(returns)[len(returns) // 2]:.1f} s in the median, {max(returns):.1f} s at most")
        wrong = report(notes, database_url, Mails(smtp), killed)
        if max(returns) > SLOWEST_RETURN:
            wrong.append(f"once it took {max(returns):.0f} s until it answered again")
        return wrong


if __name__ == "__main__":
    main()
