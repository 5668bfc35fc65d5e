"""What each path costs in a shop of a million customers, beside ten thousand other tenants, in terms of a small shop.

Both run at the same time, on databases of their own, and take turns. See README.md.
"""

import os
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path as File

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(File(__file__).resolve().parent.parent))

from bench.load import drive
from bench.run import CLIENTS, DATABASE_URL
from bench.server import OTHER_CORES, SERVER_CORES, Patron, backends, execute, running
from bench.shop import Path, Shop, paths

CUSTOMERS = int(os.environ.get("SCALE_CUSTOMERS", "1000000"))
TENANTS = int(os.environ.get("SCALE_TENANTS", "10000"))
# With five, one ratio of eleven is off by a sixth now and then.
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "11"))
MOST = 1.1  # times the cost in the small shop
SMALL, LARGE = "patron_bench_small", "patron_bench_large"
FIRST_TENANT, FIRST_NUMBER = 1_000_000, 30_000_000
TRIGRAMS = (
    "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
    "WHERE pg_get_indexdef(indexrelid) LIKE '%gin_trgm_ops%'"
)
CUSTOMER = {
    "number": f"({FIRST_NUMBER} + n)::text",
    "contact_email": "'grown' || n || '@example.com'",
    "last_name": "'Lovelace ' || n",
    "search_profile": f"'ada lovelace ' || n || ' grown' || n || '@example.com ' || ({FIRST_NUMBER} + n)",
}
# One customer for each of the other tenants.
OTHERS = CUSTOMER | {"tenant_id": f"(SELECT id FROM tenants_tenant WHERE number = {FIRST_TENANT} + n)"}
OF_CUSTOMER = {"tenant_id": "c.tenant_id", "customer_id": "c.id"}
GROWN = f"customers_customer c WHERE c.number > '{FIRST_NUMBER}'"


def grow(url: str) -> None:
    """Add customers and tenants: copies of the first rows. Indexes of trigrams are made anew, which is quicker than to
    keep them, and foreign keys are not checked row by row."""
    trigrams = execute(url, TRIGRAMS)
    execute(
        url,
        "SET session_replication_role = replica",
        "SET maintenance_work_mem = '1GB'",
        *(f"DROP INDEX {name}" for name, _ in trigrams),
        copies(url, "tenants_tenant", {"code": "'t' || n", "number": f"{FIRST_TENANT} + n"}, series(TENANTS)),
        copies(url, "customers_customer", CUSTOMER, series(CUSTOMERS)),
        copies(url, "customers_customer", OTHERS, series(TENANTS)),
        copies(
            url,
            "auth_providers_account",
            OF_CUSTOMER | {"identifier": "'grown' || c.number || '@example.com'"},
            GROWN,
        ),
        copies(url, "customers_address", OF_CUSTOMER | {"public_id": "'a' || c.number"}, GROWN),
        *(str(definition) for _, definition in trigrams),
        # Not the tables that are empty still: they would be planned for as such, and for good while they are prepared.
        "ANALYZE tenants_tenant, customers_customer, auth_providers_account, customers_address",
        "CHECKPOINT",
    )


def series(count: int) -> str:
    """The numbers from 1, called `n`."""
    return f"generate_series(1, {count}) n"


def copies(url: str, table: str, changed: dict[str, str], source: str) -> str:
    """The statement that inserts a copy of the table's first row for each row of `source`; `changed` is SQL by the
    column in which they differ."""
    query = (
        "SELECT column_name FROM information_schema.columns "
        f"WHERE table_name = '{table}' AND is_generated = 'NEVER' AND column_name <> 'id'"
    )
    names = [str(name) for (name,) in execute(url, query)]
    values = ", ".join(changed.get(name, f'f."{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    first = f"(SELECT * FROM {table} ORDER BY id LIMIT 1) f"
    return f"INSERT INTO {table} ({columns}) SELECT {values} FROM {first} CROSS JOIN {source}"


def cost(patron: Patron, path: Path, calls: int) -> float:
    """Microseconds of the server's and the database's CPU for a call."""
    clients = [path.client(calls) for _ in range(CLIENTS)]
    result = drive(
        patron.base,
        clients,
        server=lambda: patron.processes,
        database=lambda: backends(patron.database_url, "patron"),
    )
    return result.cpu + result.database_cpu


def compare(small: Patron, large: Patron) -> dict[str, tuple[float, float, float]]:
    """Of each path the medians of its cost in both, and of the rounds' ratios."""
    shops = [(patron, paths(Shop(patron))) for patron in (small, large)]
    found = {}
    for index, path in enumerate(shops[0][1]):
        for patron, each in shops:
            cost(patron, each[index], 10)
        rounds = [[cost(patron, each[index], path.calls) for patron, each in shops] for _ in range(ROUNDS)]
        ratio = statistics.median(after / before for before, after in rounds)
        found[path.name] = (*(statistics.median(costs) for costs in zip(*rounds, strict=True)), ratio)
    return found


def main() -> int:
    os.sched_setaffinity(0, OTHER_CORES)
    more = {"TRUSTED_PROXIES": "127.0.0.0/8", "PGAPPNAME": "patron"}
    with ExitStack() as stack:
        small, large = (
            stack.enter_context(running(DATABASE_URL, workers=1, cores=SERVER_CORES, database=name, **more))
            for name in (SMALL, LARGE)
        )
        began = time.monotonic()
        grow(large.database_url)
        print(f"{CUSTOMERS:,} customers and {TENANTS:,} tenants were added in {time.monotonic() - began:.0f} s")
        found = compare(small, large)
    table = Table(
        title=f"PostgreSQL, {ROUNDS} rounds, CPU of server and database in µs a request", title_justify="left"
    )
    for column in ("path", "1,000 customers", f"{CUSTOMERS:,} customers", "ratio"):
        table.add_column(column, justify="left" if column == "path" else "right")
    for name, (before, after, ratio) in found.items():
        table.add_row(name, f"{before:.0f}", f"{after:.0f}", f"{ratio:.2f}")
    Console(width=120).print(table)
    dearer = [name for name, (*_, ratio) in found.items() if ratio > MOST]
    print(f"More than {MOST} times: {', '.join(dearer) or 'none'}")
    return 1 if dearer else 0


if __name__ == "__main__":
    sys.exit(main())
