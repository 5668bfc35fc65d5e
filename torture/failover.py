"""The primary of two PostgreSQL servers under Patroni is killed while customers use the shop through PgBouncer; the
synchronous replica takes over.

    python -m torture.failover 5

The killed one comes back once the other has taken over, as a machine does that is restarted; in strict synchronous mode
nothing is acknowledged before. Debian's packages patroni, etcd-server and pgbouncer are needed.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from bench.load import with_children
from bench.server import execute, free_port
from tests import smtp_server
from torture import installation as installations
from torture.database import seconds_until_all_is_well
from torture.installation import as_owner, postgresql_programs
from torture.shoppers import Crowd
from torture.verdict import Mails, report

PROGRAMS = ("patroni", "etcd", "pgbouncer")
SHOPPERS = 4
TTL, LOOP_WAIT, RETRY_TIMEOUT = 20, 5, 5  # seconds; Patroni takes no shorter ones: 20 is the least
LATEST_RETURN = TTL + 15.0
BETWEEN = 10.0
PATIENCE = 120.0
CALLBACK = """#!/bin/sh
# Patroni says what became of this server: PgBouncer goes to the primary.
case "$2" in master|primary|promoted)
    echo "[databases]" > {folder}/databases.ini.new
    echo "patron = host=127.0.0.1 port={port} user=postgres" >> {folder}/databases.ini.new
    mv {folder}/databases.ini.new {folder}/databases.ini
    kill -HUP "$(cat {folder}/pgbouncer.pid)"
esac
"""
PGBOUNCER = """%include {folder}/databases.ini
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 40
max_client_conn = 1000
server_login_retry = 1
server_connect_timeout = 2
query_wait_timeout = 5
ignore_startup_parameters = extra_float_digits
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


class Node:
    """A PostgreSQL server and the Patroni that looks after it."""

    def __init__(self, name: str, folder: Path, etcd: int) -> None:
        self.name, self.port, self._rest = name, free_port(), free_port()
        self._folder, self._config = folder, folder / f"{name}.yml"
        callback = folder / f"{name}.sh"
        callback.write_text(CALLBACK.format(folder=folder, port=self.port))
        callback.chmod(0o755)
        self._config.write_text(yaml.safe_dump(self._settings(etcd, str(callback))))
        self.process = self._started()

    def _settings(self, etcd: int, callback: str) -> dict[str, object]:
        return {
            "scope": "patron",
            "name": self.name,
            "restapi": {"listen": f"127.0.0.1:{self._rest}", "connect_address": f"127.0.0.1:{self._rest}"},
            "etcd3": {"hosts": f"127.0.0.1:{etcd}"},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": LOOP_WAIT,
                    "retry_timeout": RETRY_TIMEOUT,
                    "synchronous_mode": True,
                    "synchronous_mode_strict": True,
                    "postgresql": {"use_pg_rewind": True, "parameters": {"max_connections": 200}},
                },
                "initdb": [{"auth": "trust"}, {"username": "postgres"}, "data-checksums"],
                "pg_hba": ["host all all 127.0.0.1/32 trust", "host replication all 127.0.0.1/32 trust"],
            },
            "postgresql": {
                "listen": f"127.0.0.1:{self.port}",
                "connect_address": f"127.0.0.1:{self.port}",
                "data_dir": str(self._folder / self.name),
                "bin_dir": str(postgresql_programs()),
                "authentication": {
                    "superuser": {"username": "postgres"},
                    "replication": {"username": "postgres"},
                    "rewind": {"username": "postgres"},
                },
                "parameters": {"unix_socket_directories": str(self._folder)},
                "callbacks": {"on_start": callback, "on_role_change": callback},
            },
        }

    def _started(self) -> "subprocess.Popen[bytes]":
        log = (self._folder / f"{self.name}.log").open("ab")
        return subprocess.Popen([*as_owner(), "patroni", str(self._config)], stdout=log, stderr=log, cwd="/")

    def start(self) -> None:
        """After it was killed."""
        self.process = self._started()

    def kill(self) -> None:
        """As if the machine had gone: Patroni, PostgreSQL and all their processes."""
        found = [*with_children(self.process.pid), *self._servers()]
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def _servers(self) -> list[int]:
        """PostgreSQL lives on by itself."""
        with suppress(OSError, ValueError, IndexError):
            return with_children(int((self._folder / self.name / "postmaster.pid").read_text().split()[0]))
        return []

    def role(self) -> str:
        """What its Patroni says: `primary`, `sync_standby` … or "" where it does not answer."""
        with suppress(OSError, ValueError):
            with urllib.request.urlopen(f"http://127.0.0.1:{self._rest}/cluster", timeout=2) as answer:
                members = json.load(answer)["members"]
            roles = {each["name"]: str(each["role"]) for each in members}
            return roles.get(self.name, "").replace("leader", "primary")
        return ""


class Pair:
    """Two servers, and PgBouncer before them."""

    def __init__(self, folder: Path, etcd: int) -> None:
        self.port = free_port()
        (folder / "databases.ini").write_text("[databases]\n")
        config = folder / "pgbouncer.ini"
        config.write_text(PGBOUNCER.format(folder=folder, port=self.port))
        self.pgbouncer = subprocess.Popen([*as_owner(), "pgbouncer", "--quiet", str(config)], cwd="/")
        self._folder, self._etcd = folder, etcd
        self.nodes: list[Node] = []

    def start(self) -> None:
        """Returns once one can take over from the other, and there is a database."""
        for name, role in (("east", "primary"), ("west", "sync_standby")):
            self.nodes.append(Node(name, self._folder, self._etcd))
            self._wait_for(name, role)
        execute(f"postgres://postgres@127.0.0.1:{self.nodes[0].port}/postgres", "CREATE DATABASE patron")

    @property
    def url(self) -> str:
        """Of PgBouncer."""
        return f"postgres://postgres@127.0.0.1:{self.port}/patron"

    def fail_over(self) -> float:
        """Kill the primary, once the other one can take over, and start it when it has; the moment of the kill."""
        primary, replica = sorted(self.nodes, key=lambda node: node.role() != "primary")
        self._wait_for(replica.name, "sync_standby")
        primary.kill()
        killed = time.monotonic()
        self._wait_for(replica.name, "primary")
        print(f"{replica.name} took over after {time.monotonic() - killed:.1f} s", flush=True)
        primary.start()
        return killed

    def _wait_for(self, name: str, role: str) -> None:
        end = time.monotonic() + PATIENCE
        node = next(each for each in self.nodes if each.name == name)
        while node.role() != role:
            if time.monotonic() > end:
                raise TimeoutError(f"{name} does not become {role}")
            time.sleep(0.2)

    def end(self) -> None:
        """Stop all of it."""
        for node in self.nodes:
            node.kill()
        for pid in with_children(self.pgbouncer.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.pgbouncer.wait()


@contextmanager
def running(folder: Path) -> Iterator[Pair]:
    """A pair until the block ends, with an etcd of its own."""
    if as_owner():
        shutil.chown(folder, "postgres")
    etcd, peer = free_port(), free_port()
    words = [
        *("etcd", "--data-dir", f"{folder}/etcd", "--name", "only", "--log-level", "error"),
        *("--listen-client-urls", f"http://127.0.0.1:{etcd}", "--advertise-client-urls", f"http://127.0.0.1:{etcd}"),
        *(
            "--listen-peer-urls",
            f"http://127.0.0.1:{peer}",
            "--initial-advertise-peer-urls",
            f"http://127.0.0.1:{peer}",
        ),
        *("--initial-cluster", f"only=http://127.0.0.1:{peer}"),
    ]
    process = subprocess.Popen([*as_owner(), *words], cwd="/", stderr=subprocess.DEVNULL)
    pair = None
    try:
        time.sleep(2)
        pair = Pair(folder, etcd)
        pair.start()
        yield pair
    finally:
        if pair:
            pair.end()
        for pid in with_children(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()


def torture(pair: Pair, crowd: Crowd, times: int) -> list[float]:
    """How long each return took, from the kill until all was well."""
    returns = []
    for _ in range(times):
        time.sleep(BETWEEN)
        killed = pair.fail_over()
        returns.append(seconds_until_all_is_well(crowd.notes, killed, patience=PATIENCE))
        print(f"all was well {returns[-1]:.1f} s after the kill", flush=True)
    return returns


def main() -> None:
    """From the command line."""
    missing = [each for each in PROGRAMS if not shutil.which(each)]
    if missing:
        print(f"No primary is killed: {', '.join(missing)} is missing.")
        return
    with tempfile.TemporaryDirectory(prefix="patron-torture-") as name, smtp_server.running() as smtp:
        Path(name).chmod(0o755)
        folder = Path(name) / "pair"
        folder.mkdir()
        with (
            running(folder) as pair,
            installations.installation(Path(name), pair.url, smtp.port, PREPARED_STATEMENTS="off") as served,
        ):
            crowd = Crowd(served.port, SHOPPERS)
            returns = torture(pair, crowd, int(sys.argv[1]))
            notes = crowd.stop()
            print(f"{len(returns)} times the primary was killed: back after at most {max(returns):.1f} s")
            wrong = report(notes, pair.url, Mails(smtp), Counter())
            wrong += [f"it took {max(returns):.1f} s"] if max(returns) > LATEST_RETURN else []
            lines = served.log.read_text().splitlines()
            tracebacks = sum(line.startswith("Traceback") for line in lines)
            print(f"the server logged {len(lines)} lines, {tracebacks} tracebacks")
            wrong += [f"{tracebacks} tracebacks", *lines[-30:]] if tracebacks else []
    for line in wrong[:40]:
        print("WRONG:", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
