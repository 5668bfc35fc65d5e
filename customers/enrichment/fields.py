"""What a storefront can say about a customer in one flat object: profile and address together."""

from collections.abc import Mapping
from typing import TypeGuard

from customers.models import TEXT_MAX_LENGTH, PostalTexts
from customers.personal_details import SEX_MAX_LENGTH, PersonalDetails


class CustomerFields(PersonalDetails, PostalTexts, total=False):
    """An absent key was not sent, None was sent as such ("we don't know"). `email` and `phone` are the profile's
    `contact_email` and `contact_phone`; the rest has the names of the profile and of the address."""

    email: str | None
    phone: str | None
    title: str | None
    first_name: str | None
    middle_name: str | None
    last_name: str | None
    company: str | None
    company_registration_id: str | None
    preferred_language: str | None
    preferred_currency: str | None
    preferred_site: str | None


# From the names above to those of the profile, where they differ.
PROFILE_NAMES = {"email": "contact_email", "phone": "contact_phone"}
ADDRESS_NAMES = tuple(PostalTexts.__annotations__)
# The texts that enrichment checks, with their greatest length in characters. Other fields pass as they are.
TEXTS = {
    **dict.fromkeys(("title", "first_name", "middle_name", "last_name", "company", "preferred_site"), TEXT_MAX_LENGTH),
    **dict.fromkeys(("email", "phone", "nationality", *ADDRESS_NAMES), TEXT_MAX_LENGTH),
    "sex": SEX_MAX_LENGTH,
    "preferred_language": 35,
    "preferred_currency": 3,
}


def fields_of(values: Mapping[str, object]) -> CustomerFields:
    """The values as fields, for callers that know the names at run time only; whether each is of its type,
    `enrichment.enrich` and the profile check. Raises `TypeError` for a name that is no field."""
    if not _has_known_names(values):
        unknown = ", ".join(sorted(values.keys() - CustomerFields.__annotations__.keys()))
        raise TypeError(f"{unknown} is not a field of a customer")
    return values


def _has_known_names(values: Mapping[str, object]) -> TypeGuard[CustomerFields]:
    return values.keys() <= CustomerFields.__annotations__.keys()
