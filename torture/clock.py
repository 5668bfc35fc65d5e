"""The clock of the database, the servers and the worker is set back by an hour, forward by a day and right again, while
customers use the shop.

python -m torture.clock

Debian's package faketime sets it for these processes alone.
"""

import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from bench.shop import ME, TENANT, ask
from tests import smtp_server
from torture import installation as installations
from torture.installation import Installation
from torture.shoppers import Crowd, Notes
from torture.storefront import Storefront
from torture.verdict import Mails, report

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
HOUR, DAY = 3600, 86_400
SHOPPERS = 4
WHILE = 20.0  # seconds under each clock
LONGEST_WAIT = 15.0  # seconds for a code: a worker that the clock took ahead waits ten for others' leases
SUCCESS, UNAUTHENTICATED, THROTTLED = 200, 401, 429
FREE_FAILURES = 10  # with one account from one address (`limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS`)
# Who is told to log in again because of the clock: a shopper's visit and session, once for each.
RENEWED = re.compile(r"RuntimeError: [a-z-]+: 401 ")


class Clock:
    """What processes with its `environment` take for the time."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "clock"
        self.set(0)
        self.environment = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # as if somebody set it: that one is not set
        }

    def set(self, seconds: int) -> None:
        """So much ahead of the machine's; returns once every process has noticed."""
        self._file.write_text(f"{seconds:+d}\n")
        time.sleep(2)


class Witness:
    """Customers whose sessions, codes and waits are known, and what they get under another clock."""

    def __init__(self, shop: Storefront) -> None:
        self._shop, self.wrong = shop, list[str]()
        before = len(shop.smtp.mails)
        self.tokens, self.ended, self.refreshed = shop.log_in(1), shop.log_in(2), shop.log_in(3)
        shop.status(f"/customer/{TENANT}/logout", self.ended["access_token"])
        self.successor = ask(shop.base, shop.refresh_path(self.refreshed["refresh_token"]), shop.visit())
        for index in (4, 5):
            shop.ask_for_code(index)
        self.open_code, self.spent_code = shop.code(4, before), shop.code(5, before)
        shop.answer(5, self.spent_code)

    def _refresh_path(self) -> str:
        """It can be repeated: the answer is the same for half a minute."""
        return self._shop.refresh_path(self.tokens["refresh_token"])

    def _fail(self) -> None:
        """Guess a customer's password until the wait after it is half a minute; each time another one, or else it
        counts once."""
        failures = 0
        while failures < FREE_FAILURES + 5:
            status = self._shop.log_in_status(6, f"a wrong password {time.monotonic()}")
            failures += status == UNAUTHENTICATED
            time.sleep(0 if status == UNAUTHENTICATED else 0.5)

    def just_before(self) -> None:
        """What is known a moment before the clock is set."""
        self._fail()
        self._expect("a code again within the cooldown", lambda: self._shop.ask_for_code(7), SUCCESS)
        self._expect("a code again within the cooldown", lambda: self._shop.ask_for_code(7), THROTTLED)
        self._expect("a log-in during a wait", lambda: self._shop.log_in_status(6), THROTTLED)

    def under(self, clock: str, *, is_later: bool) -> None:
        """Ask for everything; `is_later` says that refresh tokens and codes are past their time."""
        shop, alive = self._shop, UNAUTHENTICATED if is_later else SUCCESS
        spent = shop.refresh_path(self.refreshed["refresh_token"])
        for what, act, expected in (
            ("an access token of thirty days", lambda: shop.status(ME, self.tokens["access_token"]), SUCCESS),
            ("a refresh token of a day", lambda: shop.status(self._refresh_path(), shop.visit()), alive),
            (
                "the token of a session that was ended",
                lambda: shop.status(ME, self.ended["access_token"]),
                UNAUTHENTICATED,
            ),
            ("a spent code", lambda: shop.answer(5, self.spent_code), UNAUTHENTICATED),
            ("an open code", lambda: shop.answer(4, self.open_code), alive),
            ("a spent refresh token", lambda: shop.status(spent, shop.visit()), UNAUTHENTICATED),
            ("a right password after a wait", lambda: shop.log_in_status(6), SUCCESS),
            ("a new log-in", lambda: shop.log_in_status(8), SUCCESS),
        ):
            self._expect(f"{clock}: {what}", act, expected)

    def session_goes_on(self, clock: str) -> None:
        """Although its spent refresh token was shown."""
        token = str(self.successor["access_token"])
        self._expect(f"{clock}: its session", lambda: self._shop.status(ME, token), SUCCESS)

    def codes_arrive(self, clock: str, *customers: int) -> None:
        """For each of them, soon."""
        waits = [self._shop.seconds_to_a_code(index) for index in customers]
        print(f"{clock}: codes arrived after {', '.join(f'{each:.1f}' for each in waits)} s", flush=True)
        self.wrong += [f"{clock}: a code took {each:.0f} s" for each in waits if each > LONGEST_WAIT]

    def _expect(self, what: str, act: Callable[[], int], expected: int) -> None:
        status = act()
        print(f"  {what}: {status}", flush=True)
        if status != expected:
            self.wrong.append(f"{what}: {status} instead of {expected}")


def torture(clock: Clock, shop: Storefront) -> list[str]:
    """What is wrong."""
    witness = Witness(shop)
    witness.just_before()
    clock.set(-HOUR)
    back = "an hour back"
    witness.codes_arrive(back, 7, 9)
    witness.under(back, is_later=False)
    witness.session_goes_on(back)
    time.sleep(WHILE)
    clock.set(DAY)
    forward = "a day ahead"
    witness.codes_arrive(forward, 10, 11)
    witness.under(forward, is_later=True)
    time.sleep(WHILE)
    clock.set(0)
    witness.codes_arrive("right again", 10, 12)
    time.sleep(WHILE / 2)
    return witness.wrong


def verdict(notes: Notes, running: Installation, mails: Mails) -> list[str]:
    """What is wrong with what the crowd was told: a clock that is ahead ends sessions and visits."""
    renewed = [each for each in notes.faults if RENEWED.match(each)]
    notes.faults[:] = [each for each in notes.faults if not RENEWED.match(each)]
    print(f"told to log in again: {len(renewed)}")
    wrong = report(notes, running.database_url, mails, Counter())
    if len(renewed) > 2 * SHOPPERS * 3:
        wrong.append(f"{len(renewed)} times somebody had to log in again")
    lines = running.log.read_text().splitlines()
    tracebacks = sum(line.startswith("Traceback") for line in lines)
    print(f"the server logged {len(lines)} lines, {tracebacks} tracebacks")
    return wrong + ([f"{tracebacks} tracebacks", *lines[-30:]] if tracebacks else [])


def main() -> None:
    """From the command line."""
    if not LIBRARY.exists():
        print("The clock is not set: Debian's package faketime is missing.")
        return
    with tempfile.TemporaryDirectory(prefix="patron-torture-") as name, smtp_server.running() as smtp:
        clock = Clock(Path(name))
        with (
            installations.cluster(Path(name), **clock.environment) as cluster,
            installations.installation(Path(name), cluster.url, smtp.port, **clock.environment) as running,
        ):
            crowd = Crowd(running.port, SHOPPERS)
            wrong = torture(clock, Storefront(running.base, smtp))
            wrong += verdict(crowd.stop(), running, Mails(smtp))
    for line in wrong[:40]:
        print("WRONG:", line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
