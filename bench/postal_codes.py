"""Import a generated file of as many postal codes as GeoNames has, twice, on each database: seconds and memory."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.server import ROOT, environment_of, temporary_database

DATABASE_URLS = os.environ.get("BENCH_DATABASE_URLS", "sqlite:// postgres://postgres@127.0.0.1:5432/postgres").split()
ROWS = int(os.environ.get("BENCH_POSTAL_CODES", "1800000"))
COUNTRIES = [first + second for first in "ABCDEFGH" for second in "ABCDEFGHIJ"]

# The same interpreter runs the command and says how large it ever was.
MEASURED = """
import resource, sys
from django.core.management import call_command
call_command("import_postal_codes", sys.argv[1])
print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB")
"""


def generate(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number in range(ROWS):
            country = COUNTRIES[number * len(COUNTRIES) // ROWS]
            places = [country, f"{number // 2:06}", f"Örtchen {number}", f"Region {number % 16}", f"{number % 16:02}"]
            file.write("\t".join([*places, "District", "1", "Community", "2", "52.5323", "13.3846", "4"]) + "\n")


def measure(url: str, folder: str, path: Path) -> None:
    environment = environment_of(
        url,
        folder,
        PUBLIC_URL="https://bench.example",
        ALLOWED_HOSTS="bench.example",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    run = [sys.executable, "-c", f"import django; django.setup(){MEASURED}", str(path)]
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)
    for what in ("first", "again"):
        started = time.monotonic()
        subprocess.run(run, cwd=ROOT, env=environment, check=True)
        print(f"{url.split(':', maxsplit=1)[0]}, {what}: {time.monotonic() - started:.1f} s", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "places.txt"
        generate(path)
        print(f"{ROWS} rows, {path.stat().st_size // 2**20} MiB", flush=True)
        for server in DATABASE_URLS:
            with tempfile.TemporaryDirectory() as own, temporary_database(server, own) as url:
                measure(url, own, path)


if __name__ == "__main__":
    main()
