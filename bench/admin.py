"""Staff's searches and the customer's page with a million customers and ten thousand tenants: statements and times."""

import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.server import ROOT, environment_of, temporary_database

DATABASE_URL = os.environ.get("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
CUSTOMERS = int(os.environ.get("BENCH_ADMIN_CUSTOMERS", "1000000"))
TENANTS = int(os.environ.get("BENCH_ADMIN_TENANTS", "10000"))
ROUNDS = int(os.environ.get("BENCH_ADMIN_ROUNDS", "40"))
MOST_STATEMENTS = 12  # of a page
LONGEST = float(os.environ.get("BENCH_ADMIN_LONGEST", "150")) / 1000  # seconds, p95 of a page
FILLED = [
    *("customers_customer", "customers_address", "customers_customeridentifier", "customers_searchword"),
    *("auth_providers_account", "tenants_auditevent"),
]
AROUND = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT")
SHOP = "acme"
FIRST_NUMBER = 10_000_001
# Without an umlaut and its spellings, so that the database can fold them by itself.
FIRST = [
    *("Ada", "Ben", "Carl", "Dora", "Emil", "Fritz", "Gita", "Hans", "Ida", "Jan", "Karin", "Lars", "Mira", "Nils"),
    *("Olga", "Pit", "Rita", "Sven", "Tom", "Ute"),
]
BEGIN = ["Kowal", "Schmid", "Lind", "Berg", "Mark", "Stern", "Wald", "Hart", "Brand", "Krug", "Fisch", "Winter"]
MIDDLE = ["er", "o", "i", "an", "ing", "ul", "en", "ar"]
END = ["ski", "mann", "sen", "s", "berg", "feld", "hof", "ic", "ov", "t", "stadt", "dorf"]
# Those of a few customers, whom the searches with umlauts and apostrophes are for.
RARE = [("Jürgen", "Müller"), ("Sinéad", "O\u2019Brien")]


_POSTAL_CODE = "lpad((n % 90000 + 1000)::text, 5, '0')"


def _array(words: Sequence[str]) -> str:
    return "ARRAY[" + ",".join(f"'{word}'" for word in words) + "]"


def _pick(words: Sequence[str], by: str) -> str:
    return f"({_array(words)})[1 + ({by}) % {len(words)}]"


def names_of(index: int) -> tuple[str, str]:
    """First and last name of the customer of this index, as the statement below makes them."""
    last = [index // len(FIRST), index // (len(FIRST) * len(BEGIN)), index // (len(FIRST) * len(BEGIN) * len(MIDDLE))]
    parts = [words[at % len(words)] for words, at in zip((BEGIN, MIDDLE, END), last, strict=True)]
    return FIRST[index % len(FIRST)], "".join(parts)


def email_of(index: int) -> str:
    """The e-mail address of that customer; one in a thousand has a rare domain."""
    first, last = names_of(index)
    domain = "werkstatt.example" if index % 1000 == 0 else f"mail{index % 7}.example"
    return f"{first}.{last}.{index}@{domain}".lower()


# -- in the process that has the database -----------------------------------------------------------------------------


def fill() -> None:
    """A tenant with everything of a customer once, and the rest of the rows as copies that PostgreSQL makes itself."""
    from django.db import connection  # noqa: PLC0415 - Django is set up by now

    from customers.models import Customer  # noqa: PLC0415

    sample = _sample()
    with connection.cursor() as cursor:
        cursor.execute("SET maintenance_work_mem = '1GB'")
        # Neither triggers nor foreign keys for each row; the words are gathered afterwards.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            # That of a partitioned table is on ONLY the table itself, and without that on its partitions, too.
            "SELECT c.relname, replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ') FROM pg_index i "
            "JOIN pg_class c ON c.oid = i.indexrelid "
            "WHERE NOT i.indisunique AND i.indrelid::regclass::text = ANY(%s)",
            [FILLED],
        )
        indexes = cursor.fetchall()
        for name, _definition in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        _copy_customers(cursor, sample)
        _copy_what_belongs_to_them(cursor, sample)
        _gather_words(cursor)
        for name, definition in indexes:
            _timed(cursor, name, definition)
        cursor.execute("VACUUM (ANALYZE)")  # as autovacuum would have done by then
        cursor.execute("SET session_replication_role = origin")
    for index, (first_name, last_name) in enumerate(RARE):
        Customer.objects.create(
            tenant_id=sample["Tenant"], number=str(90_000_000 + index), first_name=first_name, last_name=last_name
        )


def _sample() -> dict[str, int]:
    """The keys of the rows that are copied, by the names of their models."""
    from auth_providers.accounts.passwords import hash_password  # noqa: PLC0415
    from auth_providers.models import Account  # noqa: PLC0415
    from customers.models import Address, Customer, CustomerIdentifier  # noqa: PLC0415
    from tenants import directory  # noqa: PLC0415
    from tenants.models import AuditEvent  # noqa: PLC0415

    tenant, _ = directory.create_tenant(code=SHOP)
    customer = Customer.objects.create(tenant=tenant, number="10000000", first_name="Sample")
    own = {"tenant": tenant, "customer": customer}
    password = hash_password("a password of all")
    event = AuditEvent(tenant=tenant, action="log_in", customer_number="10000000")
    event.save(force_insert=True)
    rows = [
        *(tenant, customer, event),
        Account.objects.create(**own, identifier="s@sample.example", is_permitted=True, password=password),
        Address.objects.create(**own, public_id="home", country="DE", contact_name="S"),
        CustomerIdentifier.objects.create(**own, name="card", value="1"),
    ]
    return {type(each).__name__: each.pk for each in rows}


def _copy_customers(cursor: Any, sample: dict[str, int]) -> None:
    """The other tenants, and the customers of the one, by their index n."""
    from customers.models import Customer  # noqa: PLC0415
    from tenants.models import Tenant  # noqa: PLC0415

    by_last = [f"n / {len(FIRST)}", f"n / {len(FIRST) * len(BEGIN)}", f"n / {len(FIRST) * len(BEGIN) * len(MIDDLE)}"]
    last = " || ".join(_pick(words, by) for words, by in zip((BEGIN, MIDDLE, END), by_last, strict=True))
    first, number = _pick(FIRST, "n"), f"({FIRST_NUMBER} + n)::text"
    domain = "CASE WHEN n % 1000 = 0 THEN 'werkstatt.example' ELSE 'mail' || n % 7 || '.example' END"
    email = f"lower({first} || '.' || {last} || '.' || n) || '@' || {domain}"
    digits = "lpad(n::text, 8, '0')"
    company = f"CASE WHEN n % 10 = 0 THEN {last} || ' Motoren' END"
    names = f"lower({first} || ' ' || {last} || coalesce(' ' || {company}, ''))"
    numbers = f"{number} || ' 49171' || {digits} || ' 0171' || {digits}"
    _copy(cursor, Tenant, sample["Tenant"], f"generate_series(1, {TENANTS}) n", code="'t' || n", number="20000 + n")
    _copy(
        cursor,
        Customer,
        sample["Customer"],
        f"generate_series(0, {CUSTOMERS - 1}) n",
        number=number,
        first_name=first,
        last_name=last,
        contact_email=email,
        contact_phone=f"'+49171' || {digits}",
        company=company,
        search_profile=f"' ' || {names} || ' ' || {email} || ' ' || {numbers}",
        search_addresses=f"' lindenallee ' || n % 200 || ' ' || {_POSTAL_CODE} || ' berlin'",
        search_identifiers=f"CASE WHEN n % 3 = 0 THEN ' 4006' || {digits} ELSE '' END",
        created_at=f"now() - ({CUSTOMERS} - n) * interval '3 minutes'",
        last_login_at="now() - n % 900 * interval '1 day'",
        is_on_hold="n % 5000 = 0",
    )


def _copy_what_belongs_to_them(cursor: Any, sample: dict[str, int]) -> None:
    """An account, an address and a log-in for each, and a card for every third."""
    from auth_providers.models import Account  # noqa: PLC0415
    from customers.models import Address, CustomerIdentifier  # noqa: PLC0415
    from tenants.models import AuditEvent  # noqa: PLC0415

    owners, owned = "customers_customer c", {"customer_id": "c.id"}
    others = f"c.tenant_id = {sample['Tenant']} AND c.id <> {sample['Customer']}"
    logged_in = "now() - c.id % 400000 * interval '2 minutes'"
    logs_in = {"identifier": "c.contact_email", "is_permitted": "c.number::bigint % 1000 <> 0"}
    with_card = f"{others} AND c.number::bigint % 3 = 2"
    card = "'4006' || lpad((c.number::bigint - 10000001)::text, 8, '0')"
    _copy(cursor, Account, sample["Account"], owners, others, **logs_in, **owned)
    _copy(cursor, Address, sample["Address"], owners, others, street="'Lindenallee ' || c.id % 200", **owned)
    _copy(cursor, CustomerIdentifier, sample["CustomerIdentifier"], owners, with_card, value=card, **owned)
    _copy(cursor, AuditEvent, sample["AuditEvent"], owners, others, customer_number="c.number", at=logged_in)


def _gather_words(cursor: Any) -> None:
    words = "SELECT DISTINCT tenant_id, unnest(customers_words(search_text)) FROM customers_customer"
    cursor.execute("TRUNCATE customers_searchword")
    _timed(cursor, "words", f"INSERT INTO customers_searchword (tenant_id, word) {words}")


def _timed(cursor: Any, what: str, statement: str) -> None:
    started = time.monotonic()
    cursor.execute(statement)
    print(f"{what}: {time.monotonic() - started:.0f} s", flush=True)


def _copy(cursor: Any, model: Any, key: int, rows: str, where: str = "true", **values: str) -> None:
    """Insert a copy of the row of this key for each of the rows, with these values in it."""
    columns = [each for each in model._meta.local_concrete_fields if not each.primary_key and not each.generated]
    given = [values.get(each.column, f's."{each.column}"') for each in columns]
    names = ", ".join(f'"{each.column}"' for each in columns)
    source = f"FROM {rows}, {model._meta.db_table} s WHERE s.id = {key} AND {where}"
    statement = f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(given)} {source}"
    _timed(cursor, model._meta.db_table, statement)


def ways() -> dict[str, Callable[[int], dict[str, str]]]:
    """What is asked of the list for the customer of an index, by the name of the way."""
    return {
        "no search": lambda index: {},
        "whole e-mail": lambda index: {"q": email_of(index)},
        "part of the e-mail": lambda index: {"q": email_of(index).partition(".")[2].partition("@")[0] + "@"},
        "domain of many": lambda index: {"q": f"mail{index % 7}.example"},
        "domain of few": lambda index: {"q": "werkstatt.example"},
        "telephone": lambda index: {"q": f"0171 {index:08}"},
        "number": lambda index: {"q": str(FIRST_NUMBER + index)},
        "both names": lambda index: {"q": " ".join(names_of(index))},
        "first name of many": lambda index: {"q": names_of(index)[0]},
        "name with a typing error": lambda index: {"q": names_of(index)[1].replace("e", "a", 1) + "x"},
        "Mueller": lambda index: {"q": "Mueller Juergen"},
        "O'Brien": lambda index: {"q": "O'Brien"},
        "card": lambda index: {"q": f"4006{index - index % 3:08}"},
        "company": lambda index: {"q": f"{names_of(index - index % 10)[1]} Motoren"},
        "street and postal code": lambda index: {"q": f"Lindenallee {index % 90000 + 1000:05}"},
        **{
            f"view: {name}": lambda index, name=name: {"view": name}  # type: ignore[misc]
            for name in ("on_hold", "inactive", "waiting", "new", "gone", "erased")
        },
    }


def measure() -> None:
    """Print statements and p95 of each way and each tab; exit with 1 for what is over."""
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from customers.models import Customer  # noqa: PLC0415

    client, chosen = Client(), random.Random(1)
    client.force_login(User.objects.create_superuser("clara", "", None))
    client.post(reverse("admin:switch"), {"code": SHOP})
    pages: dict[str, Callable[[int], tuple[str, dict[str, str]]]] = {
        name: lambda index, of=of: (reverse("admin:customers_customer_changelist"), of(index))  # type: ignore[misc]
        for name, of in ways().items()
    }
    first = Customer.objects.filter(number=str(FIRST_NUMBER)).values_list("pk", flat=True).get()
    for tab in ("timeline", "change", "addresses", "log_ins", "consents", "data"):
        pages[f"customer: {tab}"] = lambda index, tab=tab: (  # type: ignore[misc]
            reverse(f"admin:customers_customer_{tab}", args=[first + index]),
            {},
        )
    pages["start page"] = lambda index: (reverse("admin:index"), {})
    over = [name for name, page in pages.items() if not _measure(client, name, page, chosen)]
    if over:
        sys.exit(f"Over {MOST_STATEMENTS} statements or {LONGEST * 1000:.0f} ms: {', '.join(over)}")


def _measure(client: Any, name: str, page: Any, chosen: random.Random) -> bool:
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    took = []
    with CaptureQueriesContext(connection) as asked:
        path, query = page(chosen.randrange(CUSTOMERS))
        assert client.get(path, query).status_code == 200, path
    sent = [each for each in asked.captured_queries if not each["sql"].startswith(AROUND)]  # before the next call
    for _ in range(ROUNDS):
        path, query = page(chosen.randrange(CUSTOMERS))
        started = time.perf_counter()
        client.get(path, query)
        took.append(time.perf_counter() - started)
    p95 = statistics.quantiles(took, n=20)[-1]
    statements = len(sent)
    is_good = statements <= MOST_STATEMENTS and p95 <= LONGEST
    median = statistics.median(took) * 1000
    times = f"median {median:5.0f} ms  p95 {p95 * 1000:5.0f} ms{'' if is_good else '  over'}"
    print(f"{name:28} {statements:3} statements  {times}", flush=True)
    if os.environ.get("BENCH_ADMIN_SQL") and not is_good:
        print("\n".join(f"    {each['time']} {each['sql'][:300]}" for each in sent))
    return is_good


def main() -> None:
    with TemporaryDirectory() as folder, temporary_database(DATABASE_URL, folder, "patron_bench_admin") as url:
        environment = environment_of(
            url,
            folder,
            PUBLIC_URL="http://localhost:8000",
            ALLOWED_HOSTS="testserver",
            STAFF_SECOND_FACTOR="off",
        )
        run = [sys.executable, "manage.py"]
        subprocess.run([*run, "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True)
        code = "from bench import admin; admin.fill(); admin.measure()"
        done = subprocess.run([*run, "shell", "--verbosity", "0", "-c", code], cwd=ROOT, env=environment, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
