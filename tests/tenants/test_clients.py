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


@given(st.text(), st.text())
def test_device_differs_between_user_agents(one: str, other: str) -> None:
    assert (device("192.0.2.10", one) == device("192.0.2.10", other)) == (one == other)


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
    assert len(set(here)) == 6
    assert here[:5] == there[:5]
    assert here[5] == Client(address="192.0.2.10", user_agent="shop/1").device
