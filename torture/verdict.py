"""Compares what was acknowledged with what is there."""

import sqlite3
import time
from collections import Counter

from bench.server import execute
from tests.smtp_server import SmtpServer
from torture.shoppers import Notes

NAMES = (
    "SELECT a.identifier, c.last_name FROM auth_providers_account a JOIN customers_customer c ON c.id = a.customer_id "
    "WHERE a.identifier LIKE 'torture%'"
)
LOG_INS = "SELECT count(*) FROM tenants_auditevent WHERE action = 'log_in' AND is_success"
# A worker that died has a lease of half a minute (`tenants.outbox.leases.LEASE`), and its successor some work.
MAIL_SECONDS = 120


def query(database_url: str, statement: str) -> list[tuple[object, ...]]:
    """The rows."""
    if not database_url.startswith("sqlite"):
        return execute(database_url, statement)
    with sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=30) as connection:
        return connection.execute(statement).fetchall()


def missing_writes(notes: Notes, database_url: str) -> list[str]:
    """Acknowledged sign-ups, profile writes and log-ins that are not there."""
    there = {str(email): str(name) for email, name in query(database_url, NAMES)}
    found = [
        f"{email} is {there.get(email)!r}, not one of {sorted(possible)}"
        for email, possible in notes.names.items()
        if there.get(email) not in possible
    ]
    log_ins = int(str(query(database_url, LOG_INS)[0][0]))
    if log_ins < notes.log_ins:
        found.append(f"the trail has {log_ins} log-ins of {notes.log_ins}")
    return found


class Mails:
    """What arrived, and how often."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    def _resets(self) -> list[tuple[str, str]]:
        mails = [(str(mail["To"]), str(mail["Message-ID"]), str(mail["Subject"])) for mail in list(self._server.mails)]
        return [(to, number) for to, number, subject in mails if "assword" in subject]

    def missing(self, notes: Notes) -> set[str]:
        """Who was promised a mail and has none."""
        return set(notes.asked_for_mail) - {to for to, _ in self._resets()}

    def wait(self, notes: Notes) -> float:
        """Until every mail that was announced is there, or none has come for a while; how many seconds that took."""
        started = moved = time.monotonic()
        left = len(self.missing(notes))
        while left and time.monotonic() - moved < MAIL_SECONDS:
            time.sleep(1)
            before, left = left, len(self.missing(notes))
            moved = time.monotonic() if left < before else moved
        return time.monotonic() - started

    def repeated(self) -> int:
        """How many came more than once, under the same Message-ID."""
        return sum(number - 1 for number in Counter(number for _, number in self._resets()).values())

    def too_many(self, notes: Notes) -> list[str]:
        """Who got more mails, by their Message-ID, than were asked for."""
        different = Counter(to for to, _ in set(self._resets()))
        return [to for to, number in different.items() if number > notes.maybe_asked[to]]


def report(notes: Notes, database_url: str, mails: Mails, killed: Counter[str]) -> list[str]:
    """Print the figures; what is wrong."""
    print("acknowledged:", ", ".join(f"{number} {kind}" for kind, number in sorted(notes.acknowledged.items())))
    print("not answered:", ", ".join(f"{number} {kind}" for kind, number in sorted(notes.in_doubt.items())) or "none")
    print(f"503 with Retry-After: {notes.unavailable}; connections lost: {notes.lost_connections}")
    waited = mails.wait(notes)
    missing, repeated = sorted(mails.missing(notes)), mails.repeated()
    print(
        f"mails announced: {sum(notes.asked_for_mail.values())}, missing: {len(missing)}, "
        f"repeated under the same Message-ID: {repeated} (after {waited:.0f} s)"
    )
    wrong = missing_writes(notes, database_url)
    print(f"acknowledged writes that are missing: {len(wrong)}; other faults: {len(notes.faults)}")
    wrong += [f"no mail to {email}: {_fate_of_mail(database_url, email)}" for email in missing]
    wrong += [f"too many mails to {email}" for email in mails.too_many(notes)]
    wrong += notes.faults
    senders = killed["background worker"] + killed["server"]
    if repeated > senders:
        wrong.append(f"{repeated} mails came twice, and only {senders} senders were killed")
    return wrong


def _fate_of_mail(database_url: str, email: str) -> str:
    """What the outbox says of the newest message to this customer."""
    columns = "template, attempts, sent_at, dropped_at, failed_at, next_attempt_at, last_error"
    newest = f"SELECT {columns} FROM tenants_message WHERE recipient = '{email}' ORDER BY id DESC LIMIT 1"
    found = query(database_url, newest)
    return (
        ", ".join(f"{name}={value}" for name, value in zip(columns.split(", "), found[0], strict=True))
        if found
        else "none"
    )
