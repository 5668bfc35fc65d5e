"""Redis is flushed, stopped and started again while customers use the shop: nobody notices.

python -m torture.cache 5
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import redis

from bench.server import free_port
from tests import smtp_server
from torture import installation as installations
from torture.shoppers import Crowd
from torture.verdict import Mails, report

SHOPPERS = 4
AWAY = BETWEEN = 3.0  # seconds


class Server:
    """A Redis that keeps nothing on the disk."""

    def __init__(self) -> None:
        self.port = free_port()
        self.start()

    def start(self) -> None:
        """Returns at once."""
        words = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        """As if it was killed."""
        self._process.kill()
        self._process.wait()

    def flush(self) -> None:
        """Forget everything."""
        redis.Redis(port=self.port).flushall()


def main() -> None:
    """From the command line."""
    times, server = int(sys.argv[1]), Server()
    with (
        tempfile.TemporaryDirectory(prefix="patron-torture-") as name,
        smtp_server.running() as smtp,
        installations.cluster(Path(name)) as cluster,
        installations.installation(
            Path(name), cluster.url, smtp.port, CACHE_URL=f"redis://127.0.0.1:{server.port}/0"
        ) as running,
    ):
        crowd = Crowd(running.port, SHOPPERS)
        for _ in range(times):
            time.sleep(BETWEEN)
            server.flush()
            time.sleep(BETWEEN)
            server.stop()
            time.sleep(AWAY)
            server.start()
        notes = crowd.stop()
        server.stop()
        print(f"Redis flushed {times} times, and stopped {times} times for {AWAY:.0f} s")
        wrong = report(notes, cluster.url, Mails(smtp), Counter())
        if notes.unavailable or notes.lost_connections:
            wrong.append(f"{notes.unavailable} requests were answered 503, {notes.lost_connections} not at all")
    for line in wrong[:20]:
        print("WRONG:", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
