"""Enrichment of an address: the country, the postal code, and the locality and region that follow from them."""

from customers.enrichment import countries
from customers.enrichment.draft import Draft
from customers.enrichment.fields import ADDRESS_NAMES
from customers.postal_codes import formats, localities


def normalize_countries(draft: Draft) -> None:
    """The country and the nationality as ISO 3166-1 alpha-2 codes."""
    for name in ("country", "nationality"):
        if text := draft.text(name):
            draft.normalize(name, countries.find_code(text), "Enter a country: its ISO 3166 code or its name.")


def normalize_postal_code(draft: Draft) -> None:
    """By the rules of the country that was sent. An address without a country is in the tenant's country if its postal
    code is one there."""
    code, country = draft.text("postal_code"), draft.text("country")
    if country and code:
        written = formats.format_code(country=country, code=code)
        draft.normalize("postal_code", written, f"This is no postal code of {country}.")
    elif not draft.is_refused("country") and any(draft.text(name) for name in ADDRESS_NAMES):
        _assume_country(draft, code)


def _assume_country(draft: Draft, code: str) -> None:
    country = countries.find_code(draft.tenant.default_country)
    if not country or not draft.is_absent("country"):
        return
    written = formats.format_code(country=country, code=code) if code else ""
    if written is not None:
        draft.derive("country", country)
    if written:
        draft.values["postal_code"] = written


def derive_place(draft: Draft) -> None:
    """Locality and region of the postal code: one statement."""
    country, code = draft.text("country"), draft.text("postal_code")
    if not country or not code:
        return
    places = localities.find(country=country, code=code)
    if city := draft.text("city"):
        places = localities.named(places, city)
        draft.values["city"] = places[0].locality if places else city
    draft.derive("city", _only({place.locality for place in places}))
    region = formats.region_of(country=country, code=code) or _only({place.region for place in places})
    draft.derive("state", region)


def _only(names: set[str]) -> str | None:
    return names.pop() if len(names) == 1 else None
