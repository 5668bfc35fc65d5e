"""Codes of countries and currencies: those of ISO's lists, and the one that is in use without being there."""

from functools import lru_cache

import pycountry

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
