"""The disk that the database is on is full for a while, while customers use the shop.

python -m torture.disk postgresql 20
python -m torture.disk sqlite 20

for so many seconds. Answers are successes or clean 503s, and all is well again once there is space.
"""

import errno
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import smtp_server
from torture import installation as installations
from torture.database import seconds_until_all_is_well
from torture.installation import Cluster, Installation
from torture.shoppers import Crowd
from torture.verdict import Mails, report

SHOPPERS = 4
SIZE = "300m"
BEFORE = 8.0  # seconds
# The database repairs itself first where it could not write its log, and is started every second.
LATEST_RETURN = 15.0
EVERY = 1.0


class Disk:
    """A file system in memory that can be filled up."""

    def __init__(self, path: Path) -> None:
        self.path, self._filler = path, path / "filler"

    def fill(self) -> None:
        """Until nothing more fits."""
        for size in (1 << 20, 1 << 12, 1):
            try:
                with self._filler.open("ab", buffering=0) as file:
                    while True:
                        file.write(b"\0" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def free(self) -> None:
        """There is space again."""
        self._filler.unlink()


@contextmanager
def disk(path: Path) -> Iterator[Disk]:
    """It is mounted until the block ends. Raises `subprocess.CalledProcessError` where that is not allowed."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(path)]
    subprocess.run(mount, check=True, stderr=subprocess.DEVNULL)
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


class Keeper:
    """Starts the database whenever it has ended, as a service manager does."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster, self._stopped = cluster, threading.Event()
        self.starts = 0
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> "Keeper":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _keep(self) -> None:
        while not self._stopped.wait(EVERY):
            if not self._cluster.is_running():
                self.starts += self._cluster.starts()


def torture(full: Disk, running: Installation, smtp: smtp_server.SmtpServer, seconds: float) -> list[str]:
    """What is wrong."""
    crowd = Crowd(running.port, SHOPPERS)
    time.sleep(BEFORE)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        full.fill()  # again and again: what is deleted meanwhile makes room
        time.sleep(0.2)
    full.free()
    back = seconds_until_all_is_well(crowd.notes, time.monotonic())
    notes = crowd.stop()
    print(f"full for {seconds:.0f} s: back {back:.1f} s after there was space", flush=True)
    wrong = report(notes, running.database_url, Mails(smtp), Counter())
    wrong += [] if notes.unavailable else ["nobody noticed that the disk was full"]
    wrong += [f"it took {back:.1f} s"] if back > LATEST_RETURN else []
    wrong += [f"{notes.lost_connections} connections were lost"] if notes.lost_connections else []
    lines = running.log.read_text().splitlines()
    tracebacks = sum(line.startswith("Traceback") for line in lines)
    print(f"the server logged {len(lines)} lines, {tracebacks} tracebacks")
    return wrong + ([f"{tracebacks} tracebacks", *lines[-30:]] if tracebacks else [])


def on_postgresql(folder: Path, full: Disk, smtp: smtp_server.SmtpServer, seconds: float) -> list[str]:
    """PostgreSQL has the disk to itself."""
    with (
        installations.cluster(full.path) as cluster,
        installations.installation(folder, cluster.url, smtp.port) as running,
        Keeper(cluster) as keeper,
    ):
        wrong = torture(full, running, smtp, seconds)
        print(f"PostgreSQL was started again {keeper.starts} times")
        return wrong


def on_sqlite(folder: Path, full: Disk, smtp: smtp_server.SmtpServer, seconds: float) -> list[str]:
    """The database, the log and all else that Patron writes are there."""
    url = f"sqlite:///{full.path / 'patron.sqlite3'}"
    with installations.installation(full.path, url, smtp.port) as running:
        return torture(full, running, smtp, seconds)


def main() -> None:
    """From the command line."""
    run, seconds = {"postgresql": on_postgresql, "sqlite": on_sqlite}[sys.argv[1]], float(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="patron-torture-") as name, smtp_server.running() as smtp:
        Path(name).chmod(0o755)
        try:
            with disk(Path(name) / "disk") as full:
                print(sys.argv[1])
                wrong = run(Path(name), full, smtp, seconds)
        except subprocess.CalledProcessError as error:
            if error.cmd[0] != "mount":
                raise
            print("No disk is filled: mounting one needs root.")
            return
    for line in wrong[:40]:
        print("WRONG:", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
