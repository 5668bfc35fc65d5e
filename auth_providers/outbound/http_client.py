"""Calls to other identity providers: short, without redirects, and never into our own network.

Staff enter a provider's address, so it could name a host that only we can reach (OWASP ASVS 5.0, 13.2.4). What a name
resolves to is checked and then connected to; `ALLOWED_PROVIDER_HOSTS` names exceptions. The address is parsed for the
check by the library that calls it: two parsers would disagree about some address.
"""

import ipaddress
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from threading import Lock
from urllib.parse import quote_plus

import requests
import urllib3
from django.conf import settings
from requests_hardened import Config, HTTPSession
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.util import Url, parse_url

from auth_providers.outbound import limited_time
from tenants.errors import DomainError, Kind, Reason
from tenants.telemetry import context, metrics

TIMEOUT = (2.0, 5.0)  # seconds, to connect and to read
MAX_BYTES = 512 * 1024
PROVIDER = "provider"  # what is called, where it does not say of what kind it is
SHORT_BYTES = 4 * 1024
RETRY_AFTER = 5  # seconds
LONGEST_CODE = 64  # characters
# All of IPv6 that is routed (RFC 4291, 2.4, and IANA's registry). What embeds an IPv4 address in another way than the
# mapped one, such as ::127.0.0.1 and ::ffff:0:127.0.0.1, and what is local to a site lies outside.
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
AMBIGUOUS = re.compile(r"[\\\x00-\x20\x7f]")

REFUSALS = set(range(400, 500)) - {408, 429}  # those two mean: later


class ProviderUnavailable(DomainError):
    """The provider is down, slow or answers what we can't read. No credentials are wrong."""

    kind = Kind.UNAVAILABLE
    reason = Reason.PROVIDER_UNAVAILABLE
    default_message = "The identity provider does not answer. Try again."


class ProviderRefused(Exception):
    """The provider understood and said no. `code` is its word for why (RFC 6749, 5.2), "" when it gave none."""

    def __init__(self, code: str = "") -> None:
        self.code = code
        super().__init__(code or "no reason given")


class NoAnswer(Exception):
    """Why a call has no answer that we can use, in words without what was sent."""


def get_json(url: str, *, system: str = PROVIDER) -> dict[str, object]:
    """The JSON object at `url`, of a provider of the kind `system`. Raises `ProviderUnavailable`."""
    try:
        return call("GET", url, system=system)
    except ProviderRefused as error:
        raise ProviderUnavailable(retry_after=RETRY_AFTER) from error


def post_form(
    url: str, form: dict[str, str], *, credentials: tuple[str, str], system: str = PROVIDER
) -> dict[str, object]:
    """The JSON object that answers a form, sent with HTTP Basic.

    Raises `ProviderRefused` for a 4xx and `ProviderUnavailable`.
    """
    return call("POST", url, form=form, credentials=credentials, system=system)


def call(
    method: str,
    url: str,
    *,
    query: Mapping[str, str] | None = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    credentials: tuple[str, str] | None = None,
    system: str = PROVIDER,
) -> dict[str, object]:
    """The JSON object that answers. `credentials` go by HTTP Basic (RFC 6749, 2.3.1); the call counts as one to
    `system`.

    Raises `ProviderRefused` for a 4xx and `ProviderUnavailable`.
    """
    try:
        with (
            _counted(system, method) as trace,
            _session(url) as session,
            session.request(
                method,
                url,
                params=query,
                data=form,
                auth=None if credentials is None else (quote_plus(credentials[0]), quote_plus(credentials[1])),
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
                headers={"Accept": "application/json", **(headers or {}), **trace},
            ) as answer,
        ):
            return _parsed(answer)
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError, RecursionError) as error:
        raise ProviderUnavailable(retry_after=RETRY_AFTER) from NoAnswer(_without_query(error))


@contextmanager
def _counted(system: str, method: str) -> Iterator[dict[str, str]]:
    """Inside, a system is called: a kind of provider, or `endpoint`. Yields the trace's headers."""
    result = "failed"
    try:
        with context.span(method, "client") as trace:
            yield trace
        result = "answered"
    except ProviderRefused:
        result = "refused"
        raise
    finally:
        metrics.calls.labels(system, result).inc()


def _without_query(error: Exception) -> str:
    """What happened. Tokens and secrets travel in the query to some providers; staff and logs don't see it."""
    return re.sub(r"\?[^\s'\")]+", "?…", f"{type(error).__name__}: {error}")


def is_allowed(url: str) -> bool:
    """Whether `url` is one that is called at all, as far as that shows before its host is looked up."""
    try:
        parts = _parts(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_exception(parts))


def _parts(url: str) -> Url:
    """What `url` consists of, by the parser of the library that makes the call.

    Raises `ValueError` for an address without a host, and for what parsers read in different ways: a backslash, a
    space, a control character, a user name or password in front of the host.
    """
    if AMBIGUOUS.search(url):
        raise ValueError("a provider's address has no backslash, space or control character")
    parts = parse_url(url)
    if not parts.host or parts.auth is not None:
        raise ValueError("a provider's address has a host and no user name")
    return parts


def _is_exception(parts: Url) -> bool:
    """Whether the deployment allows the host in our own network."""
    return (parts.host or "").strip("[]") in settings.ALLOWED_PROVIDER_HOSTS


class _PublicAddresses(IPFilterAdapter):  # type: ignore[misc]  # the library has no types
    """Connects to what a name resolves to, and refuses addresses of our own networks. It refuses more of IPv6 than the
    library does."""

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: bool | str, cert: str | tuple[str, str] | None = None
    ) -> tuple[dict[str, str | int | None], dict[str, object]]:
        """Where to connect to. Raises `requests.RequestException` for an address that is not called."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        address = ipaddress.ip_address(host["host"].strip("[]"))
        if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_UNICAST:
            raise requests.exceptions.InvalidURL("a provider has a public address")
        return host, pool


def _session(url: str) -> requests.Session:
    parts = _parts(url)
    if _is_exception(parts):
        return limited_time.limit(requests.Session())
    if parts.scheme != "https":
        raise ValueError("a provider outside of our network is called by https only")
    session: requests.Session = HTTPSession(
        Config(
            ip_filter_enable=True,
            ip_filter_allow_loopback_ips=False,
            never_redirect=True,
            default_timeout=TIMEOUT,
        )
    )
    session.mount("https://", _PublicAddresses(is_https_proto=True))
    return limited_time.limit(session)


def _parsed(answer: requests.Response) -> dict[str, object]:
    if answer.status_code in REFUSALS:
        raise ProviderRefused(_refusal(answer))
    if answer.status_code != requests.codes.ok:
        raise ValueError(f"the provider answered {answer.status_code}")
    parsed = json.loads(_body(answer))
    if not isinstance(parsed, dict):
        raise ValueError("the provider's answer is not an object")
    return parsed


def _refusal(answer: requests.Response) -> str:
    """The code of an error: a text (RFC 6749, 5.2), or a number inside an object (Facebook)."""
    try:
        parsed = json.loads(_body(answer))
    except (urllib3.exceptions.HTTPError, ValueError, RecursionError):
        return ""
    error = parsed.get("error") if isinstance(parsed, dict) else None
    code = error.get("code") if isinstance(error, dict) else error
    return re.sub(r"\W+", " ", str(code))[:LONGEST_CODE] if isinstance(code, str | int) else ""


def _is_short(answer: requests.Response) -> bool:
    """Whether reading the answer, which nobody asks for, is cheaper than a new connection."""
    length = answer.headers.get("Content-Length", "")
    return length.isascii() and length.isdigit() and int(length[:9]) <= SHORT_BYTES


def _body(answer: requests.Response, deadline: float | None = None) -> bytes:
    """All of the answer, unless it is too long or comes too slowly: the timeout is one of silence only."""
    body, deadline = b"", deadline or time.monotonic() + TIMEOUT[1]
    while part := answer.raw.read1(MAX_BYTES + 1, decode_content=True):
        body += part
        if len(body) > MAX_BYTES:
            raise ValueError("the provider's answer is too long")
        if time.monotonic() > deadline:
            raise ValueError("the provider's answer takes too long")
    return body


class KeptSessions:
    """Sessions that keep connections open from call to call, for many calls to the same hosts, also from several
    threads. No cookie is kept: what one host sets is no other's, nor another tenant's."""

    def __init__(self) -> None:
        self._by_kind: dict[bool, requests.Session] = {}
        self._lock = Lock()

    def of(self, url: str) -> requests.Session:
        """The session for this address. Raises `ValueError` for one that is not called at all."""
        if not is_allowed(url):
            raise ValueError("a provider outside of our network is called by https only")
        kind = _is_exception(_parts(url))
        with self._lock:
            if kind not in self._by_kind:
                self._by_kind[kind] = _session(url)
                self._by_kind[kind].cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            return self._by_kind[kind]

    def close(self) -> None:
        """Close every connection."""
        for session in self._by_kind.values():
            session.close()


def kept_sessions() -> KeptSessions:
    """For calls that follow one another; close it in the end."""
    return KeptSessions()


@contextmanager
def _session_for(url: str, kept: KeptSessions | None) -> Iterator[requests.Session]:
    if kept is not None:
        yield kept.of(url)
        return
    with _session(url) as session:
        yield session


def post_json(
    url: str,
    content: bytes,
    *,
    headers: Mapping[str, str],
    is_answer_read: bool = True,
    sessions: KeptSessions | None = None,
    system: str = PROVIDER,
) -> tuple[int, bytes]:
    """Post JSON and return the status, whatever it is, and the body of the answer, b"" when it need not be read. A
    connection of `sessions` is used again where the answer is short. The call counts as one to `system`.

    Raises `ProviderUnavailable` when there is no answer within `TIMEOUT`, which here is that of the whole call.
    """
    deadline = time.monotonic() + TIMEOUT[1]
    try:
        with (
            _counted(system, "POST") as trace,
            _session_for(url, sessions) as session,
            session.post(
                url,
                data=content,
                timeout=urllib3.Timeout(connect=TIMEOUT[0], total=TIMEOUT[1]),  # type: ignore[arg-type]
                allow_redirects=False,
                stream=True,
                headers={"Accept": "application/json", "Content-Type": "application/json", **headers, **trace},
            ) as answer,
        ):
            if is_answer_read or (sessions is not None and _is_short(answer)):
                return answer.status_code, _body(answer, deadline)
            return answer.status_code, b""
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        raise ProviderUnavailable(retry_after=RETRY_AFTER) from error
