"""What is stored of a customer to be found by, and which of it each word of a search stands for."""

import pytest
from django.db.models import Q

from customers.spelling import search_words


def stored(phone: str | None) -> list[str]:
    """What is stored of a profile's telephone number."""
    text = search_words.profile_text(number="10000001", names=[], email=None, phone=phone)
    return text.removeprefix(" 10000001").split(" ")[1:]


@pytest.mark.parametrize(
    ("phone", "spellings"),
    [
        (None, []),
        ("", []),
        ("  ", []),
        ("none", []),
        ("030 901820", ["030901820"]),  # no country is known
        ("(030) 90-18/20", ["030901820"]),
        ("+49 30 901820", ["4930901820", "030901820"]),
        ("+49 (0)30 901820", ["4930901820", "030901820"]),
        ("0049 30 901820", ["004930901820", "4930901820", "030901820"]),
        (" 0049 (0)30 901820", ["004930901820", "4930901820", "030901820"]),
        ("+1 212 555 0100", ["12125550100", "2125550100"]),
        ("+999 1", ["9991"]),  # no such country
    ],
)
def test_a_telephone_number_is_stored_as_typed_from_abroad_and_at_home(phone: str | None, spellings: list[str]) -> None:
    assert stored(phone) == spellings


def test_a_profile_is_found_by_names_address_number_and_telephone() -> None:
    text = search_words.profile_text(
        number="10000001", names=["Ada", None, "Mueller", "ada"], email="Ada@Mail.example", phone="+49 30 901820"
    )
    assert text == " ada mueller muller ada@mail.example 10000001 4930901820 030901820"


def test_postal_addresses_are_found_by_their_words_and_each_telephone() -> None:
    phones = [None, "030 1", "+49 30 901820"]
    text = search_words.addresses_text(texts=["Engine Road 12", None, "Ockham", "Engine"], phones=phones)
    assert text == " engine road 12 ockham 0301 4930901820 030901820"
    assert search_words.addresses_text(texts=[], phones=[]) == ""
    assert search_words.addresses_text(texts=["Ockham"], phones=[None]) == " ockham"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        (["C-0042"], " c 0042"),
        (["4006771"], " 4006771"),
        (["4006-771"], " 4006 771 4006771"),
        (["4006 771"], " 4006 771 4006771"),
        (["4006 x71"], " 4006 x71"),
        (["40-06", "4/006"], " 40 06 4 006 4006"),
        (["-"], ""),
    ],
)
def test_an_identifier_in_groups_of_digits_is_found_by_the_digits_too(values: list[str], text: str) -> None:
    assert search_words.identifiers_text(iter(values)) == text


def test_of_a_long_search_the_first_200_characters_count() -> None:
    assert search_words.words("a" * 200) == ["a" * 200]
    assert search_words.words("a" * 201) == ["a" * 200]
    assert search_words.words("a" * 198 + " b c") == ["a" * 198, "b"]


@pytest.mark.parametrize("word", ["7", "0", "+49", "(0)30", "030/90-18.20", "-"])
def test_digits_and_what_stands_between_them_are_a_number(word: str) -> None:
    assert search_words.is_number_word(word) is True


@pytest.mark.parametrize("word", ["", "c42", "42c", "4 2", "ada", "4_2", "4@2"])
def test_anything_else_is_no_number(word: str) -> None:
    assert search_words.is_number_word(word) is False


@pytest.mark.parametrize(
    ("word", "expected"), [("ada@", True), ("mail.example", True), ("ada@mail.example", True), ("ada", False)]
)
def test_what_is_a_part_of_an_address(word: str, expected: bool) -> None:
    assert search_words.is_address_part(word) is expected


@pytest.mark.parametrize(
    ("word", "texts"),
    [
        ("ada", [" ada"]),
        ("mueller", [" muller"]),
        ("mueller@mail.example", ["mueller@mail.example"]),
        ("mail.", ["mail."]),
        ("030(0)90", ["03090"]),
        ("+493090", ["493090"]),  # six digits may be the beginning of a customer number
        ("4930901", ["4930901"]),
        ("+4930901", ["4930901", " 0930901", " 030901", " 00901"]),
        ("00493090", ["00493090"]),
        ("004930901", ["4930901", " 0930901", " 030901", " 00901"]),
        ("0930901", ["0930901"]),
    ],
)
def test_the_texts_that_a_word_stands_for(word: str, texts: list[str]) -> None:
    assert search_words.wanted(word) == texts


def test_whoever_has_one_of_the_texts_fits() -> None:
    assert search_words.fits("ada") == Q(search_text__contains=" ada")
    either = [Q(search_text__contains=text) for text in ("4930901", " 0930901", " 030901", " 00901")]
    assert search_words.fits("+4930901") == either[0] | either[1] | either[2] | either[3]
