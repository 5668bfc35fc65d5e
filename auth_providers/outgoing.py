"""Calls to other identity providers: short, without redirects, and never into our own network.

Staff enter a provider's address, so it could name a host that only we can reach (OWASP ASVS 5.0, 13.2.4). What a name
resolves to is checked and then connected to; `ALLOWED_PROVIDER_HOSTS` names exceptions.
"""

import json
import time
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from django.conf import settings
from requests_hardened import Config, HTTPSession

from tenants.errors import DomainError, Kind

TIMEOUT = (2.0, 5.0)  # seconds, to connect and to read
MAX_BYTES = 512 * 1024
RETRY_AFTER = 5  # seconds

REFUSALS = set(range(400, 500)) - {408, 429}  # those two mean: later


class ProviderUnavailable(DomainError):
    """The provider is down, slow or answers nonsense. Nobody's credentials are wrong."""

    kind = Kind.UNAVAILABLE
    code = "provider_unavailable"
    default_message = "The identity provider does not answer. Try again."


class ProviderRefused(Exception):
    """The provider understood and said no."""


def get_json(url: str) -> dict[str, Any]:
    """The JSON object at `url`. Raises `ProviderUnavailable`."""
    try:
        return _send("GET", url)
    except ProviderRefused as error:
        raise ProviderUnavailable(retry_after=RETRY_AFTER) from error


def post_form(url: str, form: dict[str, str], *, credentials: tuple[str, str]) -> dict[str, Any]:
    """The JSON object that answers a form, sent with HTTP Basic (RFC 6749, 2.3.1).

    Raises `ProviderRefused` for a 4xx and `ProviderUnavailable`.
    """
    return _send("POST", url, data=form, auth=credentials)


def _send(method: str, url: str, **options: Any) -> dict[str, Any]:
    try:
        with _session(url) as session:
            answer = session.request(
                method,
                url,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
                headers={"Accept": "application/json"},
                **options,
            )
            return _parsed(answer)
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, RecursionError) as error:
        raise ProviderUnavailable(retry_after=RETRY_AFTER) from error


def _session(url: str) -> requests.Session:
    if urlsplit(url).hostname in settings.ALLOWED_PROVIDER_HOSTS:
        return requests.Session()
    if urlsplit(url).scheme != "https":
        raise ValueError("a provider outside of our network is called by https only")
    session: requests.Session = HTTPSession(
        Config(
            ip_filter_enable=True,
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=TIMEOUT,
        )
    )
    return session


def _parsed(answer: requests.Response) -> dict[str, Any]:
    if answer.status_code in REFUSALS:
        raise ProviderRefused
    if answer.status_code != requests.codes.ok:
        raise ValueError(f"the provider answered {answer.status_code}")
    parsed = json.loads(_body(answer))
    if not isinstance(parsed, dict):
        raise ValueError("the provider's answer is not an object")
    return parsed


def _body(answer: requests.Response) -> bytes:
    """All of the answer, unless it is too long or comes too slowly: the timeout is one of silence only."""
    body, deadline = b"", time.monotonic() + TIMEOUT[1]
    while part := answer.raw.read1(MAX_BYTES + 1, decode_content=True):
        body += part
        if len(body) > MAX_BYTES:
            raise ValueError("the provider's answer is too long")
        if time.monotonic() > deadline:
            raise ValueError("the provider's answer takes too long")
    return body
