"""What a storefront asks for one customer at a time, and the codes that its customers are mailed."""

import json
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from bench.shop import (
    ANONYMOUS_LOGIN,
    APPLICATION_ID,
    APPLICATION_SECRET,
    LOGIN,
    PASSWORD,
    TENANT,
    TICKETS,
    ask,
    email,
)
from tests import smtp_server

PATIENCE = 60.0  # seconds for a mail
SUCCESS = 200
CODE = re.compile(r"^[0-9]{6}\r?$", re.M)


@dataclass(frozen=True)
class Storefront:
    """What one shop asks, from an address of each caller's."""

    base: str
    smtp: smtp_server.SmtpServer

    def status(
        self, path: str, token: str = "", body: object = None, *, method: str = "", address: str = "192.0.2.1"
    ) -> int:
        """That of the answer."""
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, headers, method=method or None)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def visit(self) -> str:
        return str(ask(self.base, ANONYMOUS_LOGIN)["access_token"])

    def log_in(self, index: int) -> dict[str, str]:
        """The customer's tokens."""
        tokens: dict[str, str] = ask(self.base, LOGIN, self.visit(), {"email": email(index), "password": PASSWORD})
        return tokens

    def log_in_status(self, index: int, password: str = PASSWORD) -> int:
        """From an address of the customer's own."""
        body = {"email": email(index), "password": password}
        return self.status(LOGIN, self.visit(), body, address=f"192.0.2.{100 + index}")

    def refresh_path(self, token: str) -> str:
        return f"/customer/{TENANT}/refreshauthtoken?refreshToken={token}"

    def application(self) -> str:
        body = {"client_id": APPLICATION_ID, "client_secret": APPLICATION_SECRET}
        return str(ask(self.base, "/platform/applications/authtickets/oauth", "", body)["access_token"])

    def ask_for_code(self, index: int) -> int:
        return self.status(f"{TICKETS}/otp/request", self.application(), {"email": email(index)})

    def code(self, index: int, after: int) -> str:
        """The code in a mail that came after so many, "" where none comes."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for mail in self.smtp.mails[after:]:
                body = mail.get_body(("plain",))
                found = CODE.findall(str(body.get_content())) if body else []
                if found and str(mail["To"]) == email(index):
                    return str(found[0]).strip()
            time.sleep(0.05)
        return ""

    def answer(self, index: int, code: str) -> int:
        body = {"email": email(index), "otpCode": code}
        return self.status(f"{TICKETS}/otp/auth", self.application(), body)

    def seconds_to_a_code(self, index: int) -> float:
        """From asking for one until it arrives."""
        before, started = len(self.smtp.mails), time.monotonic()
        asked, code = self.ask_for_code(index), self.code(index, before)
        return time.monotonic() - started if asked == SUCCESS and code else PATIENCE
