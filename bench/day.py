"""What a day of a shop leaves in the database: log-ins, refreshes, visits, codes and wrong passwords, with a clock of
its own, and with the worker's deliveries and retention every ten minutes of it. It prints the rows and the size of
every table after the day, and what is left of them four hundred days later.

The functions are those that the contracts call, on PostgreSQL in a database of its own; passwords are hashed for as
little as in the tests.
"""

import os
import random
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    os.environ.setdefault("DAY_LOG_INS", "200000")
    os.environ.setdefault("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings",
        DEMO="true",
        # The database is dropped afterwards, and its disk is not what is measured.
        PGOPTIONS="-c synchronous_commit=off",
        DATABASE_URL=f"{os.environ['BENCH_DATABASE_URL'].rsplit('/', 1)[0]}/patron_day",
        BENCH_CUSTOMERS=str(max(10, int(os.environ["DAY_LOG_INS"]) // 20)),
    )
    import django

    django.setup()

from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test.utils import override_settings
from django.utils import timezone

from auth_providers import limits, retention
from auth_providers.accounts.passwords import Argon2idHasher
from auth_providers.login import one_time_code
from auth_providers.login import password as password_login
from auth_providers.management.commands.work import work_once
from auth_providers.tokens import refresh, sessions
from auth_providers.tokens.log_in_attempt import Issue, LogInAttempt
from bench import seed
from bench.server import temporary_database
from bench.shop import CLIENT_ID, CUSTOMERS, PASSWORD, TENANT, email
from tenants.clients import Client
from tenants.models import ApiKey, Tenant

LOG_INS = int(os.environ["DAY_LOG_INS"])
# Of log-ins: how many follow a wrong password or a mailed code that was asked for, come from a device that is new, and
# refresh their tokens afterwards.
WRONG, CODES, NEW_DEVICES, REFRESHED = 0.02, 0.1, 0.005, 0.3
WORKS_EVERY = timedelta(minutes=10)
AFTERWARDS = timedelta(days=400)
# The defaults of columns keep the real clock, so that this one runs ahead of it.
BEGIN = timezone.now()
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1 Version/18.1 Mobile/15E Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
)


class Day:
    """A shop with a clock that this script moves."""

    def __init__(self) -> None:
        self.now, self.chance = BEGIN, random.Random(1)
        self.tenant = Tenant.objects.get(code=TENANT)
        self.key = ApiKey.objects.get(tenant=self.tenant, client_id=CLIENT_ID)
        self.done = 0

    def run(self) -> None:
        """All log-ins, evenly over a day."""
        due = self.now
        for number in range(LOG_INS):
            self.now = BEGIN + number * timedelta(days=1) / LOG_INS
            if self.now >= due:
                self.work()
                due += WORKS_EVERY
            self.come()

    def work(self) -> None:
        """What `manage.py work` does."""
        mail.outbox = []
        work_once()

    def come(self) -> None:
        """A visitor opens the shop, and logs in; some mistype the password or ask for a code first."""
        index = self.chance.randrange(CUSTOMERS)
        client = self.client_of(index)
        with suppress(limits.Throttled):
            sessions.open_anonymous(api_key=self.key, context=sessions.Context(), client=client)
        if self.chance.random() < WRONG:
            self.log_in(index, client, "a wrong password")
        if self.chance.random() < CODES:
            self.ask_for_code(index, client)
        token = self.log_in(index, client, PASSWORD)
        if token and self.chance.random() < REFRESHED:
            self.now += timedelta(milliseconds=1)
            refresh.refresh_customer(tenant=self.tenant, refresh_token=token, client=client, api_key_id=self.key.pk)

    def client_of(self, index: int) -> Client:
        """The customer's own device, or now and then a new one."""
        device = self.chance.randrange(1 << 24) if self.chance.random() < NEW_DEVICES else index
        address = f"10.{device >> 16}.{device >> 8 & 255}.{device & 255}"
        return Client(address=address, user_agent=BROWSERS[device % len(BROWSERS)])

    def log_in(self, index: int, client: Client, password: str) -> str:
        """The refresh token; "" for who isn't let in."""
        attempt = LogInAttempt(tenant=self.tenant, issue=Issue.PAIR, client=client, api_key=self.key)
        try:
            started = password_login.log_in(attempt=attempt, email=email(index), password=password)
        except (limits.Throttled, sessions.LogInRefused):
            return ""
        self.done += 1
        return started.pair.refresh_token if started.pair else ""

    def ask_for_code(self, index: int, client: Client) -> None:
        """A code by mail, which nobody answers."""
        with suppress(limits.Throttled):
            one_time_code.request(
                tenant=self.tenant, purpose="log_in", channel="email", destination=email(index), client=client
            )


def sizes() -> dict[str, tuple[int, int]]:
    """Rows, and bytes with indexes, of each table."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = {}
        for table in tables:
            # A partitioned table has no bytes of its own; others have no partitions.
            partitions = f"(SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('{table}'))"
            cursor.execute(f"SELECT count(*), coalesce({partitions}, pg_total_relation_size('{table}')) FROM {table}")
            found[table] = cursor.fetchone()
        return found


def main() -> None:
    """Print the table."""
    call_command("migrate", verbosity=0)
    Argon2idHasher.memory_cost, Argon2idHasher.time_cost = 8, 1
    seed.seed()
    day = Day()
    timezone.now = lambda: day.now
    before = sizes()
    day.run()
    after = sizes()
    day.now += AFTERWARDS
    day.work()
    retention.purge()
    later = sizes()
    print(f"{day.done:,} log-ins of {CUSTOMERS:,} customers within a day")
    print(f"{'table':40} {'before':>9} {'after':>9} {'MB':>7} {'400 days later':>15}")
    for table, (rows, size) in after.items():
        if rows or later[table][0]:
            print(f"{table:40} {before[table][0]:9,} {rows:9,} {size / 1e6:7.1f} {later[table][0]:15,}")
    connection.close()


if __name__ == "__main__":
    with (
        temporary_database(os.environ["BENCH_DATABASE_URL"], name="patron_day"),
        override_settings(EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend"),
    ):
        main()
