"""Who calls over the network: the address and the software, and what makes a device known."""

import re
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.core.exceptions import ValidationError
from ua_parser import Parser
from ua_parser.loaders import load_lazy_builtins

from tenants.secrets.keyed_hashes import keyed_hash

ADDRESSES_KEPT = 4096  # that were parsed lately
# A phone's address changes within its provider's network many times a day; these prefixes stay (RFC 6177 for IPv6).
IPV4_PREFIX_BITS = 24
IPV6_PREFIX_BITS = 48
# A subscriber gets no less than this (RFC 6177, 2), so counting single addresses would allow 2 ** 64 attempts.
IPV6_LINE_BITS = 64
# The widest network that a shop may call its own: half of a company's IPv4 block, and what a site gets in IPv6.
WIDEST_IPV4_BITS = 16
WIDEST_IPV6_BITS = 48
# The first product of a User-Agent (RFC 9110, 10.1.5), less its version: the name of what ua-parser does not know.
PRODUCT = re.compile(r"[^/\s(]*")
# In the User-Agent of every browser on a telephone, and of most on a tablet (MDN, Browser detection); and on an iPad.
HANDHELD, TABLET = "Mobi", "iPad"


@dataclass(frozen=True, kw_only=True)
class Client:
    """The caller: `address` is an IP address in text or "" when unknown, `user_agent` is what it calls itself.

    `told_device` identifies the customer's device by what the storefront tells of it (`told_device`), "" for nothing.
    """

    address: str = ""
    user_agent: str = ""
    told_device: str = ""

    @cached_property
    def network(self) -> str:
        """The network that the address belongs to, "" when the address is unknown."""
        return self._prefix(IPV4_PREFIX_BITS, IPV6_PREFIX_BITS)

    @cached_property
    def subscriber(self) -> str:
        """What attempts are counted by: the IPv4 address or the network of one IPv6 line, "" when unknown."""
        return self._prefix(32, IPV6_LINE_BITS)

    def _prefix(self, ipv4_bits: int, ipv6_bits: int) -> str:
        if not self.address:
            return ""
        address = unmapped(self.address)
        bits = ipv4_bits if isinstance(address, IPv4Address) else ipv6_bits
        others = address.max_prefixlen - bits
        return f"{type(address)(int(address) >> others << others)}/{bits}"  # a fourth of what `ip_network` costs

    @cached_property
    def device(self) -> str:
        """A keyed hash, hexadecimal: equal for the same device, telling nothing else. It is of network and software,
        unless the storefront told the device: where its server calls, both are the server's."""
        return self.told_device or _hash("tenants.clients.device", "\n".join((self.network, *self._software)))

    @property
    def is_recognizable(self) -> bool:
        """Whether the device is told apart from others in its network: what names no operating system may be a shop's
        server, which calls for every customer."""
        return bool(self.told_device or self._software[1])

    @property
    def in_words(self) -> str:
        """The device as its owner knows it, such as "Firefox on Windows"; "" when nothing is known."""
        browser, system, kind = self._software
        named = " on ".join(each for each in (browser, system) if each)
        return f"{named}, {kind}" if named and kind else named

    @cached_property
    def _software(self) -> tuple[str, str, str]:
        """Browser, operating system and kind, "" for what is not known; no version, so that an update changes none."""
        text = self.user_agent.encode(errors="replace").decode()
        parsed = _parser().parse(text)
        browser = parsed.user_agent.family if parsed.user_agent else PRODUCT.match(text)[0]  # type: ignore[index]
        system = parsed.os.family if parsed.os else ""
        return browser, system, "tablet" if TABLET in text else "mobile" if HANDHELD in text else ""


@cache
def _parser() -> Parser:
    """Of browsers and operating systems: the patterns of devices take 13 MiB, more than both, and tell nothing here."""
    browsers, systems, _ = load_lazy_builtins()
    return Parser.from_matchers((browsers, systems, []))


def told_device(*, fingerprint: str, region: str) -> str:
    """For `Client`: a keyed hash of what a storefront tells of its customer's device, "" when that is nothing, or a
    region alone, in which many are."""
    if not fingerprint:
        return ""
    return _hash("tenants.clients.told_device", f"{fingerprint}\n{region}")


def _hash(purpose: str, text: str) -> str:
    return keyed_hash(purpose, text).hex()[:32]


@lru_cache(maxsize=4096)
def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks that are named, with spaces or commas between them. Raises `ValueError`."""
    return tuple(ip_network(each) for each in text.replace(",", " ").split())


def check_networks(text: str) -> None:
    """Raises `ValidationError` unless these are networks, and none so wide that strangers have addresses in it."""
    try:
        named = networks(text)
    except ValueError as error:
        raise ValidationError(f"Enter networks such as 192.0.2.0/28: {error}.") from error
    for each in named:
        if each.prefixlen < (WIDEST_IPV4_BITS if isinstance(each, IPv4Network) else WIDEST_IPV6_BITS):
            raise ValidationError(f"{each} is too wide: others have addresses in it, and could name any shopper's.")


@lru_cache(maxsize=ADDRESSES_KEPT)
def unmapped(text: str) -> IPv4Address | IPv6Address:
    """The address; an IPv4 one that a dual-stack socket writes as `::ffff:192.0.2.1` as what it is, or else all of
    IPv4 would be one network."""
    address = ip_address(text)
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
