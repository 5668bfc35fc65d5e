"""What a storefront sent about a customer, checked, put into one form and completed.

What was sent wins over what could be derived; `null` is an answer, too ("we don't know"), while an empty text is not.
Nothing is guessed from what names two things.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from customers.enrichment import countries, phones
from customers.models import TEXT_MAX_LENGTH
from customers.personal_details import EARLIEST_BIRTH, SEX_MAX_LENGTH
from customers.postal_codes import formats, localities
from customers.profiles import email_errors, is_currency, normalize_email
from tenants.errors import FieldError, InvalidInput
from tenants.models import Site, Tenant

# Texts by the core's names, with their greatest length in characters. Other names pass as they are.
TEXTS = {
    **dict.fromkeys(("title", "first_name", "middle_name", "last_name", "company", "preferred_site"), TEXT_MAX_LENGTH),
    **dict.fromkeys(("street", "street_number", "postal_code", "city", "state"), TEXT_MAX_LENGTH),
    **dict.fromkeys(("email", "phone", "country", "nationality"), TEXT_MAX_LENGTH),
    "sex": SEX_MAX_LENGTH,
    "preferred_language": 35,
    "preferred_currency": 3,
}
ADDRESS = ("street", "street_number", "postal_code", "city", "state")

MALE, FEMALE, OTHER, UNKNOWN = "MALE", "FEMALE", "OTHER", "UNKNOWN"
# What tills and forms send; the digits are ISO/IEC 5218's. Anything else stays as it was sent.
SEXES = {
    **dict.fromkeys(("MALE", "M", "MAN", "1"), MALE),
    **dict.fromkeys(("FEMALE", "F", "W", "WOMAN", "2"), FEMALE),
    **dict.fromkeys(("OTHER", "O", "X", "D", "DIVERSE"), OTHER),
    **dict.fromkeys(("UNKNOWN", "U", "0", "9"), UNKNOWN),
}
TITLES = {MALE: "MR", FEMALE: "MS"}

LANGUAGE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*", re.ASCII)
ISO_DATE = re.compile(r"(\d{4}-\d{2}-\d{2}|\d{8})(T.*)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Enriched:
    """What is to be stored, and which of it nobody sent."""

    values: dict[str, Any]
    derived: tuple[str, ...]


@dataclass(kw_only=True)
class _Draft:
    tenant: Tenant
    values: dict[str, Any]
    derived: list[str] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)

    def text(self, name: str) -> str:
        """What was sent, if it is good so far; else ""."""
        return "" if self.is_refused(name) else self.values.get(name) or ""

    def is_refused(self, name: str) -> bool:
        return any(error.field == name for error in self.errors)

    def refuse(self, name: str, message: str, code: str = "invalid") -> None:
        self.errors.append(FieldError(field=name, code=code, message=message))

    def settle(self, name: str, value: str | None, message: str) -> None:
        """Put what was sent into its one form; None refuses it."""
        if value is None:
            self.refuse(name, message)
        else:
            self.values[name] = value

    def derive(self, name: str, value: str | None) -> None:
        """Fill in what was not sent."""
        if value and self.values.get(name, "") == "":
            self.values[name] = value
            self.derived.append(name)


def enrich(*, tenant: Tenant, values: Mapping[str, Any]) -> Enriched:
    """Check and complete what is known about a customer: at most two statements.

    `values` are by the core's names (`TEXTS`, and `birth_date`, which comes out as YYYY-MM-DD); others pass. Whoever
    updates a profile decides whether `derived` ones may replace what is stored. Raises one `InvalidInput` that names
    everything that is wrong.
    """
    draft = _Draft(tenant=tenant, values=dict(values))
    for step in STEPS:
        step(draft)
    if draft.errors:
        raise InvalidInput(details=tuple(draft.errors))
    return Enriched(values=draft.values, derived=tuple(draft.derived))


def _tidy(draft: _Draft) -> None:
    """Texts lose what surrounds them and come in one spelling (NFC)."""
    for name in [name for name in TEXTS if draft.values.get(name) is not None]:
        value = draft.values[name]
        if not isinstance(value, str):
            draft.refuse(name, "This must be text.", "type")
            continue
        text = " ".join(unicodedata.normalize("NFC", value).split())
        draft.values[name] = text
        if any(unicodedata.category(char) in {"Cc", "Cs"} for char in text):
            draft.refuse(name, "This contains control characters.")
        elif len(text) > TEXTS[name]:
            draft.refuse(name, f"At most {TEXTS[name]} characters.", "max_length")


def _settle_email(draft: _Draft) -> None:
    email = normalize_email(draft.text("email"))
    if email:
        draft.values["email"] = email
        draft.errors += email_errors("email", email)


def _settle_countries(draft: _Draft) -> None:
    for name in ("country", "nationality"):
        if text := draft.text(name):
            draft.settle(name, countries.find_code(text), "Enter a country: its ISO 3166 code or its name.")


def _settle_postal_code(draft: _Draft) -> None:
    """By the rules of the country that was sent. Without one, an address that fits the tenant's country is there."""
    code, country = draft.text("postal_code"), draft.text("country")
    if country and code:
        written = formats.format_code(country=country, code=code)
        draft.settle("postal_code", written, f"This is no postal code of {country}.")
    elif not draft.is_refused("country") and any(draft.text(name) for name in ADDRESS):
        _assume_country(draft, code)


def _assume_country(draft: _Draft, code: str) -> None:
    country = countries.find_code(draft.tenant.default_country)
    if not country or draft.values.get("country", "") != "":
        return
    written = formats.format_code(country=country, code=code) if code else ""
    if written is not None:
        draft.derive("country", country)
    if written:
        draft.values["postal_code"] = written


def _settle_phone(draft: _Draft) -> None:
    phone = draft.text("phone")
    if phone and not (draft.is_refused("country") and not phone.startswith("+")):
        country = draft.text("country") or countries.find_code(draft.tenant.default_country)
        draft.settle("phone", phones.to_e164(phone, country=country), "Enter a phone number that can be dialled.")


def _find_place(draft: _Draft) -> None:
    """Locality and region of the postal code."""
    country, code = draft.text("country"), draft.text("postal_code")
    if not country or not code:
        return
    places = localities.find(country=country, code=code)
    if city := draft.text("city"):
        places = localities.named(places, city)
        draft.values["city"] = places[0].locality if places else city
    names = {place.locality for place in places}
    draft.derive("city", names.pop() if len(names) == 1 else None)
    regions = {place.region for place in places}
    draft.derive(
        "state", formats.region_of(country=country, code=code) or (regions.pop() if len(regions) == 1 else None)
    )


def _settle_birth_date(draft: _Draft) -> None:
    value = draft.values.get("birth_date")
    if value is None or value == "":
        return
    born = _date(value)
    if born is None:
        draft.refuse("birth_date", "Enter a date such as 1990-12-31.")
    elif not EARLIEST_BIRTH <= born <= timezone.now().date():
        draft.refuse("birth_date", "Enter the date of a birth.")
    else:
        draft.values["birth_date"] = born.isoformat()


def _date(value: Any) -> date | None:
    """A day in ISO 8601's calendar forms, also with a time, which says nothing about the day (its zone is unknown)."""
    if isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    match = ISO_DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def _settle_sex(draft: _Draft) -> None:
    if sex := draft.text("sex"):
        draft.values["sex"] = SEXES.get(sex.upper(), sex)
        draft.derive("title", TITLES.get(draft.values["sex"]))


def _settle_preferences(draft: _Draft) -> None:
    """What is usual in the country, else what is usual in the tenant's shop."""
    tenant, country = draft.tenant, draft.text("country")
    language = draft.text("preferred_language")
    if language and not LANGUAGE.fullmatch(language):
        draft.refuse("preferred_language", "Enter a language such as en or de_AT.")
    if currency := draft.text("preferred_currency"):
        code = currency.upper()
        draft.settle("preferred_currency", code if is_currency(code) else None, "Enter a currency code of ISO 4217.")
    usual_language = countries.language_of(country, preferred=tenant.default_language) if country else None
    usual_currency = countries.currency_of(country) if country else None
    draft.derive("preferred_language", usual_language or tenant.default_language)
    draft.derive("preferred_currency", usual_currency or tenant.default_currency)
    if draft.values.get("preferred_site", "") == "":
        draft.derive("preferred_site", (country and _site_of(tenant, country)) or tenant.default_site)


def _site_of(tenant: Tenant, country: str) -> str | None:
    """The tenant's only site that is called after the country: de, or shop-de."""
    sites = Site.objects.for_tenant(tenant).filter(code__iendswith=country).order_by("pk")
    codes = list(sites.values_list("code", flat=True))
    same = [code for code in codes if code.upper() == country]
    named = same or [code for code in codes if not code[: -len(country)][-1:].isalnum()]
    return named[0] if len(named) == 1 else None


STEPS: tuple[Callable[[_Draft], None], ...] = (
    _tidy,
    _settle_email,
    _settle_countries,
    _settle_postal_code,
    _settle_phone,
    _find_place,
    _settle_birth_date,
    _settle_sex,
    _settle_preferences,
)
