"""Staff's lists are read from a standby, which falls behind, is stopped and started again: what staff wrote they see at
once, what others wrote a few seconds later, and no list fails.

python -m torture.replica
"""

import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from bench.server import execute, manage
from tenants.replicas import BEHIND, LEFT_ALONE
from tests import smtp_server
from torture import installation as installations

STAFF, PASSWORD = "clara", "correct horse battery staple"
SEGMENTS = "/admin/customers/segment/"
# What the standby's connections asked last.
ASKED = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%customers_segment%' AND pid <> pg_backend_pid()"


class Standby(installations.Cluster):
    """A replica of a cluster, which streams its log."""

    def __init__(self, folder: Path, primary: installations.Cluster) -> None:
        self._primary = primary
        super().__init__(folder)

    def _make(self) -> None:
        source = self._primary.url.replace("postgres://", "postgresql://")
        self._run("pg_basebackup", "--pgdata", self._data, "--write-recovery-conf", "--dbname", source)


class Clerk:
    """A member of staff with a browser."""

    def __init__(self, base: str) -> None:
        self._base, self._browser = base, requests.Session()
        self.post("/admin/login/?next=/admin/", username=STAFF, password=PASSWORD)
        self.post("/admin/switch/", form="/admin/", code="bench")

    def get(self, path: str) -> str:
        """The page. Raises `requests.HTTPError`."""
        answer = self._browser.get(self._base + path, timeout=30)
        answer.raise_for_status()
        return answer.text

    def post(self, path: str, form: str = "", **values: str) -> None:
        """Send the form on the page `form`, which is that at `path` by default. Raises `requests.HTTPError`."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(form or path))
        fields = {"csrfmiddlewaretoken": token[1] if token else "", **values}
        self._browser.post(self._base + path, fields, timeout=30).raise_for_status()

    def add(self, code: str) -> None:
        """A segment."""
        tenant = re.search(r'name="tenant"[^>]* value="([0-9]+)"', self.get(f"{SEGMENTS}add/"))
        self.post(f"{SEGMENTS}add/", tenant=tenant[1] if tenant else "", code=code)

    def sees(self, code: str) -> bool:
        """Whether the list of segments has it."""
        return f">{code}</a></th>" in self.get(SEGMENTS)


@contextmanager
def paused(standby: Standby) -> Iterator[None]:
    """The standby goes no further."""
    execute(standby.url, "SELECT pg_wal_replay_pause()")
    try:
        yield
    finally:
        execute(standby.url, "SELECT pg_wal_replay_resume()")


def seconds_until(is_so: Callable[[], bool], at_most: float) -> float:
    """How long it took; infinity where it never was."""
    started = time.monotonic()
    while time.monotonic() - started < at_most:
        if is_so():
            return time.monotonic() - started
        time.sleep(0.2)
    return float("inf")


def trials(base: str, standby: Standby) -> Iterator[tuple[str, bool]]:
    """What was tried, and whether it held."""
    one, other = Clerk(base), Clerk(base)
    one.add("kestrel")
    yield (
        "what one wrote the other sees within seconds",
        seconds_until(lambda: other.sees("kestrel"), BEHIND + 5) < BEHIND + 5,
    )
    yield (
        "lists are read from the standby",
        seconds_until(lambda: other.sees("kestrel") and _is_asked(standby), 10) < 10,
    )
    with paused(standby):
        one.add("osprey")
        yield "who wrote sees it at once, however far behind the standby is", one.sees("osprey")
        took = seconds_until(lambda: other.sees("osprey"), BEHIND + 10)
        yield f"the other one sees it within {BEHIND} s and a second for each look ({took:.1f} s)", took < BEHIND + 3
    standby.stop("immediate")
    started = time.monotonic()
    yield "a list is shown while the standby is away", other.sees("osprey")
    yield "nobody waits for it", time.monotonic() - started < 10
    standby.start()
    time.sleep(LEFT_ALONE)
    yield (
        "it is asked again when it is back",
        seconds_until(lambda: other.sees("osprey") and _is_asked(standby), 20) < 20,
    )


def _is_asked(standby: Standby) -> bool:
    return execute(standby.url, ASKED) != [(0,)]


def main() -> None:
    """From the command line."""
    with (
        tempfile.TemporaryDirectory(prefix="patron-torture-") as name,
        tempfile.TemporaryDirectory(prefix="patron-torture-") as other,
        smtp_server.running() as smtp,
        installations.cluster(Path(name)) as primary,
    ):
        standby = Standby(Path(other), primary)
        more = {"DATABASE_REPLICA_URLS": standby.url, "STAFF_SECOND_FACTOR": "off", "STAFF_PASSWORD": PASSWORD}
        try:
            with installations.installation(Path(name), primary.url, smtp.port, **more) as running:
                manage(running.environment, "shell", "--verbosity", "0", "--command", ADD_STAFF)
                wrong = [what for what, holds in trials(running.base, standby) if not _told(what, holds)]
        finally:
            standby.stop("immediate")
    sys.exit(1 if wrong else 0)


ADD_STAFF = f"""
import os
from django.contrib.auth.models import User
from tenants.models import Tenant
User.objects.create_superuser("{STAFF}", "", os.environ["STAFF_PASSWORD"])
"""


def _told(what: str, holds: bool) -> bool:
    print("holds:" if holds else "WRONG:", what)
    return holds


if __name__ == "__main__":
    main()
