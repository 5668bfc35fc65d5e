"""A device stays known while its address moves within a network, and only then."""

import ipaddress
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest_django import Settings

from tenants.clients import Client, told_device


def device(address: object, user_agent: str = "tests/1.0") -> str:
    return Client(address=str(address), user_agent=user_agent).device


@given(st.ip_addresses(v=4), st.integers(0, 2**8 - 1))
def test_device_is_the_same_within_an_ipv4_network(address: ipaddress.IPv4Address, host: int) -> None:
    neighbour = ipaddress.IPv4Address(int(address) >> 8 << 8 | host)
    assert device(address) == device(neighbour)


@given(st.ip_addresses())
def test_networks_are_what_python_says(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    address = getattr(address, "ipv4_mapped", None) or address
    bits = {4: (24, 32), 6: (48, 64)}[address.version]
    network, subscriber = (str(ipaddress.ip_network((address, each), strict=False)) for each in bits)
    caller = Client(address=str(address).partition("%")[0])
    assert (caller.network, caller.subscriber) == (network, subscriber)


@given(st.ip_addresses(v=6), st.integers(0, 2**80 - 1))
def test_device_is_the_same_within_an_ipv6_network(address: ipaddress.IPv6Address, host: int) -> None:
    neighbour = ipaddress.IPv6Address(int(address) >> 80 << 80 | host)
    assume(address.ipv4_mapped is None and neighbour.ipv4_mapped is None)
    assert device(address) == device(neighbour)


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_device_differs_between_networks(one: ipaddress.IPv4Address, other: ipaddress.IPv4Address) -> None:
    assert (device(one) == device(other)) == (int(one) >> 8 == int(other) >> 8)


@given(st.ip_addresses(v=4))
def test_device_of_an_ipv4_address_written_as_ipv6(address: ipaddress.IPv4Address) -> None:
    assert device(f"::ffff:{address}") == device(address)


CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 ({}; rv:133.0) Gecko/20100101 Firefox/133.0"
ANDROID = "Mozilla/5.0 (Linux; Android {}; {}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0{} Safari/537.36"
IOS = "Mozilla/5.0 ({}; CPU OS {} like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 {}Safari/604.1"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CHROME.format(130), CHROME.format(131)),
        (ANDROID.format(13, "SM-S901B", " Mobile"), ANDROID.format(14, "K", " Mobile")),
        (IOS.format("iPhone", "17_5", "Mobile/15E148 "), IOS.format("iPhone", "18_1", "Mobile/15E148 ")),
        ("shop-app/3.1 (build 7)", "shop-app/3.2 (build 9)"),
        ("okhttp/4.9.0", "okhttp/5.0.0"),
        ("", ""),
    ],
)
def test_an_update_of_browser_or_system_is_no_new_device(before: str, after: str) -> None:
    assert device("192.0.2.10", before) == device("192.0.2.10", after)


def test_browsers_systems_and_kinds_are_different_devices() -> None:
    agents = [
        CHROME.format(131),
        FIREFOX.format("Windows NT 10.0"),
        FIREFOX.format("X11; Linux x86_64"),
        ANDROID.format(13, "K", ""),
        ANDROID.format(13, "K", " Mobile"),
        IOS.format("iPhone", "18_1", "Mobile/15E148 "),
        IOS.format("iPad", "18_1", "Mobile/15E148 "),
        "okhttp/4.9.0",
        "shop-app/3.1",
        "another-app/3.1",
        "",
    ]
    assert len({device("192.0.2.10", agent) for agent in agents}) == len(agents)


@given(st.text(st.characters(categories=None), max_size=300))
def test_any_user_agent_has_a_device(user_agent: str) -> None:
    assert re.fullmatch("[0-9a-f]{32}", device("192.0.2.10", user_agent))


@pytest.mark.parametrize(
    ("client", "is_recognizable"),
    [
        (Client(user_agent=CHROME.format(131)), True),
        (Client(user_agent="axios/1.6.2"), False),
        (Client(user_agent="tests/1.0"), False),
        (Client(), False),
        (Client(user_agent="axios/1.6.2", told_device="f"), True),
    ],
)
def test_what_names_no_system_may_be_a_server(client: Client, is_recognizable: bool) -> None:
    assert client.is_recognizable is is_recognizable


def test_device_tells_nothing_without_our_key(settings: Settings) -> None:
    before = device("192.0.2.10")
    assert re.fullmatch("[0-9a-f]{32}", before)
    settings.SECRET_KEY = "another key of ours"
    assert device("192.0.2.10") != before


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.10", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("", "")],
)
def test_network_of_an_address(address: str, network: str) -> None:
    assert Client(address=address).network == network


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_subscriber_is_one_however_many_ipv6_addresses_it_has(address: ipaddress.IPv6Address, host: int) -> None:
    neighbour = ipaddress.IPv6Address(int(address) >> 64 << 64 | host)
    assume(address.ipv4_mapped is None and neighbour.ipv4_mapped is None)
    assert Client(address=str(address)).subscriber == Client(address=str(neighbour)).subscriber


@pytest.mark.parametrize(
    ("address", "subscriber"),
    [
        ("192.0.2.10", "192.0.2.10/32"),
        ("::ffff:192.0.2.10", "192.0.2.10/32"),
        ("2001:db8::1", "2001:db8::/64"),
        ("", ""),
    ],
)
def test_subscriber_of_an_address(address: str, subscriber: str) -> None:
    assert Client(address=address).subscriber == subscriber


def test_device_is_what_the_storefront_tells_of_it() -> None:
    """Whatever network and software the storefront's server calls with."""
    told = [
        told_device(fingerprint=fingerprint, region=region)
        for fingerprint, region in (("f", "DE"), ("g", "DE"), ("f", "FR"), ("f", ""), ("", "DE"), ("", ""))
    ]
    here = [Client(address="192.0.2.10", user_agent="shop/1", told_device=each).device for each in told]
    there = [Client(address="198.51.100.7", user_agent="shop/2", told_device=each).device for each in told]
    assert len(set(here)) == 5
    assert here[:4] == there[:4]
    region_alone, nothing = here[4:]
    assert region_alone == nothing == Client(address="192.0.2.10", user_agent="shop/1").device


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/18.5 Mobile/15E148 Safari/604.1",
            "Mobile Safari on iOS, mobile",
        ),
        ("shop-server/1.2", "shop-server"),
        ("", ""),
    ],
)
def test_a_device_in_words(user_agent: str, words: str) -> None:
    assert Client(user_agent=user_agent).in_words == words
