"""What a customer is found by on the telephone, and what a search asks for.

The texts are folded here, in Python, when a row is written, and so is what staff type; the database compares. Every
word of a search must begin a word of the customer's text; digits and parts of an e-mail address may lie anywhere in it.
"""

import re
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import groupby
from operator import or_

import phonenumbers
from django.db.models import F, Func, Q, TextField, Value
from phonenumbers import NumberParseException, PhoneNumberFormat

from customers.spelling import folding

NUMBER_WORD = re.compile(r"[+\d()/.\-]+")
COUNTRY_CODE_LENGTHS = (1, 2, 3)  # digits, ITU-T E.164
SHORTEST_INTERNATIONAL = 7  # digits; less may be the beginning of a customer number
LONGEST_TYPED = 200  # characters of a search

# The parts in one text. Each begins with a space.
TEXT = Func(
    F("search_profile"),
    F("search_addresses"),
    F("search_identifiers"),
    Value(" "),
    template="(%(expressions)s)",
    arg_joiner=" || ",
    output_field=TextField(),
)


def profile_text(*, number: str, names: Iterable[str | None], email: str | None, phone: str | None) -> str:
    """What is stored of a profile."""
    return f"{folding.indexed([*names, email])} {number}{_phone_text(phone)}"


def addresses_text(*, texts: Iterable[str | None], phones: Iterable[str | None]) -> str:
    """What is stored of a customer's addresses."""
    return folding.indexed(texts) + "".join(_phone_text(each) for each in phones)


def identifiers_text(values: Iterable[str]) -> str:
    """What is stored of identifiers; of one that is a number in groups of digits, such as 4006-771, the digits, too, as
    that is what a search for it asks for."""
    every = list(values)
    numbers = [_digits(value) for value in every if not value.isdigit() and all(map(is_number_word, value.split()))]
    return folding.indexed(every) + "".join(f" {number}" for number in dict.fromkeys(numbers) if number)


def _phone_text(phone: str | None) -> str:
    """The digits as they were typed, from abroad and at home; the last two where the number says its country."""
    if not phone:
        return ""
    typed = phone.replace("(0)", "").strip()
    spellings = [_digits(typed), *_dialled(f"+{typed[2:]}" if typed.startswith("00") else typed)]
    return "".join(f" {each}" for each in dict.fromkeys(spellings) if each)


def _dialled(phone: str) -> list[str]:
    try:
        number = phonenumbers.parse(phone, None)
    except NumberParseException:
        return []
    return [
        _digits(phonenumbers.format_number(number, PhoneNumberFormat.E164)),
        _digits(phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)),
    ]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def words(term: str) -> list[str]:
    """What a search consists of: folded words, and numbers with their groups of digits put together."""
    return list(_words(term.replace("\0", "").replace(",", " ")[:LONGEST_TYPED]))


def _words(term: str) -> Iterator[str]:
    for is_number, group in groupby(term.split(), key=is_number_word):
        if is_number:
            number = "".join(group)
            yield from [number] if any(map(str.isdigit, number)) else []
        else:
            for word in group:
                yield from folding.fold(word).split()


def is_number_word(word: str) -> bool:
    """Whether it is a customer number or a telephone number, or a part of one."""
    return NUMBER_WORD.fullmatch(word) is not None


def is_address_part(word: str) -> bool:
    """Whether it is an e-mail address or a part of one."""
    return "@" in word or "." in word


def fits(word: str) -> Q:
    """The condition that one of the `words` stands for."""
    return any_of(Q(search_text__contains=text) for text in wanted(word))


def wanted(word: str) -> list[str]:
    """The texts that one of the `words` stands for: whoever has one of them fits."""
    if is_number_word(word):
        return _spellings(word)
    if is_address_part(word):
        return [word]
    return [f" {folding.sound(word)}"]


def _spellings(word: str) -> list[str]:
    """A part of a customer number or of a phone as it may be stored: +49 30 and 0049 30 find 030, too."""
    digits = _digits(word.replace("(0)", ""))
    is_international = word.startswith(("+", "00")) and len(digits.lstrip("0")) >= SHORTEST_INTERNATIONAL
    if not is_international:
        return [digits]
    digits = digits.lstrip("0")
    return [digits, *(f" 0{digits[length:]}" for length in COUNTRY_CODE_LENGTHS)]


def any_of(conditions: Iterable[Q]) -> Q:
    """That one of the conditions holds."""
    return reduce(or_, conditions)
