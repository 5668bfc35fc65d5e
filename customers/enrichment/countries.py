"""Countries by every name that a storefront may send, and the language and currency that are usual in each.

Names, languages and currencies are CLDR's (Babel), codes are ISO 3166's (pycountry). Nothing is guessed: a name that
means two countries means none.
"""

import pickle
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import pycountry
from babel import localedata
from babel.core import get_global
from babel.languages import get_official_languages
from babel.numbers import get_territory_currencies

from customers.spelling.names import folded
from tenants import codes

# Asked first; a country's own languages come after them.
LANGUAGES = ("en", "de", "fr", "es", "pl", "it", "nl", "pt")


def find_code(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code of what is a code of two or three letters or a name; None for anything else."""
    upper = text.upper()
    if len(upper) == 2:  # noqa: PLR2004 # letters
        alias = get_global("territory_aliases").get(upper, [upper])
        return alias[0] if len(alias) == 1 and alias[0] in codes.countries() else None
    return codes.country_of_alpha_3(upper) or _names().get(folded(text)) or _names_at_home().get(folded(text))


def language_of(country: str, *, preferred: str) -> str | None:
    """The language that most people there speak officially, such as de_CH; the `preferred` one if it is official."""
    official = get_official_languages(country, de_facto=True)
    if not official:
        return None
    language = preferred.replace("-", "_").split("_")[0].lower()
    return f"{language if language in official else official[0]}_{country}"


def currency_of(country: str) -> str | None:
    """The ISO 4217 code of what one pays with there today."""
    currencies = get_territory_currencies(country)
    return next((str(code) for code in currencies if codes.is_currency(code)), None)


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    """ISO's own names go before those of the languages."""
    iso = [
        (getattr(country, kind), country.alpha_2)
        for country in pycountry.countries
        for kind in ("name", "official_name", "common_name")
        if getattr(country, kind, None)
    ]
    return _unambiguous(_in_languages(LANGUAGES)) | _unambiguous(iso)


@lru_cache(maxsize=1)
def _names_at_home() -> dict[str, str]:
    """Every country in the languages of every country: half a second of work, for a name that the others lack, such as
    Ελλάδα."""
    official = {language for code in codes.countries() for language in get_official_languages(code, de_facto=True)}
    return _unambiguous(_in_languages(sorted(official)))


def _in_languages(languages: Iterable[str]) -> list[tuple[str, str]]:
    names = [(name, code) for language in languages for code, name in _territories(language).items()]
    return [(name, code) for name, code in names if code in codes.countries()]


def _territories(language: str) -> dict[str, str]:
    """The names in this language, of Babel's file: `Locale` keeps all else that it has of a language as well, 1.4 MB of
    each, as long as the process lives. None where CLDR has none."""
    if not localedata.exists(language):
        return {}
    found: dict[str, str] = pickle.loads(Path(localedata.resolve_locale_filename(language)).read_bytes())["territories"]  # noqa: S301
    return found


def _unambiguous(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for name, code in names:
        found.setdefault(folded(name), set()).add(code)
    return {name: codes.pop() for name, codes in found.items() if name and len(codes) == 1}
