"""The fields of an address: what may be written, and what a value has to look like."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeGuard

from customers.mixins import MixinChanges
from customers.models import Address, PostalTexts
from tenants.errors import FieldError, InvalidInput

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
COUNTRY_PATTERN = r"^[A-Za-z]{2}$"
MAX_TAGS = 50
MAX_TAG_LENGTH = 64  # characters


class AddressTexts(PostalTexts, total=False):
    """The plain texts of an address, by the names of the model."""

    contact_name: str | None
    company_name: str | None
    contact_phone: str | None


class AddressChanges(AddressTexts, MixinChanges, total=False):
    """What is to be written to an address: an absent key leaves its field as it is, None unsets it.

    `public_id` is for a new address only. `is_default` true makes it the customer's default; false says nothing.
    """

    public_id: str | None
    tags: Sequence[str] | None
    is_default: bool | None


TEXT_FIELDS = tuple(AddressTexts.__annotations__)


def lines_of(address: Address) -> list[str]:
    """The address as it is read, line by line, without the contact's name and telephone number."""
    street = (address.street, address.street_number, address.street_appendix)
    extra = (address.extra_line_1, address.extra_line_2, address.extra_line_3, address.extra_line_4)
    place = (address.postal_code, address.city)
    lines = (address.company_name, _joined(street), *extra, _joined(place), address.state, address.country)
    return [line for line in lines if line]


def _joined(parts: tuple[str | None, ...]) -> str:
    return " ".join(part for part in parts if part)


def changes_of(values: Mapping[str, object]) -> AddressChanges:
    """The values as changes, for callers that know the fields at run time only. Raises `TypeError` for a name that is
    no field of an address."""
    if not _has_known_names(values):
        unknown = ", ".join(sorted(values.keys() - AddressChanges.__annotations__.keys()))
        raise TypeError(f"{unknown} is not a field of an address")
    return values


def _has_known_names(values: Mapping[str, object]) -> TypeGuard[AddressChanges]:
    return values.keys() <= AddressChanges.__annotations__.keys()


def normalize_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they are stored: trimmed, upper-case, each once, in the order given."""
    return list(dict.fromkeys(tag.strip().upper() for tag in tags if tag.strip()))


def check(*, values: AddressChanges) -> None:
    """Raises `InvalidInput` with everything that is wrong with an address to be created, its mixins aside."""
    errors = tuple(_errors(values))
    if errors:
        raise InvalidInput(details=errors)


def check_stored(*, address: Address) -> None:
    """Raises the `InvalidInput` of `check` for an address as it is now."""
    check(values=changes_of({name: getattr(address, name) for name in (*TEXT_FIELDS, "public_id", "tags")}))


def _errors(values: AddressChanges) -> Iterator[FieldError]:
    if not values.get("contact_name"):
        yield FieldError(field="contact_name", code="required", message="This field is required.")
    country = values.get("country")
    if country and not re.fullmatch(COUNTRY_PATTERN, country):
        yield FieldError(field="country", code="invalid", message="Enter a country code of two letters.")
    public_id = values.get("public_id")
    if public_id and not re.fullmatch(ID_PATTERN, public_id):
        message = "An id has 1 to 64 letters, digits, hyphens and underscores."
        yield FieldError(field="public_id", code="invalid", message=message)
    if len(values.get("tags") or ()) > MAX_TAGS:
        yield FieldError(field="tags", code="max_length", message=f"At most {MAX_TAGS} tags.")
