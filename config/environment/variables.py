"""Reads environment variables. What can't be used stops the start, with one sentence that names variable and reason.

A variable that is set to nothing counts as not set, as in `PORT=` of an environment file.
"""

import os
from collections.abc import Mapping
from email.utils import parseaddr
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

TRUE, FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


class InvalidVariable(SystemExit):
    """Ends the process with status 1; the sentence goes to standard error."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")


class Environment:
    """The variables that Patron was started with. Every reader raises `InvalidVariable`."""

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        self._variables = variables

    def text(self, name: str, default: str = "") -> str:
        """The value without the spaces around it."""
        return self._variables.get(name, "").strip() or default

    def flag(self, name: str, default: bool) -> bool:
        """`true` or `false`."""
        text = self.text(name, TRUE[0] if default else FALSE[0])
        if text.lower() not in (*TRUE, *FALSE):
            raise InvalidVariable(name, f"is {text!r}: it is true or false.")
        return text.lower() in TRUE

    def number(self, name: str, default: int, *, at_least: int, at_most: int) -> int:
        """A whole number between the two."""
        text = self.text(name, str(default))
        if not text.isdecimal() or not at_least <= int(text) <= at_most:
            raise InvalidVariable(name, f"is {text!r}: it is a whole number from {at_least} to {at_most}.")
        return int(text)

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        """One of the choices, in capitals as they are."""
        text = self.text(name, default).upper()
        if text not in choices:
            raise InvalidVariable(name, f"is {text!r}: it is one of {', '.join(choices)}.")
        return text

    def texts(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        """What commas separate."""
        return [part.strip() for part in self.text(name, ",".join(default)).split(",") if part.strip()]

    def hosts(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        """Host names, with a dot in front for every name below; no scheme, no port, no path."""
        for host in (found := self.texts(name, default)):
            is_address = host.startswith("[") and host.endswith("]")
            if not is_address and any(mark in host for mark in "/: @"):
                raise InvalidVariable(name, f"has {host!r}: a host name has no scheme, no port and no path.")
        return found

    def origins(self, name: str) -> list[str]:
        """Origins such as `https://shop.example` (RFC 6454)."""
        for origin in (found := self.texts(name)):
            parts = self.parts(name, origin)
            if not _is_origin(parts):
                raise InvalidVariable(name, f"has {origin!r}: an origin is https://host or https://host:port.")
        return found

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """Addresses or networks such as `10.0.0.0/8`."""
        return [self._network(name, text) for text in self.texts(name)]

    def _network(self, name: str, text: str) -> IPv4Network | IPv6Network:
        try:
            return ip_network(text)
        except ValueError as error:
            raise InvalidVariable(name, f"has a network that can't be used: {error}.") from None

    def web_address(self, name: str, default: str) -> str:
        """`http://` or `https://`, a host and nothing behind it; the value has no slash at its end."""
        text = self.text(name, default).rstrip("/")
        parts = self.parts(name, text)
        if not _is_origin(parts):
            raise InvalidVariable(name, f"is {text!r}: it is https:// and a host, with a port where it needs one.")
        return text

    def called_address(self, name: str) -> str:
        """An address that is called by HTTP, "" for none."""
        text = self.text(name)
        parts = self.parts(name, text)
        if text and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise InvalidVariable(name, "is not an address: it starts with https:// or http://.")
        return text

    def dsn(self, name: str) -> str:
        """What Sentry calls a DSN, "" for none: its address, with a key in front and a project behind."""
        text = self.called_address(name)
        parts = self.parts(name, text)
        if text and (not parts.username or not parts.path.rpartition("/")[2].isdecimal()):
            raise InvalidVariable(name, "is not https://key@host/project, with a number as the project.")
        return text

    def parts(self, name: str, text: str) -> SplitResult:
        """The parts of an address; its port is a number, where it has one."""
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError:  # whose own words can show a part of a password
            problem = "is not an address: its port is no number, or its password needs percent-encoding."
            raise InvalidVariable(name, problem) from None
        return parts

    def mailbox(self, name: str, default: str) -> str:
        """An address with or without the name of its owner (RFC 5322, 3.4)."""
        text = self.text(name, default)
        local, _, domain = parseaddr(text)[1].rpartition("@")
        if not local or not domain or not text.isprintable():
            raise InvalidVariable(name, f"is {text!r}: it is shop@example.com or Shop <shop@example.com>.")
        return text

    def file(self, name: str) -> str:
        """The path of a file that can be read, or ""."""
        text = self.text(name)
        if text:
            try:
                Path(text).open("rb").close()
            except OSError as error:
                raise InvalidVariable(name, f"is {text!r}, which can't be read: {error.strerror}.") from None
        return text


def _is_origin(parts: SplitResult) -> bool:
    """Scheme, host and port alone (RFC 6454, 4)."""
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and parts.geturl() == f"{parts.scheme}://{parts.netloc}"
    )
