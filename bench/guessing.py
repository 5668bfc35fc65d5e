"""Whom the limits of log-ins hit: attacks beside customers who log in, simulated with a clock of their own.

The functions are those of `auth_providers.limits`, on SQLite in memory; no password is hashed. It prints
the figures of `docs/decisions/log-in-throttling.md`; the tests have a small version.
"""

import heapq
import itertools
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    os.environ.update(DJANGO_SETTINGS_MODULE="config.settings", DEMO="1", DATABASE_URL="sqlite:///:memory:")
    import django

    django.setup()

from django.core.management import call_command
from django.utils import timezone

from auth_providers import limits
from auth_providers.login import password as password_login
from tenants import directory
from tenants.clients import Client
from tenants.models import Tenant

HOUR = 3600.0  # seconds
START = datetime(2026, 1, 1, tzinfo=UTC)
AGENTS = {  # with their shares; an attacker takes the commonest
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Mobile Safari/537.36": 40,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1 Version/18.1 Mobile/15E Safari/604.1": 30,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36": 20,
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0": 10,
}
COMMONEST = next(iter(AGENTS))
SHARED = "192.0.2.1"
TYPOS = 0.04
# Of the customers at the shared address: how many come with a device that they have not used before.
NEW = 0.2
RIGHT_PAIRS = 0.01  # of a credential stuffing
DELAYED = 2.0  # seconds


@dataclass(kw_only=True)
class Customer:
    """Somebody with an account, and the device that the next log-in comes from."""

    email: str
    client: Client
    is_device_known: bool
    group: str
    last_log_in_at: datetime | None = None


@dataclass(kw_only=True)
class Shop:
    """A tenant's log-in page with a clock: what happens in it, in order, and what it comes to."""

    tenant: Tenant
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    seconds: float = 0.0
    due: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    delays: dict[str, list[float]] = field(default_factory=dict)
    compared: int = 0
    in_a_row: Counter[str] = field(default_factory=Counter)
    most_in_a_row: int = 0

    @property
    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Do it then."""
        heapq.heappush(self.due, (seconds, next(self.numbers), act))

    def run(self) -> None:
        """Do all that is due, with the product's clock at its time."""
        real, timezone.now = timezone.now, lambda: self.now
        try:
            while self.due:
                self.seconds, _, act = heapq.heappop(self.due)
                act()
        finally:
            timezone.now = real

    def log_in(self, customer: Customer, *, client: Client, is_device_known: bool, wrong: str = "") -> int:
        """What `password.log_in` does, less the hash; `wrong` is the password when it is not the right one. Returns in
        how many seconds the next attempt may come, 0 after a comparison."""
        attempts = limits.of_log_in(identifier=customer.email, client=client, is_device_known=is_device_known)
        try:
            on_record = limits.admit(tenant=self.tenant, attempts=attempts)
        except limits.Throttled as throttled:
            return throttled.retry_after or 1
        self.compared += 1
        if not wrong:
            self._let_in(customer, attempts, on_record, is_device_known)
            return 0
        self.in_a_row[customer.email] += 1
        self.most_in_a_row = max(self.most_in_a_row, self.in_a_row[customer.email])
        if not limits.is_repeated(tenant=self.tenant, identifier=customer.email, password=wrong):
            limits.record_failure(tenant=self.tenant, attempts=attempts)
        return 0

    def _let_in(
        self,
        customer: Customer,
        attempts: tuple[limits.Attempt, ...],
        on_record: frozenset[str],
        is_device_known: bool,
    ) -> None:
        last, self.in_a_row[customer.email] = customer.last_log_in_at, 0
        is_earning = is_device_known and (last is None or last < self.now - password_login.REGULAR)
        limits.record_success(tenant=self.tenant, attempts=attempts, on_record=on_record, is_earning=is_earning)
        customer.last_log_in_at = self.now

    def visit(self, customer: Customer, seconds: float) -> None:
        """A customer comes to log in, and mistypes now and then."""
        if self.chance.random() < TYPOS:
            self.at(seconds, lambda: self._type(customer, wrong=f"mistyped {seconds}"))
            seconds += 5.0
        self.at(seconds, lambda: self._type(customer, since=seconds))

    def _type(self, customer: Customer, *, wrong: str = "", since: float = 0.0) -> None:
        wait = self.log_in(customer, client=customer.client, is_device_known=customer.is_device_known, wrong=wrong)
        if wait and not wrong:
            self.at(self.seconds + wait, lambda: self._type(customer, since=since))
        elif not wrong:
            self.delays.setdefault(customer.group, []).append(self.seconds - since)

    def guess(self, victim: Customer, address: str, *, wrong: str) -> None:
        """An attacker, with the commonest software, who goes on at once when it was too early."""
        client = Client(address=address, user_agent=COMMONEST)
        is_known = victim.is_device_known and client.device == victim.client.device
        self.log_in(victim, client=client, is_device_known=is_known, wrong=wrong)

    def delayed(self, group: str) -> float:
        """The share of right log-ins that took longer than they should."""
        delays = self.delays[group]
        return sum(delay > DELAYED for delay in delays) / len(delays)


def address_of(number: int) -> str:
    """One of 16 million, each in a network of its own for the first 65,536."""
    return str(ip_address("10.0.0.1") + (number % 65_536) * 256 + number // 65_536)


def shared_address(tenant: Tenant, scale: float) -> Shop:
    """10,000 customers log in from one address within an hour, and 2,000 on new devices from others; somebody at that
    address guesses 20 times a second, at any of them."""
    shop, duration = Shop(tenant=tenant), HOUR * scale
    customers = []
    for number in range(int(12_000 * scale)):
        [agent] = shop.chance.choices(list(AGENTS), list(AGENTS.values()))
        is_elsewhere = number % 6 == 0
        is_new = is_elsewhere or shop.chance.random() < NEW
        client = Client(address=address_of(number) if is_elsewhere else SHARED, user_agent=agent)
        group = "elsewhere" if is_elsewhere else "new" if is_new else "known"
        customer = Customer(email=f"{number}@a.example", client=client, is_device_known=not is_new, group=group)
        shop.visit(customer, shop.chance.uniform(0, duration))
        customers.append(customer)
    for number in range(int(20 * duration)):
        victim = shop.chance.choice(customers)
        shop.at(number / 20, lambda victim=victim, number=number: shop.guess(victim, SHARED, wrong=f"guess {number}"))  # type: ignore[misc]
    shop.run()
    return shop


def one_account(tenant: Tenant, scale: float) -> Shop:
    """1,000 addresses guess ten times each within an hour at one account, whose owner logs in every few minutes."""
    shop = Shop(tenant=tenant)
    owner = Customer(
        email="owner@b.example",
        client=Client(address=SHARED, user_agent=COMMONEST),
        is_device_known=True,
        group="owner",
    )
    guesses = [address_of(number % int(1_000 * scale)) for number in range(int(10_000 * scale))]
    for number, address in enumerate(guesses):
        when = HOUR * number / len(guesses)
        shop.at(when, lambda address=address, number=number: shop.guess(owner, address, wrong=f"guess {number}"))  # type: ignore[misc]
    for visit in range(12):
        seconds = visit * 300.0
        shop.at(seconds, lambda seconds=seconds: shop._type(owner, since=seconds))  # type: ignore[misc]
    shop.run()
    shop.most_in_a_row = shop.compared - 12  # also where the owner's log-ins lie between them
    return shop


def stuffing(tenant: Tenant, scale: float, *, addresses: int) -> Shop:
    """100,000 pairs of e-mail and password within an hour, from so many addresses; one of a hundred is right."""
    shop, pairs = Shop(tenant=tenant), int(100_000 * scale)
    for number in range(pairs):
        nowhere = Client(address="198.51.100.1", user_agent=COMMONEST)
        victim = Customer(email=f"{number}@c{addresses}.example", client=nowhere, is_device_known=False, group="victim")
        wrong = "" if shop.chance.random() < RIGHT_PAIRS else f"pair {number}"
        address = address_of(number % addresses)
        shop.at(
            HOUR * scale * number / pairs,
            lambda victim=victim, address=address, wrong=wrong: shop.guess(victim, address, wrong=wrong),  # type: ignore[misc]
        )
    shop.run()
    return shop


def main(scale: float = 1.0) -> None:
    """Print the figures."""
    call_command("migrate", verbosity=0)
    tenants = [directory.create_tenant(code=code)[0] for code in ("shared", "account", "one", "many")]
    shared = shared_address(tenants[0], scale)
    print("10,000 customers behind one address, an attacker there: right log-ins delayed over 2 s")
    for group, bound in (("known", "< 0.1 %"), ("new", "< 5 %"), ("elsewhere", "0")):
        print(f"  {group:10} {shared.delayed(group):8.3%} of {len(shared.delays[group]):6,}  (bound: {bound})")
    print(f"  guesses compared for one account in a row: {shared.most_in_a_row} (bound: 100)", flush=True)
    owned = one_account(tenants[1], scale)
    print("1,000 addresses, ten guesses each, one account")
    print(f"  guesses compared in a row: {owned.most_in_a_row} (bound: 100)")
    print(f"  owner on a known device shut out: {max(owned.delays['owner']):.0f} s (bound: 0)", flush=True)
    for tenant, addresses in ((tenants[2], 1), (tenants[3], 1_000)):
        stuffed = stuffing(tenant, scale, addresses=addresses)
        bound = "2,000" if addresses == 1 else "none"
        print(f"100,000 pairs within an hour from {addresses:,} addresses")
        print(f"  compared: {stuffed.compared:,} (bound: {bound})", flush=True)


if __name__ == "__main__":
    main(float(os.environ.get("BENCH_GUESSING_SCALE", "1")))
