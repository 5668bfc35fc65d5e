"""Further facts about a person, and the properties that a storefront sent under names of its own."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TypedDict

from django.utils import timezone

from customers import secret_names
from customers.mixins import merge_objects
from customers.models import TEXT_MAX_LENGTH, Customer
from tenants import codes
from tenants.errors import FieldError
from tenants.json_values import Json, JsonObject


class PersonalDetails(TypedDict, total=False):
    """What is to change: an absent key leaves its field as it is, None unsets it.

    A birth date is a `date` or ISO 8601 text, `nationality` is ISO 3166-1 alpha-2, `properties` are a merge patch
    (RFC 7396) without secrets (`secret_names`).
    """

    sex: str | None
    birth_date: date | str | None
    nationality: str | None
    advisor: str | None
    is_prospect: bool | None
    is_activated: bool | None
    properties: JsonObject | None


FIELDS = tuple(PersonalDetails.__annotations__)
SEX_MAX_LENGTH = 16  # characters
EARLIEST_BIRTH = date(1900, 1, 1)
PROPERTIES_MAX_BYTES = 32 * 1024  # of JSON
PROPERTIES_MAX_DEPTH = 8

NOT_A_DATE = "Enter the date of a birth, such as 1990-12-31."


def assign(*, customer: Customer, values: PersonalDetails) -> Iterator[FieldError]:
    """Put what `values` says about `FIELDS` on the profile and yield what is wrong with it.

    The types are checked here: contracts pass on what a storefront sent.
    """
    given: Mapping[str, object] = values
    for field in FIELDS:
        if field in given:
            try:
                setattr(customer, field, _READERS[field](customer, given[field]))
            except ValueError as error:
                yield FieldError(field=field, code="invalid", message=str(error))
    yield from secret_names.errors("properties", given.get("properties"))


def _text(limit: int) -> Callable[[Customer, object], str | None]:
    def read(customer: Customer, value: object) -> str | None:
        if value is not None and not isinstance(value, str):
            raise ValueError("This must be text.")
        if value is not None and (len(value) > limit or "\0" in value):
            raise ValueError(f"At most {limit} characters, please.")
        return value

    return read


def _birth_date(customer: Customer, value: object) -> date | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError as error:
            raise ValueError(NOT_A_DATE) from error
    # A `datetime` is a `date`, too, and can't be compared with one.
    if type(value) is not date or not EARLIEST_BIRTH <= value <= timezone.now().date():
        raise ValueError(NOT_A_DATE)
    return value


def _nationality(customer: Customer, value: object) -> str | None:
    if value is None or value == "":
        return None
    if value == customer.nationality:  # a country that is gone is no reason to refuse yesterday's profile
        return customer.nationality
    if not isinstance(value, str) or value not in codes.countries():
        raise ValueError("Enter a country code of ISO 3166-1 alpha-2.")
    return value


def _flag(customer: Customer, value: object) -> bool:
    if value is not None and not isinstance(value, bool):
        raise ValueError("This must be true or false.")
    return bool(value)


def _properties(customer: Customer, value: object) -> dict[str, Json]:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or _is_too_deep(value):
        raise ValueError(f"This must be an object, nested at most {PROPERTIES_MAX_DEPTH} deep.")
    merged = merge_objects(customer.properties, value)
    try:
        size = len(json.dumps(merged, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError) as error:
        raise ValueError("This must be JSON.") from error
    if size > PROPERTIES_MAX_BYTES:
        raise ValueError(f"At most {PROPERTIES_MAX_BYTES} bytes.")
    if _has_nul(merged):
        raise ValueError("NUL characters can't be stored.")
    return merged


def _is_too_deep(root: object) -> bool:
    """Level by level: something very deep must not cost a recursion."""
    level: list[object] = [root]
    for _ in range(PROPERTIES_MAX_DEPTH):
        level = [part for value in level for part in _parts(value)]
    return any(isinstance(value, Mapping | list) for value in level)


def _parts(value: object) -> list[object]:
    if isinstance(value, Mapping):
        return list(value.values())
    return value if isinstance(value, list) else []


def _has_nul(root: object) -> bool:
    level: list[object] = [root]
    while level:
        if any("\0" in text for value in level for text in _texts(value)):
            return True
        level = [part for value in level for part in _parts(value)]
    return False


def _texts(value: object) -> list[str]:
    if isinstance(value, Mapping):
        return [str(key) for key in value]
    return [value] if isinstance(value, str) else []


_READERS: dict[str, Callable[[Customer, object], object]] = {
    "sex": _text(SEX_MAX_LENGTH),
    "birth_date": _birth_date,
    "nationality": _nationality,
    "advisor": _text(TEXT_MAX_LENGTH),
    "is_prospect": _flag,
    "is_activated": _flag,
    "properties": _properties,
}
