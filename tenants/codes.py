"""Codes of countries and currencies: those of ISO's lists, and the one that is in use without being there. Languages by
their tags. With their names, and with the time zones, as lists to choose from."""

import re
from functools import lru_cache
from zoneinfo import available_timezones

import pycountry
from babel import Locale
from babel.core import get_global, parse_locale

from tenants.models import Tenant

# ISO leaves it to its users; the EU, CLDR and banks use it, and its telephones have a code of their own (+383).
KOSOVO = "XK"
KOSOVO_ALPHA_3 = ("XKX", "XKK")  # the World Bank's, CLDR's


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """Every code of ISO 3166-1 alpha-2, and Kosovo's."""
    return frozenset(country.alpha_2 for country in pycountry.countries) | {KOSOVO}


def country_of_alpha_3(code: str) -> str | None:
    """The code of two letters for one of three; both in capitals."""
    if code in KOSOVO_ALPHA_3:
        return KOSOVO
    country = pycountry.countries.get(alpha_3=code)
    return str(country.alpha_2) if country else None


@lru_cache(maxsize=1)
def currencies() -> tuple[str, ...]:
    """The codes that ISO 4217 lists today, in order."""
    return tuple(sorted(str(currency.alpha_3) for currency in pycountry.currencies))


def is_currency(code: str) -> bool:
    """Whether `code` is one that ISO 4217 lists today, in capitals."""
    return code.isupper() and pycountry.currencies.get(alpha_3=code) is not None


def is_currency_of(*, tenant: Tenant, code: str) -> bool:
    """Whether the tenant's customers may prefer the currency: one of today, or the shop's own until staff change it."""
    return is_currency(code) or code == tenant.default_currency


TAG = re.compile(r"[A-Za-z]{2,8}([_-][A-Za-z0-9]{2,8})*", re.ASCII)
TAG_MAX_LENGTH = 35  # characters (RFC 5646, 4.4.1)
NO_LANGUAGE = ("und", "mul", "zxx")  # undetermined, several, no linguistic content


@lru_cache(maxsize=1024)
def language_tag(text: str) -> str | None:
    """The one spelling (BCP 47) of a language tag such as `pt_br`, pt-BR, made of what CLDR knows: a language, then
    perhaps its script, its region, and a variant. None for what is none."""
    if len(text) > TAG_MAX_LENGTH or not TAG.fullmatch(text):
        return None
    try:
        language, region, script, variant, *_ = parse_locale(text.replace("_", "-"), sep="-")
    except ValueError:
        return None
    language = _current(language)
    known, names = Locale("en"), [(language, "languages"), (script, "scripts")]
    names += [(region, "territories"), (variant, "variants")]
    if language in NO_LANGUAGE or any(part and part not in getattr(known, kind) for part, kind in names):
        return None
    return "-".join(part for part in (language, script, region, variant and variant.lower()) if part)


def _current(language: str) -> str:
    """The code of two letters, where there is one, and of today: de for deu, he for iw."""
    alias = get_global("language_aliases").get(language, language)
    return language if "_" in alias else alias


# Lists to choose from: what is stored, and its name in English, in the order of the names.
Choices = list[tuple[str, str]]


@lru_cache(maxsize=1)
def country_choices() -> Choices:
    """Every country."""
    names = Locale("en").territories
    return sorted(((code, str(names.get(code, code))) for code in countries()), key=lambda each: each[1])


@lru_cache(maxsize=1)
def currency_choices() -> Choices:
    """Every currency of today."""
    names = Locale("en").currencies
    return [(code, f"{code} {names.get(code, '')}".strip()) for code in currencies()]


@lru_cache(maxsize=1)
def language_choices() -> Choices:
    """The languages that CLDR knows by two letters, in the order of their names."""
    locale = Locale("en")
    names = {str(code): str(name) for code, name in locale.languages.items()}
    tags = [code for code in names if len(code) == 2]  # noqa: PLR2004 - ISO 639-1
    return sorted(((code, names[code]) for code in tags), key=lambda each: each[1])


@lru_cache(maxsize=1)
def time_zone_choices() -> Choices:
    """UTC first, then the zones that are called after a place."""
    places = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in places)]
