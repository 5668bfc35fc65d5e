"""Finding a customer by what a caller tells on the phone: a name, a customer number, a telephone number, an e-mail.

`TEXT` is all of it in one lower-case text, which the database keeps up to date (`Customer.search_text`). Every word of
a search must begin a word of that text; digits may lie anywhere in it.
"""

import re
from collections.abc import Iterator
from functools import reduce
from itertools import groupby

from django.db.models import CharField, F, Func, Q, TextField, Value
from django.db.models.functions import Coalesce, Replace

NUMBER_WORD = re.compile(r"[+\d()/.\-]+")
PHONE_PUNCTUATION = ("(0)", " ", "-", "/", "(", ")", ".", "+")
COUNTRY_CODE_LENGTHS = (1, 2, 3)  # digits, ITU-T E.164


def _given(field: str) -> Coalesce:
    return Coalesce(F(field), Value(""), output_field=CharField())


def _joined(*parts: Func | F) -> Func:
    return Func(*parts, template="(%(expressions)s)", arg_joiner=" || ' ' || ", output_field=TextField())


def _without(expression: Func, removed: tuple[str, ...]) -> Func:
    return reduce(lambda text, each: Replace(text, Value(each), Value("")), removed, expression)


_names = _joined(*(_given(field) for field in ("first_name", "middle_name", "last_name", "company")))
TEXT = Func(
    _joined(
        _without(Replace(_names, Value("-"), Value(" ")), ("'",)),
        _given("contact_email"),
        F("number"),
        _without(_given("contact_phone"), PHONE_PUNCTUATION),
    ),
    template="LOWER(' ' || %(expressions)s)",
    output_field=TextField(),
)


def words(term: str) -> Iterator[str]:
    """What a search consists of: words, and numbers with their groups of digits put together."""
    for is_number, group in groupby(term.replace(",", " ").split(), key=_is_number):
        if is_number:
            number = "".join(group)
            yield from [number] if any(map(str.isdigit, number)) else []
        else:
            for word in group:
                yield from [word] if "@" in word else word.replace("'", "").replace("-", " ").split()


def _is_number(word: str) -> bool:
    return NUMBER_WORD.fullmatch(word) is not None


def fits(word: str) -> Q:
    """The condition that one of the `words` stands for."""
    if _is_number(word):
        return _fits_number(word)
    lower = word.lower()
    # A database may leave capitals beyond ASCII as they are: SQLite does.
    spellings = {lower, lower.capitalize(), lower.upper()} if not lower.isascii() else {lower}
    beginning = "" if word.startswith("@") else " "
    return _any(f"{beginning}{spelling}" for spelling in sorted(spellings))


def _fits_number(word: str) -> Q:
    """A part of a customer number or of a phone: +49 30 and 0049 30 find 030, too, and the other way round."""
    digits = re.sub(r"\D", "", word.replace("(0)", ""))
    if word.startswith(("+", "00")):
        digits = digits.lstrip("0")
        return _any([digits, *(f" 0{digits[length:]}" for length in COUNTRY_CODE_LENGTHS if digits[length:])])
    return _any([digits[1:] if digits.startswith("0") and len(digits) > 1 else digits])


def _any(texts: Iterator[str] | list[str]) -> Q:
    return reduce(lambda found, text: found | Q(search_text__contains=text), texts, Q())
