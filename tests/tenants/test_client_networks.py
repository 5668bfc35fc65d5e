"""Networks that a shop calls its own, and what a device is called."""

from ipaddress import ip_network

import pytest
from django.core.exceptions import ValidationError

from tenants.clients import Client, check_networks, networks


@pytest.mark.parametrize(
    "text", ["192.0.2.0/28 2001:db8::/48", "192.0.2.0/28,2001:db8::/48", " 192.0.2.0/28 , 2001:db8::/48 "]
)
def test_networks_are_separated_by_spaces_or_commas(text: str) -> None:
    assert networks(text) == (ip_network("192.0.2.0/28"), ip_network("2001:db8::/48"))


def test_no_text_names_no_network() -> None:
    assert networks("") == networks(" , ") == ()


@pytest.mark.parametrize("text", ["", "192.0.0.0/16", "192.0.2.10", "2001:db8:1::/48", "192.0.2.0/24 2001:db8::/64"])
def test_networks_that_may_be_a_shops_own(text: str) -> None:
    check_networks(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("192.0.0.0/15", "192.0.0.0/15 is too wide"),
        ("2001:db8::/47", "2001:db8::/47 is too wide"),
        ("192.0.2.0/24 0.0.0.0/0", "0.0.0.0/0 is too wide"),
        ("::/17", "::/17 is too wide"),
        ("192.0.2.10/24", "Enter networks such as 192.0.2.0/28"),
        ("shop", "Enter networks such as 192.0.2.0/28"),
    ],
)
def test_networks_that_are_none_or_too_wide_are_refused(text: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        check_networks(text)
    [message] = refused.value.messages
    assert message.startswith(said)


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (
            "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
            "Mobile/15E148 Safari/604.1",
            "Mobile Safari on iOS, tablet",
        ),
        ("(Mobile)", ""),
        ("/1.0 Mobi", ""),
        ("shop-app/1.0 Mobile", "shop-app, mobile"),
    ],
)
def test_a_kind_is_told_of_what_has_a_name(user_agent: str, words: str) -> None:
    assert Client(user_agent=user_agent).in_words == words
