"""Phone numbers as the world writes them: E.164."""

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

# Until 2019, mobile phones of Mexico were dialled from abroad with a 1 before their ten digits; many still write it.
MEXICO, OLD_MOBILE_DIGITS = 52, 11
MAX_LENGTH = 64  # characters, with whatever people put between digits


def to_e164(text: str, *, country: str | None) -> str | None:
    """The number such as +491712345678; one without a country code is dialled from `country` (ISO 3166-1 alpha-2).

    An extension is left out, which E.164 does not have. None for what can't be dialled.
    """
    if len(text) > MAX_LENGTH:
        return None
    try:
        number = phonenumbers.parse(text, country)
    except NumberParseException:
        return None
    if number.country_code == MEXICO and len(digits := str(number.national_number)) == OLD_MOBILE_DIGITS:
        number.national_number = int(digits.removeprefix("1"))
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
