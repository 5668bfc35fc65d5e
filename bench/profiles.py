"""Show what a profile read, a refresh, a log-in and a sign-up spend their time on: one thread calls the application
(`bench/profiled.py`), without a server, while py-spy looks at it. See README.md."""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path as File

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(File(__file__).resolve().parent.parent))

from bench.run import DATABASE_URL
from bench.server import ROOT, Patron, running

SECONDS = float(os.environ.get("PROFILE_SECONDS", "20"))
FUNCTIONS = int(os.environ.get("PROFILE_FUNCTIONS", "0"))  # so many of each path are listed, too
SAMPLES_PER_SECOND = 500
PROFILED = ("GET /me", "refresh", "log-in", "sign-up")
# Log-ins and sign-ups are looked at without the hash, as `make bench` measures them.
SETTINGS = "bench.unhashed"

# What a function belongs to, by the first of these that its file's path has a part of. A file that has none of them, of
# the standard library, say, belongs to what its caller does.
AREAS = {
    "composing SQL": (
        "django/db/models/sql/",
        "django/db/models/query",
        "django/db/models/expressions",
        "django/db/models/lookups",
        "django/db/models/manager",
        "django/db/models/functions/",
    ),
    "talking to the database": ("psycopg", "django/db/", "tenants/compiled/pipeline", "tenants/compiled/prepared"),
    "signing, encrypting, hashing": ("cryptography/", "jwt/", "django/utils/crypto", "tenants/secrets/"),
    "REST framework": ("rest_framework/",),
    "Django's handler, middleware, routing": ("django/", "corsheaders/", "whitenoise/"),
    "making statements' values and rows": ("tenants/compiled/",),
    "Patron's own code": ("/tenants/", "/customers/", "/auth_providers/", "/config/"),
}


def main() -> int:
    with running(DATABASE_URL, workers=1, TRUSTED_PROXIES="127.0.0.0/8", DJANGO_SETTINGS_MODULE=SETTINGS) as patron:
        shares = {name: _profile(name, patron) for name in PROFILED}
    table = Table(title=f"Shares of {SECONDS:.0f} seconds of one thread that holds the interpreter's lock")
    for column in ("", *shares):
        table.add_column(column, justify="right" if column else "left")
    for area in (*AREAS, "else"):
        table.add_row(area, *(f"{found[area] / found.total():.0%}" for found in shares.values()))
    table.add_row("samples", *(str(found.total()) for found in shares.values()))
    Console(width=140).print(table)
    return 0


def _profile(name: str, patron: Patron) -> Counter[str]:
    """How many samples of the path belong to each area."""
    with tempfile.TemporaryDirectory() as folder:
        found = File(folder) / "stacks"
        program = str(File(sys.executable).with_name("py-spy"))
        spy = [program, "record", "--gil", "--rate", str(SAMPLES_PER_SECOND), "--format", "raw", "--full-filenames"]
        loop = [sys.executable, "-m", "bench.profiled", name, patron.base, str(SECONDS)]
        subprocess.run([*spy, "--output", str(found), "--", *loop], cwd=ROOT, env=patron.environment, check=True)
        lines = found.read_text().splitlines()
    areas: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        outer, called, inner = stack.partition("config/server/rsgi.py")
        if called and "bench/profiled.py" in outer:
            areas[_area(inner.split(";"))] += int(count)
            functions.update(dict.fromkeys(set(inner.split(";")), int(count)))
    for function, count in functions.most_common(FUNCTIONS):
        print(f"{name}: {count / areas.total():6.1%} {function}")
    return areas


def _area(stack: list[str]) -> str:
    """What a sample belongs to; `stack` has its functions, the outermost first, as "name (file:line)"."""
    for function in reversed(stack):
        for area, parts in AREAS.items():
            if any(part in function for part in parts):
                return area
    return "else"


if __name__ == "__main__":
    sys.exit(main())
