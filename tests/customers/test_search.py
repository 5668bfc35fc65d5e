"""Finding a customer, below the page of staff: what the words of a search are, and what each fits."""

import pytest

from customers import numbers, profiles
from customers.models import Customer
from customers.spelling import search_words
from tenants.models import Tenant

PHONE = "+49 30 901820"


@pytest.mark.parametrize(
    ("term", "words"),
    [
        ("", []),
        ("   ", []),
        ("ada", ["ada"]),
        ("Lovelace, Ada", ["lovelace", "ada"]),
        ("O'Brien", ["obrien"]),
        ("Müller-Lüd", ["muller", "lud"]),
        ("ada@example.com", ["ada@example.com"]),
        ("anne-marie@example.com", ["anne", "marie@example.com"]),
        ("10 000 001", ["10000001"]),
        ("+49 (0)30 / 90", ["+49(0)30/90"]),
        ("-", []),
        ("+ /", []),
        ("ada 030 90", ["ada", "03090"]),
        ("030 ada 90", ["030", "ada", "90"]),
        ("7", ["7"]),
        ("Stra\u00dfe", ["strasse"]),
        ("\u0141\u00f3d\u017a", ["lodz"]),
        ("O\u2019Brien", ["obrien"]),
        ("e\u0301t\u00e9", ["ete"]),
        ("%", []),
        ("a\0b", ["ab"]),
    ],
)
def test_words_of_a_search(term: str, words: list[str]) -> None:
    assert list(search_words.words(term)) == words


@pytest.fixture
def crowd(tenant: Tenant) -> dict[str, Customer]:
    telephones = {
        "berlin": PHONE,
        "written for Germans": "030 901820",
        "one digit": "5",
        "zero": "0",
        "ireland": "+353 1 6000000",
        "america": "+1 212 555 0100",
        "written for Americans": "0212 555 0199",
    }
    return {
        who: profiles.create(
            tenant=tenant, number=numbers.take(tenant=tenant), values={"last_name": who, "contact_phone": phone}
        )
        for who, phone in telephones.items()
    }


def found(word: str) -> set[str]:
    rows = Customer.objects.all()
    for each in search_words.words(word):
        rows = rows.filter(search_words.fits(each))
    return {str(customer.last_name) for customer in rows} if search_words.words(word) else set()


@pytest.mark.parametrize(
    ("word", "who"),
    [
        # a country code has one to three digits, and what follows it may be written with a nought instead
        ("+4930901820", {"berlin", "written for Germans"}),
        ("004930901820", {"berlin", "written for Germans"}),
        ("030901820", {"berlin", "written for Germans"}),
        ("30901820", {"berlin", "written for Germans"}),
        ("+35316000000", {"ireland"}),
        ("0035316000000", {"ireland"}),
        ("016000000", {"ireland"}),
        ("+12125550100", {"america"}),
        ("0012125550100", {"america"}),
        ("+12125550199", {"written for Americans"}),
        ("+999930901820", set()),  # four digits are no country code
        ("4930901820", {"berlin"}),
        ("+4930901821", set()),
        # seven digits and more are a number from abroad, fewer may be the beginning of a customer number
        ("+4930901", {"berlin", "written for Germans"}),
        ("+493090", {"berlin"}),
        ("309018200", set()),
        # what is left of a number without its nought may lie anywhere
        ("0901820", {"berlin", "written for Germans"}),
        ("1820", {"berlin", "written for Germans"}),
        ("99999999", set()),
    ],
)
def test_a_number_fits_however_it_is_written(crowd: dict[str, Customer], word: str, who: set[str]) -> None:
    assert found(word) == who


def test_a_nought_alone_is_a_digit_like_any_other(crowd: dict[str, Customer]) -> None:
    """Leading ones are no wildcard: they are part of a number, and of a telephone number as it is dialled at home."""
    with_a_nought = {who for who, each in crowd.items() if "0" in f"{each.number}{each.contact_phone}"}
    assert found("0") == with_a_nought
    assert found("5") == {who for who, each in crowd.items() if "5" in f"{each.number}{each.contact_phone}"}
    assert found("05") == {who for who, each in crowd.items() if "05" in f"{each.number} {each.contact_phone}"}
    assert found(crowd["berlin"].number) == {"berlin"}
    assert found(f"00{crowd['berlin'].number[2:]}") == set()


@pytest.mark.parametrize(
    ("word", "who"),
    [
        ("ber", {"berlin"}),
        ("BER", {"berlin"}),
        ("erlin", set()),
        ("germ", {"written for Germans"}),
        ("%", set()),
        ("_", set()),
    ],
)
def test_a_word_fits_the_beginning_of_a_word(crowd: dict[str, Customer], word: str, who: set[str]) -> None:
    assert found(word) == who


def test_an_address_is_found_by_any_part(tenant: Tenant) -> None:
    values = {"last_name": "Lovelace", "contact_email": "ada@mail.example"}
    profiles.create(tenant=tenant, number=numbers.take(tenant=tenant), values=profiles.changes_of(values))
    for word in ("ada@mail.example", "ada@", "@mail.example", "@mail", "da@", "mail.example", "ADA@MAIL"):
        assert found(word) == {"Lovelace"}
    for word in ("@example", "@ail", "bda@"):
        assert found(word) == set()
