"""Text messages: handed to a gateway over HTTP, and to a second one when the first is down.

Which gateways there are is the operator's to say (`SMS_URL`, `SMS_FALLBACK_URL`), so their hosts are trusted; the calls
are short and follow no redirect all the same.

A message is handed over until a gateway takes it, and then never again. That it arrives once can't be promised: a
gateway that takes it and fails to say so in time is asked again, or the second one is. Every attempt carries the same
`{reference}`, by which a gateway can tell a repeated one. And some gateways answer 200 to what they then don't send.
"""

import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, unquote, urlsplit

import requests
import urllib3
from django.conf import settings
from django.utils import timezone

from auth_providers.outbound import limited_time
from tenants.outbox.worker import Undeliverable
from tenants.telemetry import context

TIMEOUT = 5.0  # seconds, for the whole call
# The gateway is what is wrong (our log-in there, our credit, its load), so another one may do.
ITS_OWN_FAULT = {401, 402, 403, 404, 405, 407, 408, 429}
PLACEHOLDER = re.compile(r"\{(to|digits|text|sender|reference)\}")


class Refused(Undeliverable):
    """The gateway will never send this message: sending again would not help."""


class GatewayDown(Exception):
    """The gateway does not answer, or is in trouble."""


class Gateway(Protocol):
    """What sends a text message. `to` is in E.164, `reference` is the same for every attempt at one message.

    Raises `Refused` and `GatewayDown`, which tell neither the number nor the text: both are logged.
    """

    def send(self, *, to: str, text: str, reference: str) -> None:
        """Hand the message over."""


class ConsoleGateway:
    """Writes messages to standard output."""

    def send(self, *, to: str, text: str, reference: str) -> None:
        """Write it there."""
        sys.stdout.write(f"Text message {reference} to {to}: {text}\n")
        sys.stdout.flush()


@dataclass(frozen=True, kw_only=True)
class FileGateway:
    """Writes each message to a file, for the demo."""

    directory: Path

    def send(self, *, to: str, text: str, reference: str) -> None:
        """Write it there."""
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"{timezone.now():%Y%m%d-%H%M%S}-{reference}.txt"
        path.write_text(f"To: {to}\n\n{text}\n", encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class HttpGateway:
    """A gateway that is called: a GET of `url`, or a POST of `body`, JSON or a form. Both are templates."""

    url: str
    body: str = ""
    authorization: str = ""
    sender: str = ""

    def send(self, *, to: str, text: str, reference: str) -> None:
        """Call it once."""
        values = {"to": to, "digits": to.removeprefix("+"), "text": text, "reference": reference, "sender": self.sender}
        headers = {"Authorization": self.authorization} if self.authorization else {}
        body = _body(self.body, values)
        if body:
            headers["Content-Type"] = "application/json" if _is_json(body) else "application/x-www-form-urlencoded"
        status = self._call(_fill(self.url, values, _quoted), body.encode(), headers)
        if 400 <= status < 500 and status not in ITS_OWN_FAULT:  # noqa: PLR2004 - RFC 9110, 15.5
            raise Refused(f"{self._host} answered {status}")
        if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
            raise GatewayDown(f"{self._host} answered {status}")

    def _call(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer; nothing else of it counts. Raises `GatewayDown`."""
        try:
            with (
                context.span("POST" if body else "GET", "client") as trace,
                limited_time.limit(requests.Session()) as session,
            ):
                answer = session.request(
                    "POST" if body else "GET",
                    url,
                    data=body or None,
                    headers={**headers, **trace},
                    timeout=urllib3.Timeout(total=TIMEOUT),  # type: ignore[arg-type]
                    allow_redirects=False,
                    stream=True,
                )
                return answer.status_code
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
            # Without its cause: that one has the address, with number and text, in it.
            raise GatewayDown(f"{self._host} does not answer: {type(error).__name__}") from None

    @property
    def _host(self) -> str:
        return urlsplit(self.url).hostname or "the gateway"


def send(*, to: str, text: str, reference: str) -> None:
    """Hand a message to the first gateway, or to the second where the first is down.

    Raises `Refused` when the one that answers will not have it, `GatewayDown` when none answers.
    """
    failures = []
    for gateway in gateways():
        try:
            return gateway.send(to=to, text=text, reference=reference)
        except GatewayDown as error:
            failures.append(str(error))
    raise GatewayDown("; ".join(failures) or "there is no gateway: set SMS_URL")


def gateways() -> list[Gateway]:
    """Those that the settings name, in the order in which they are tried."""
    first = _gateway(settings.SMS_URL, settings.SMS_BODY, settings.SMS_AUTHORIZATION)
    second = _gateway(settings.SMS_FALLBACK_URL, settings.SMS_FALLBACK_BODY, settings.SMS_FALLBACK_AUTHORIZATION)
    return [gateway for gateway in (first, second) if gateway is not None]


def _gateway(url: str, body: str, authorization: str) -> Gateway | None:
    if not url:
        return None
    if url.startswith("console:"):
        return ConsoleGateway()
    if url.startswith("file:"):
        return FileGateway(directory=Path(unquote(urlsplit(url).path)))
    return HttpGateway(url=url, body=body, authorization=authorization, sender=settings.SMS_SENDER)


def _body(template: str, values: Mapping[str, str]) -> str:
    """What is posted. A template that is JSON stays JSON, whatever the text; any other is a form."""
    as_json = _fill(template, values, _escaped)
    return as_json if _is_json(as_json) else _fill(template, values, _quoted)


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except ValueError:
        return False


def _fill(template: str, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    return PLACEHOLDER.sub(lambda found: escape(values[found[1]]), template)


def _quoted(value: str) -> str:
    return quote(value, safe="")


def _escaped(value: str) -> str:
    return json.dumps(value)[1:-1]
