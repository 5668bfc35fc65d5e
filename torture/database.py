"""PostgreSQL is restarted again and again, cut off once, and stopped for a minute, while customers use the shop.

    python -m torture.database 20 60

Meanwhile every answer is a success or a clean 503; within five seconds all is well again, and nothing is lost.
"""

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests import smtp_server
from torture import installation as installations
from torture.installation import Cluster
from torture.shoppers import Crowd, Notes
from torture.verdict import Mails, report

SHOPPERS = 4
BETWEEN = (1.0, 3.0)  # seconds
LATEST_RETURN = 5.0  # seconds
PATIENCE = 30.0
SUCCESS = range(200, 300)


def seconds_until_all_is_well(notes: Notes, since: float, *, patience: float = PATIENCE) -> float:
    """From then to the first success after the last answer that was none, 0 without such an answer; it is waited until
    there are more successes behind it."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        time.sleep(0.25)
        answers = [(at, status) for at, status in list(notes.answers) if at > since]
        bad = [at for at, status in answers if status not in SUCCESS]
        later = [at for at, _ in answers if at > (bad[-1] if bad else since)]
        if len(later) >= 5 * SHOPPERS:
            return min(later) - since if bad else 0.0
    return patience


def restart(cluster: Cluster, crowd: Crowd, *, mode: str, away: float) -> float:
    """Stop the database for so many seconds; how long it took afterwards until all was well."""
    cluster.stop(mode)
    time.sleep(away)
    cluster.start()
    return seconds_until_all_is_well(crowd.notes, time.monotonic())


def torture(cluster: Cluster, crowd: Crowd, times: int, away: float) -> list[float]:
    """How long each return took."""
    returns = []
    for number in range(times):
        time.sleep(random.uniform(*BETWEEN))
        # Every other time it is like a power cut.
        returns.append(restart(cluster, crowd, mode=("fast", "immediate")[number % 2], away=0))
    time.sleep(BETWEEN[1])
    print(f"{times} restarts: back after {sorted(returns)[len(returns) // 2]:.1f} s in the median", flush=True)
    returns.append(restart(cluster, crowd, mode="fast", away=away))
    print(f"stopped for {away:.0f} s: back after {returns[-1]:.1f} s", flush=True)
    return returns


def main() -> None:
    """From the command line."""
    times, away = int(sys.argv[1]), float(sys.argv[2])
    with (
        tempfile.TemporaryDirectory(prefix="patron-torture-") as name,
        smtp_server.running() as smtp,
        installations.cluster(Path(name)) as cluster,
        installations.installation(Path(name), cluster.url, smtp.port) as running,
    ):
        crowd = Crowd(running.port, SHOPPERS)
        returns = torture(cluster, crowd, times, away)
        notes = crowd.stop()
        # Where the database goes between a mail and the note of it, the worker keeps the note for itself.
        wrong = report(notes, cluster.url, Mails(smtp), Counter())
        wrong += [f"once it took {max(returns):.1f} s"] if max(returns) > LATEST_RETURN else []
        wrong += [f"{notes.lost_connections} connections were lost"] if notes.lost_connections else []
        lines = running.log.read_text().splitlines()
        tracebacks = sum(line.startswith("Traceback") for line in lines)
        print(f"the server logged {len(lines)} lines, {tracebacks} tracebacks")
        wrong += [f"{tracebacks} tracebacks"] if tracebacks else []
        if wrong:
            print("\n".join(lines[-30:]))
    for line in wrong[:20]:
        print("WRONG:", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
