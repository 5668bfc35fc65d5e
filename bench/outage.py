"""An exercise: mails are asked for while the mail server is away for a minute, and each arrives once.

`python bench/outage.py` runs the production server with its worker, on SQLite, against a mail server on loopback.
"""

import json
import os
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.server import running
from tests import smtp_server
from tests.smtp_server import SmtpServer

SECONDS_AWAY = int(os.environ.get("OUTAGE_SECONDS", "60"))
PEOPLE_PER_PHASE = 20
TENANT, CLIENT_ID = "bench", "storefront"  # of bench/seed.py
PATIENCE = 120  # seconds after the server is back


class Storefront:
    """Signs people up and asks for password resets, as a shop does."""

    def __init__(self, base: str) -> None:
        self.base = base
        visit = self._call(f"/customerlogin/auth/anonymous/login?tenant={TENANT}&client_id={CLIENT_ID}")
        self.token = visit["access_token"]

    def sign_up_and_forget(self, email: str) -> None:
        self._call(f"/customer/{TENANT}/signup", email=email, password="a good long password")
        self._call(f"/customer/{TENANT}/password/reset", email=email)

    def _call(self, path: str, **body: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if body:
            headers["Authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode() if body else None
        with urllib.request.urlopen(urllib.request.Request(self.base + path, data, headers)) as answer:
            return json.loads(answer.read() or b"{}")


def people(phase: str) -> list[str]:
    return [f"{phase}{index}@example.com" for index in range(PEOPLE_PER_PHASE)]


def ask(shop: Storefront, phase: str) -> None:
    for email in people(phase):
        shop.sign_up_and_forget(email)
    print(f"{phase}: {PEOPLE_PER_PHASE} mails asked for")


def main() -> None:
    with smtp_server.running() as first:
        port = first.port
        os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{port}"
        with running("sqlite://") as base:
            drill(Storefront(base), first, port)


def drill(shop: Storefront, first: SmtpServer, port: int) -> None:
    ask(shop, "before")
    time.sleep(1)
    first.shutdown()
    first.server_close()
    taken = Counter(str(mail["To"]) for mail in first.mails)
    print(f"the mail server stops; it has {sum(taken.values())} mails")
    gone_until = time.monotonic() + SECONDS_AWAY
    ask(shop, "during")
    time.sleep(max(0.0, gone_until - time.monotonic()))
    with smtp_server.running(port) as second:
        print(f"it is back after {SECONDS_AWAY} s")
        ask(shop, "after")
        wanted = {email for phase in ("before", "during", "after") for email in people(phase)}
        patience = time.monotonic() + PATIENCE
        while time.monotonic() < patience and len(_arrived(taken, second)) < len(wanted):
            time.sleep(1)
        time.sleep(15)  # long enough for a second copy to come
        verdict(wanted, _arrived(taken, second))


def _arrived(taken: Counter[str], second: SmtpServer) -> Counter[str]:
    return taken + Counter(str(mail["To"]) for mail in second.mails)


def verdict(wanted: set[str], arrived: Counter[str]) -> None:
    missing, twice = wanted - set(arrived), [email for email, count in arrived.items() if count > 1]
    print(f"wanted {len(wanted)}, arrived {sum(arrived.values())}, missing {len(missing)}, twice {len(twice)}")
    if missing or twice:
        sys.exit(1)


if __name__ == "__main__":
    main()
