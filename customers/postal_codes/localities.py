"""The places of a postal code, from the table that `manage.py import_postal_codes` fills."""

import re
from dataclasses import dataclass

from customers.models import PostalCode
from customers.spelling.names import folded

MAX_PLACES = 500  # of one code; more than any has


@dataclass(frozen=True, kw_only=True)
class Place:
    """A locality and its first-order division; either is "" when the table does not tell."""

    locality: str
    region: str


def stored_code(text: str) -> str:
    """A code as the table has it: in capitals, without spaces."""
    return "".join(text.upper().split())


def find(*, country: str, code: str) -> list[Place]:
    """The places of a code (as `formats.format_code` writes it) in a country (ISO 3166-1 alpha-2): one statement.

    Where the table has only the part that names the district, as GeoNames does for Great Britain, Canada, the
    Netherlands or a ZIP+4, that part is looked up.
    """
    exact = stored_code(code)
    district = stored_code(re.split(r"[\s\-]", code, maxsplit=1)[0])
    rows = PostalCode.objects.filter(country=country, code__in={exact, district}).order_by("pk")
    found = list(rows.values_list("code", "locality", "region")[:MAX_PLACES])
    best = exact if any(row[0] == exact for row in found) else district
    return [Place(locality=locality, region=region) for stored, locality, region in found if stored == best]


def named(places: list[Place], city: str) -> list[Place]:
    """Those of the places that someone may have meant by `city`: the very name, else one that differs in capitals,
    accents and punctuation only."""
    same = [place for place in places if place.locality == city]
    return same or [place for place in places if folded(place.locality) == folded(city)]
