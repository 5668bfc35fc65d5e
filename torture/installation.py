"""An installation that is killed, and a PostgreSQL of its own that may be stopped."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.load import with_children
from bench.server import environment_of, free_port, manage

ROOT = Path(__file__).resolve().parent.parent
POSTGRESQL = "/usr/lib/postgresql/*/bin"  # Debian's
OWNER = "postgres"
START_SECONDS = 90
KINDS = ("server", "web worker", "background worker")
RESTART_SECONDS = 0.5  # of what starts the service again; systemd is told 2 (`deploy/patron.service`)


def postgresql_programs() -> Path:
    """The folder of the newest one's."""
    return sorted(Path("/").glob(POSTGRESQL[1:]), key=str)[-1]


def as_owner() -> list[str]:
    """What goes in front of a command that refuses to run as root."""
    return ["runuser", "-u", OWNER, "--"] if os.geteuid() == 0 else []


class Cluster:
    """PostgreSQL in a folder, which writes what it acknowledges to the disk. `more` goes to its environment."""

    def __init__(self, folder: Path, **more: str) -> None:
        self._folder, self.port, self._more = folder / "postgresql", free_port(), more
        self._bin, self._as_owner = postgresql_programs(), as_owner()
        self._folder.mkdir()
        if self._as_owner:
            folder.chmod(0o755)
            shutil.chown(self._folder, OWNER)
        self._make()
        with (self._folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write(f"port = {self.port}\nlisten_addresses = '127.0.0.1'\n")
            settings.write(f"unix_socket_directories = '{self._folder}'\n")
        self.start()

    def _make(self) -> None:
        self._run("initdb", "--auth", "trust", "--username", "postgres", "--no-instructions", "-D", self._data)

    @property
    def url(self) -> str:
        """Where Patron's database is."""
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        """Returns once it accepts connections."""
        self._run("pg_ctl", "-D", self._data, "-l", f"{self._folder}/log", "-w", "start")

    def is_running(self) -> bool:
        """Whether its first process lives."""
        with suppress(OSError, ValueError, IndexError):
            return bool(parent_of(int((Path(self._data) / "postmaster.pid").read_text().split()[0])))
        return False

    def starts(self) -> bool:
        """Start it; whether that went well."""
        with suppress(subprocess.CalledProcessError):
            self.start()
            return True
        return False

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends connections in order, `immediate` is like a power cut."""
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    def _run(self, program: str, *words: str) -> None:
        command = [*self._as_owner, str(self._bin / program), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", env=os.environ | self._more)


def parent_of(pid: int) -> int:
    """The process that started it; 0 when it has ended."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def command_line_of(pid: int) -> str:
    """Its words; "" when it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


@contextmanager
def cluster(folder: Path, **more: str) -> Iterator[Cluster]:
    """One that runs until the block ends."""
    running = Cluster(folder, **more)
    try:
        yield running
    finally:
        with suppress(subprocess.CalledProcessError):  # it is stopped
            running.stop("immediate")


class Installation:
    """`manage.py serve` with a worker, started again whenever it ends, as a service manager does."""

    def __init__(self, folder: Path, database_url: str, smtp_port: int, **more: str) -> None:
        self.port, self.database_url = free_port(), database_url
        self.base = f"http://127.0.0.1:{self.port}"
        self._log = (folder / "log").open("a")
        self.log = folder / "log"
        self.environment = environment_of(
            database_url,
            str(folder),
            PORT=str(self.port),
            EMAIL_URL=f"smtp://127.0.0.1:{smtp_port}",
            **{"TRUSTED_PROXIES": "127.0.0.0/8"} | more,
        )
        manage(self.environment, "migrate", "--verbosity", "0")
        manage(self.environment, "shell", "--verbosity", "0", "--command", "from bench.seed import seed; seed()")
        self.process = self._started()

    def _started(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "manage.py", "serve"]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=self._log, stderr=self._log)

    def keep_up(self) -> None:
        """Start it again where it has ended."""
        if self.process.poll() is not None:
            time.sleep(RESTART_SECONDS)
            self.process = self._started()

    def processes(self) -> Mapping[str, Sequence[int]]:
        """The process ids of each kind that there are at the moment."""
        found: dict[str, list[int]] = {kind: [] for kind in KINDS}
        for pid in with_children(self.process.pid):
            words = command_line_of(pid)
            if "manage.py work" in words:
                found["background worker"].append(pid)
            elif "-m granian" in words and "-m granian" in command_line_of(parent_of(pid)):
                found["web worker"].append(pid)
            elif "-m granian" in words or "manage.py serve" in words or "supervisor.py" in words:
                found["server"].append(pid)
        return found

    def memory(self) -> float:
        """What all processes have resident, in MB."""
        pages = 0
        for pid in with_children(self.process.pid):
            with suppress(OSError):  # it has ended
                pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def wait(self, seconds: float = START_SECONDS) -> float:
        """Until it answers and its database does; how many seconds that took. Raises `TimeoutError`."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            self.keep_up()
            with suppress(OSError):
                urllib.request.urlopen(f"{self.base}/readyz", timeout=5).close()
                return time.monotonic() - started
            time.sleep(0.05)
        raise TimeoutError(f"it does not answer; its log is {self.log}")

    def end(self) -> None:
        """Stop it for good."""
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(30)
        self._log.close()


@contextmanager
def installation(folder: Path, database_url: str, smtp_port: int, **more: str) -> Iterator[Installation]:
    """One that answers, until the block ends."""
    running = Installation(folder, database_url, smtp_port, **more)
    try:
        running.wait()
        yield running
    finally:
        running.end()
