"""One mailbox has one spelling here, however it was typed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from customers.spelling import emails
from customers.spelling.emails import LONGEST_INPUT, MAX_LENGTH, email_errors, in_ascii, normalize_email

SHARP_S = "vera@straße.example"
SPELLINGS = [
    "vera@straße.example",
    "VERA@STRAẞE.EXAMPLE",
    "vera@xn--strae-oqa.example",
    "vera@XN--STRAE-OQA.example",
    "vera@straße。example",
    "vera@stra\u00adße.example",
    "vera@stra\u200bße.example",
    "vera@\ufeffstraße.example\u2060",
    "vera@\uff53\uff54\uff52\uff41ße.example",
    " \u200bVera@Straße.Example\u00a0\n",
]
LOCAL = st.from_regex(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}", fullmatch=True)
LABEL = st.text("azAZ09-éÉßẞüÜıİøσΣςωяЯжĳǆŉ\u0301\u0308\u0301日本語\uff46\uff26\uff13。", min_size=1, max_size=12)
IGNORED = st.sampled_from("\u00ad\u200b\u2060\ufeff")


@st.composite
def addresses(draw: st.DrawFn) -> str:
    return f"{draw(LOCAL)}@{draw(LABEL)}.{draw(st.sampled_from(['example', 'test', 'com', 'укр']))}"


@pytest.mark.parametrize("typed", SPELLINGS)
def test_the_spellings_of_one_mailbox_are_one(typed: str) -> None:
    assert (normalize_email(typed), email_errors("email", normalize_email(typed))) == (SHARP_S, [])


def test_two_domains_that_older_rules_take_for_one_stay_two() -> None:
    assert normalize_email("vera@strasse.example") != normalize_email(SHARP_S)


@pytest.mark.parametrize(
    ("email", "expected"),
    [
        (SHARP_S, "vera@xn--strae-oqa.example"),
        ("vera@σας.example", "vera@xn--mxa8ab.example"),
        ("ada@example.com", "ada@example.com"),
        ("no address", "no address"),
    ],
)
def test_a_mail_server_is_given_the_domain_of_idna_2008(email: str, expected: str) -> None:
    assert in_ascii(email) == expected


@pytest.mark.parametrize("domain", ["example.com", "mail.example.com", "acme.example", "shop.test", "straße.example"])
def test_domains_of_documents_and_tests_are_valid(domain: str) -> None:
    assert email_errors("email", f"ada@{domain}") == []


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "ada@example",
            "ada@[127.0.0.1]",
            '"a"@example.com',
        ),
        *(
            "ve\u200bra@example.com",
            "\uff56era@example.com",
            "véra@example.com",
            "\u212aim@example.com",
            "a\0@example.com",
        ),
        *("ada@exa\u200dmple.com", "ada@xn--x.com", "ada@example.com\ud800", "ada@exa mple.com", "a@b@example.com"),
    ],
)
def test_what_is_no_address_is_none_when_it_is_normalized(text: str) -> None:
    assert [error.code for error in email_errors("email", normalize_email(text))] == ["invalid"]


def test_the_longest_address() -> None:
    labels = ".".join(["d" * 60] * 3)
    longest = f"{'a' * 64}@{labels}.exam"
    assert (len(longest), email_errors("email", longest)) == (252, [])
    assert [error.code for error in email_errors("email", f"{'a' * 64}@{labels}.{'e' * 10}")] == ["max_length"]
    assert len(normalize_email("a@" + "é" * MAX_LENGTH * 10)) > MAX_LENGTH


@pytest.mark.parametrize(("length", "is_read"), [(LONGEST_INPUT, True), (LONGEST_INPUT + 1, False)])
def test_what_is_ignored_in_an_address_may_be_a_thousand_characters_long(length: int, is_read: bool) -> None:
    text = "Ada@exam" + "\u00ad" * (length - len("Ada@example.com")) + "ple.com"
    assert (normalize_email(text) == "ada@example.com") is is_read


@given(st.text() | addresses())
@example("ada@İ.com")
@example("ada@\ud800.com")
@example("a@ΣΑΣ.example")
@example("ada@example.com" * 10_000)
def test_normalizing_twice_changes_nothing(text: str) -> None:
    once = normalize_email(text)
    assert normalize_email(once) == once
    assert (email_errors("email", once) == []) == (email_errors("email", normalize_email(once)) == [])
    assert in_ascii(in_ascii(once)) == in_ascii(once)


@given(addresses(), IGNORED, st.data())
def test_two_spellings_of_a_valid_address_are_one(email: str, ignored: str, data: st.DataObject) -> None:
    once = normalize_email(email)
    if email_errors("email", once):
        return
    local, _, domain = once.partition("@")
    place = data.draw(st.integers(0, len(domain)))
    others = [
        f"{local.upper()}@{domain}",
        f"{local}@{domain[:place]}{ignored}{domain[place:]}",
        f" {ignored}{once}{ignored}\t",
        in_ascii(once),
    ]
    assert {normalize_email(other) for other in others} == {once}
    assert in_ascii(once).isascii()


LOCALS = st.one_of(
    st.text(alphabet="aZ09_+-.", min_size=1, max_size=66),
    st.text(alphabet="a.\"@ ('é!#\u00ad", min_size=1, max_size=8),
)
DOMAINS = st.one_of(
    st.sampled_from(
        ["example.com", "Straße.example", "xn--strae-oqa.example", "a.b", "localhost", "ex ample.com", "-a.example"]
    ),
    st.text(alphabet="ab-.ß\u00ad\uff11", min_size=1, max_size=12),
    st.integers(185, 255).map(lambda length: ("a" * 60 + ".") * 3 + "b" * (length - 184) + ".example"),
)


@given(local=LOCALS, domain=DOMAINS)
def test_a_plain_address_is_spelled_as_the_library_spells_it(local: str, domain: str) -> None:
    """What most addresses consist of takes a shorter way, and may come to no other result."""
    assert emails._parsed(f"{local}@{domain}") == emails._by_library(local, domain)


def long_address(local: int, length: int) -> str:
    """An address of this length in all, and of this length before the @."""
    labels = "d" * (length - local - len("@.exam"))
    return f"{'a' * local}@{'.'.join(labels[start : start + 62] for start in range(0, len(labels), 63))}.exam"


@pytest.mark.parametrize(
    ("local", "length", "codes"),
    [
        (64, 253, []),
        (64, 254, []),
        (64, 255, ["max_length"]),
        (30, 254, []),
        (30, 255, ["max_length"]),
        (64, 100, []),
    ],
)
def test_an_address_has_254_characters_and_64_before_the_at(local: int, length: int, codes: list[str]) -> None:
    email = long_address(local, length)
    assert len(email) == length
    assert [error.code for error in email_errors("term", email)] == codes
    assert normalize_email(email.upper()) == email


@pytest.mark.parametrize(("length", "codes"), [(254, []), (255, ["invalid"])])
def test_the_length_of_a_domain_counts_in_punycode(length: int, codes: list[str]) -> None:
    domain = ".".join(["é" + "d" * 52] * 3) + ".example"
    local = "a" * (length - len(in_ascii(f"a@{domain}")) + 1)
    email = f"{local}@{domain}"
    assert len(email) < MAX_LENGTH
    assert [error.code for error in email_errors("email", email)] == codes


def test_what_is_wrong_is_said_of_the_field() -> None:
    [error] = email_errors("contact_email", "ada")
    assert (error.field, error.code, error.message) == ("contact_email", "invalid", "Enter a valid e-mail address.")
    [error] = email_errors("term", "a" * 255)
    assert (error.field, error.code, error.message) == ("term", "max_length", "At most 254 characters.")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [(" ADA ", "ada"), ("\u200bÄDA@\u2060", "Äda@"), ("Ada@EXAMPLE", "ada@example"), ("\u212a", "\u212a")],
)
def test_of_what_is_no_address_ascii_letters_alone_lose_their_capitals(typed: str, stored: str) -> None:
    assert normalize_email(typed) == stored
