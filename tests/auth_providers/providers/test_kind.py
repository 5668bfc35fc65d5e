"""Reading the entries of a provider's settings: by type, with what is wrong named."""

import pytest

from auth_providers.models import AuthProvider
from auth_providers.providers import kinds, setup
from auth_providers.providers.kind import Entries, client_secret
from auth_providers.providers.kinds.google import Google
from auth_providers.providers.kinds.webhook import Webhook
from tenants.secrets.encryption import encrypt

CHOICES = ("mail", "text")


@pytest.mark.parametrize(
    ("stored", "is_needed", "text", "problem"),
    [
        ({"city": "Bern"}, True, "Bern", ""),
        ({"city": "Bern"}, False, "Bern", ""),
        ({"city": ""}, False, "", ""),
        ({"city": ""}, True, "", "This kind needs an entry city."),
        ({}, False, "", ""),
        ({}, True, "", "This kind needs an entry city."),
        ({"city": 5}, False, "", "The entry city is a text."),
        ({"city": 5}, True, "", "This kind needs an entry city."),
        ({"city": None}, False, "", "The entry city is a text."),
        (["city"], False, "", ""),
        ("city", True, "", "This kind needs an entry city."),
    ],
    ids=str,
)
def test_a_text(stored: object, is_needed: bool, text: str, problem: str) -> None:
    entries = Entries(stored)
    assert entries.text("city", is_needed=is_needed) == text
    assert entries.problems == ([("city", problem)] if problem else [])


@pytest.mark.parametrize(
    ("stored", "texts", "is_wrong"),
    [
        ({}, (), False),
        ({"ids": []}, (), False),
        ({"ids": ["b", "a"]}, ("b", "a"), False),
        ({"ids": ["b", ""]}, (), True),
        ({"ids": ["b", 5]}, (), True),
        ({"ids": [5, "b"]}, (), True),
        ({"ids": "b"}, (), True),
        ({"ids": {"b": "a"}}, (), True),
        ({"ids": None}, (), True),
    ],
    ids=str,
)
def test_a_list_of_texts(stored: object, texts: tuple[str, ...], is_wrong: bool) -> None:
    entries = Entries(stored)
    assert entries.texts("ids") == texts
    assert entries.problems == ([("ids", "The entry ids is a list of texts.")] if is_wrong else [])


@pytest.mark.parametrize(
    ("stored", "chosen", "is_wrong"),
    [
        ({}, ("text",), False),
        ({"ways": ["mail"]}, ("mail",), False),
        ({"ways": ["text", "mail"]}, ("text", "mail"), False),
        ({"ways": []}, ("text",), True),
        ({"ways": ["mail", "pigeon"]}, ("text",), True),
        ({"ways": ["mail", 5]}, ("text",), True),
        ({"ways": "mail"}, ("text",), True),
        ({"ways": {"mail": 1}}, ("text",), True),
    ],
    ids=str,
)
def test_some_of_the_choices(stored: object, chosen: tuple[str, ...], is_wrong: bool) -> None:
    entries = Entries(stored)
    assert entries.some_of("ways", CHOICES, default=("text",)) == chosen
    problem = ("ways", "The entry ways is a list of mail and text, or one of them.")
    assert entries.problems == ([problem] if is_wrong else [])


@pytest.mark.parametrize(
    ("stored", "addresses", "is_wrong"),
    [
        ({}, {}, False),
        ({"there": {"a": "b", "c": "d"}}, {"a": "b", "c": "d"}, False),
        ({"there": {"a": "b", "c": 5}}, {}, True),
        ({"there": ["a"]}, {}, True),
        ({"there": None}, {}, True),
    ],
    ids=str,
)
def test_addresses(stored: object, addresses: dict[str, str], is_wrong: bool) -> None:
    entries = Entries(stored)
    assert entries.addresses("there") == addresses
    problem = "The entry there is an object: beginnings of addresses, and what to call instead."
    assert entries.problems == ([("there", problem)] if is_wrong else [])


def test_every_problem_is_kept_in_its_order() -> None:
    entries = Entries({"ids": 5, "city": 6})
    entries.texts("ids")
    entries.text("city")
    assert [name for name, _ in entries.problems] == ["ids", "city"]


# -- the secret ------------------------------------------------------------------------------------------------------
def test_a_client_without_a_secret_has_an_empty_one() -> None:
    assert client_secret(AuthProvider(client_secret_encrypted="")) == ""
    assert Google(AuthProvider(kind="google")).client_secret == ""
    with_one = AuthProvider(kind="google", client_secret_encrypted=encrypt("ours"))
    assert client_secret(with_one) == Google(with_one).client_secret == "ours"


# -- what keeps it from working --------------------------------------------------------------------------------------
def test_every_address_that_is_called_is_looked_at() -> None:
    provider = AuthProvider(
        kind="google",
        issuer="http://a.example",
        introspection_url="http://b.example",
        settings={"endpoints": {"https://a": "http://c.example", "https://b": "https://d.example"}},
    )
    said = list(Google(provider).problems(""))
    calls = "Only https is called, unless the deployment allows the host, and no user name: "
    assert said == [
        ("client_id", "This kind needs it."),
        ("issuer", f"{calls}http://a.example"),
        ("introspection_url", f"{calls}http://b.example"),
        ("settings", f"{calls}http://c.example"),
    ]
    webhook = Webhook(AuthProvider(kind="webhook", settings={"url": "http://e.example"}))
    assert list(webhook.called_addresses()) == [
        ("issuer", ""),
        ("introspection_url", ""),
        ("settings", "http://e.example"),
    ]


@pytest.mark.parametrize("name", ["password", "otp", "totp"])
def test_a_kind_that_is_built_in_says_that_there_is_nobody_to_ask(name: str) -> None:
    assert setup.test(AuthProvider(kind=name)) == "It needs nobody else, so there is nothing to ask."
    assert list(kinds.of(AuthProvider(kind=name)).problems("")) == []
