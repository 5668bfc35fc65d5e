"""Import a generated export of 200,000 customers into each database: customers a second, and memory.

Two shapes: what a shop at Shopify exports (a telephone number, an address and two consents each), and nothing but a
number, a name and an e-mail address.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.server import ROOT, environment_of, manage, temporary_database

DATABASE_URLS = os.environ.get("BENCH_DATABASE_URLS", "sqlite:// postgres://postgres@127.0.0.1:5432/postgres").split()
CUSTOMERS = int(os.environ.get("BENCH_IMPORTED", "200000"))
PROCESSES = os.environ.get("BENCH_PROCESSES", "")
GIVEN = ("Ada", "Zoë", "Łukasz", "José", "Marie", "Søren", "Chloé", "Jürgen", "Anaïs", "Tom")
FAMILY = ("Müller", "Kowalski", "O'Brien", "García", "Lindström", "Dubois", "Çelik", "Nguyen", "Rossi", "Brown")
CITIES = (("DE", "BE", "Berlin"), ("FR", "IDF", "Paris"), ("PL", "MZ", "Warszawa"), ("GB", "LND", "London"))
SHOPIFY = """
Customer ID|First Name|Last Name|Email|Accepts Email Marketing|Default Address Company|Default Address Address1
Default Address Address2|Default Address City|Default Address Province Code|Default Address Country Code
Default Address Zip|Default Address Phone|Phone|Accepts SMS Marketing|Total Spent|Total Orders|Note|Tax Exempt|Tags
"""
PLAIN = ("id", "first", "last", "email")
PLAIN_MAPPING = """
format: csv
key: {name: till, value: id}
email: email
profile: {first_name: first, last_name: last}
"""

# The same interpreter runs the command and says what CPU it and its processes took, starting included, and how large
# it, and the largest of its processes, ever was.
MEASURED = """
import resource, sys
from django.core.management import call_command
call_command("import_customers", *sys.argv[1:])
own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = sum(each.ru_utime + each.ru_stime for each in (own, others))
print(f"{cpu:.0f} s of CPU, without the database's; at most {own.ru_maxrss // 1024} MiB, "
      f"the largest further process {others.ru_maxrss // 1024} MiB")
"""


def shopify_rows() -> Iterator[list[str]]:
    """What the columns of `SHOPIFY` say of each customer."""
    for number in range(CUSTOMERS):
        given, family = GIVEN[number % 10], FAMILY[number // 10 % 10]
        country, state, city = CITIES[number % 4]
        profile = [given, f"{family} {number}", f"customer.{number}@shop{number % 300}.example"]
        place = ["", f"Hauptstraße {number % 199}", "", city, state, country, f"'{number % 90000 + 10000}"]
        phones = [f"'+4930{number:08}", f"'+49170{number:07}"]
        marketing = "yes" if number % 3 else "no"
        yield [f"'{7_000_000_000 + number}", *profile, marketing, *place, *phones, "no", "12.50", "2", "", "no", "vip"]


def plain_rows() -> Iterator[list[str]]:
    """What the columns of `PLAIN` say of each customer."""
    for number in range(CUSTOMERS):
        yield [str(number), GIVEN[number % 10], f"{FAMILY[number // 10 % 10]} {number}", f"c.{number}@shop.example"]


def generate(folder: Path) -> dict[Path, str]:
    """The files, and the mapping of each."""
    mapping = folder / "plain.yaml"
    mapping.write_text(PLAIN_MAPPING)
    files = {folder / "shopify.csv": "shopify", folder / "plain.csv": str(mapping)}
    heads = (SHOPIFY.strip().replace("\n", "|").split("|"), PLAIN)
    for path, head, rows in zip(files, heads, (shopify_rows, plain_rows), strict=True):
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head])
            csv.writer(file).writerows(rows())
    return files


def measure(url: str, folder: str, files: dict[Path, str]) -> None:
    """Import each file, of a tenant of its own."""
    environment = environment_of(
        url,
        folder,
        PUBLIC_URL="https://bench.example",
        ALLOWED_HOSTS="bench.example",
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    manage(environment, "migrate", "--verbosity", "0")
    for path, mapping in files.items():
        manage(environment, "create_tenant", path.stem)
        words = [path.stem, str(path), "--mapping", mapping, *(["--processes", PROCESSES] if PROCESSES else [])]
        started = time.monotonic()
        run = [sys.executable, "-c", f"import django; django.setup(){MEASURED}", *words]
        subprocess.run(run, cwd=ROOT, env=environment, check=True, stderr=subprocess.DEVNULL)
        seconds = time.monotonic() - started
        name = url.split(":", maxsplit=1)[0]
        print(f"{name}, {path.stem}: {CUSTOMERS / seconds:.0f} customers/s, {seconds:.0f} s", flush=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = generate(Path(folder))
        for server in DATABASE_URLS:
            with tempfile.TemporaryDirectory() as own, temporary_database(server, own, "patron_bench_import") as url:
                measure(url, own, files)


if __name__ == "__main__":
    main()
