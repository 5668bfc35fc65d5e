"""kill -9 of an import at random moments, of itself or of one of its processes, which is started again each time: every
customer of the file is there once.

python -m torture.importing postgresql 5
python -m torture.importing sqlite 5
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.load import with_children
from bench.server import ROOT, environment_of, manage
from torture import installation as installations
from torture.verdict import query

CUSTOMERS = int(os.environ.get("IMPORTED", "200000"))
MAPPING = """
format: jsonl
key: {name: till, value: id}
email: email
profile: {last_name: name}
consents: {email: news}
"""
# Each has to be the number of customers in the file.
COUNTS = {
    "customers": "SELECT count(*) FROM customers_customer",
    "customer numbers": "SELECT count(DISTINCT number) FROM customers_customer",
    "accounts": "SELECT count(*) FROM auth_providers_account",
    "e-mail addresses": "SELECT count(DISTINCT identifier) FROM auth_providers_account",
    "customers with an account": "SELECT count(DISTINCT customer_id) FROM auth_providers_account",
    "identifiers": "SELECT count(DISTINCT value) FROM customers_customeridentifier",
    "customers with an identifier": "SELECT count(DISTINCT customer_id) FROM customers_customeridentifier",
    "consents": "SELECT count(*) FROM customers_consent",
    "receipts": "SELECT count(*) FROM tenants_receipt",
    "lines on the trail": "SELECT count(*) FROM tenants_auditevent WHERE action = 'import'",
}
LONGEST = 3600.0  # seconds for one run, on a busy machine
GONE_SECONDS = 30.0


class Imports:
    """Runs of the same import into one database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.database_url = database_url
        self.environment = environment_of(
            database_url, str(folder), PUBLIC_URL="https://torture.example", ALLOWED_HOSTS="torture.example"
        )
        manage(self.environment, "migrate", "--verbosity", "0")
        manage(self.environment, "create_tenant", "acme")
        file, mapping = folder / "shop.jsonl", folder / "mapping.yaml"
        mapping.write_text(MAPPING)
        with file.open("w") as lines:
            for number in range(CUSTOMERS):
                name = f'"name": "Lovelace {number}", "news": true'
                lines.write(f'{{"id": "{number}", "email": "c{number}@example.com", {name}}}\n')
        words = ["import_customers", "acme", str(file), "--mapping", str(mapping)]
        self._command = [sys.executable, "manage.py", *words]
        self._log = (folder / "log").open("ab")

    def start(self) -> "subprocess.Popen[bytes]":
        """A run."""
        return subprocess.Popen(self._command, cwd=ROOT, env=self.environment, stdout=self._log, stderr=self._log)

    def count(self) -> int:
        """How many customers are there."""
        return int(str(query(self.database_url, COUNTS["customers"])[0][0]))

    def killed_after(self, wanted: int) -> tuple[str, int]:
        """Start a run, and kill it or one of its processes once so many customers are there. What was killed, and how
        many were there when all its processes had ended."""
        run = self.start()
        while run.poll() is None and self.count() < wanted:
            time.sleep(0.05)
        processes = with_children(run.pid)
        further = [each for each in processes if each != run.pid]
        is_further = bool(further) and random.random() < 0.3
        for each in [random.choice(further)] if is_further else [run.pid]:
            os.kill(each, signal.SIGKILL)
        run.wait(GONE_SECONDS)
        wait_until_gone(further)
        return "one of its processes" if is_further else "the import", self.count()


def wait_until_gone(processes: list[int]) -> None:
    """Raises `TimeoutError` for one that outlives its import."""
    end = time.monotonic() + GONE_SECONDS
    while left := [each for each in processes if installations.command_line_of(each)]:
        if time.monotonic() > end:
            raise TimeoutError(f"{left} go on without their import")
        time.sleep(0.05)


def run(folder: Path, database_url: str, times: int) -> list[str]:
    """What is wrong after so many kills."""
    imports = Imports(folder, database_url)
    before = 0
    for number in range(1, times + 1):
        wanted = before + random.randint(1, max(1, (CUSTOMERS - before) // (times - number + 2)))
        killed, before = imports.killed_after(wanted)
        print(f"kill {number}: {killed}, with {before} customers there", flush=True)
    started = time.monotonic()
    status = imports.start().wait(LONGEST)
    seconds, added = time.monotonic() - started, CUSTOMERS - before
    print(f"the last run added {added} in {seconds:.0f} s, beside {before} who were there")
    found = {name: int(str(query(database_url, sql)[0][0])) for name, sql in COUNTS.items()}
    wrong = [f"{count} {name} instead of {CUSTOMERS}" for name, count in found.items() if count != CUSTOMERS]
    return [*wrong, *([f"the last run ended with {status}"] if status else [])]


def main() -> None:
    """From the command line."""
    kind, times = sys.argv[1], int(sys.argv[2])
    random.seed(int(os.environ.get("SEED", "1")))
    with tempfile.TemporaryDirectory(prefix="patron-torture-") as name:
        folder = Path(name)
        if kind == "sqlite":
            wrong = run(folder, f"sqlite:///{folder / 'patron.sqlite3'}", times)
        else:
            with installations.cluster(folder) as cluster:
                wrong = run(folder, cluster.url, times)
    for line in wrong:
        print("WRONG:", line)
    print(
        f"{kind}: {CUSTOMERS} customers, {times} kills: {'each is there once' if not wrong else 'not as it has to be'}"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
