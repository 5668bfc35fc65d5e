"""Contact points: an e-mail address or a telephone number, as it is stored, counted and shown."""

from dataclasses import dataclass

import phonenumbers
from phonenumbers import PhoneNumberType

from auth_providers.models import Account, OneTimeCode
from customers.enrichment import phones
from customers.spelling import emails
from tenants.errors import FieldError, InvalidInput
from tenants.models import Tenant

FIELD = "to"
EMAIL, SMS = OneTimeCode.Channel.EMAIL.value, OneTimeCode.Channel.SMS.value
# Numbers of these kinds cost their caller more, which fraud with text messages is paid by, or belong to no telephone.
REFUSED_NUMBERS = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
    PhoneNumberType.PAGER,
}
SHOWN_DIGITS = 4


@dataclass(frozen=True, kw_only=True)
class ContactPoint:
    """An address or a number, and the delivery channel that reaches it."""

    channel: str
    destination: str

    @property
    def kind(self) -> Account.Kind:
        """The kind of the accounts that it is the identifier of."""
        return Account.Kind.PHONE if self.channel == SMS else Account.Kind.EMAIL


def normalize(*, tenant: Tenant, channel: str, text: str) -> str:
    """The address in its one spelling, or the number in E.164; one without a country code is dialled from the tenant's
    country. Raises `InvalidInput` on `to`."""
    return _phone(tenant, text) if channel == SMS else _email(text)


def _email(text: str) -> str:
    email = emails.normalize_email(text)
    errors = emails.email_errors(FIELD, email)
    if errors:
        raise InvalidInput(details=tuple(errors))
    return email


def _phone(tenant: Tenant, text: str) -> str:
    number = phones.to_e164(text, country=tenant.default_country or None)
    if number is None or phonenumbers.number_type(phonenumbers.parse(number)) in REFUSED_NUMBERS:
        message = "Enter a telephone number that takes text messages, with its country code."
        raise InvalidInput(details=(FieldError(field=FIELD, code="invalid", message=message),))
    return number


def country_of(number: str) -> str:
    """The country of a number in E.164 (ISO 3166-1 alpha-2), or its calling code when it belongs to none."""
    parsed = phonenumbers.parse(number)
    region = phonenumbers.region_code_for_number(parsed)
    return region if region and region.isalpha() else f"+{parsed.country_code}"


def mask(*, channel: str, destination: str) -> str:
    """The destination as it may be shown before it is proven: an owner recognizes it, and the number of stars is fixed,
    so that its length does not show."""
    if channel == SMS:
        return f"+{phonenumbers.parse(destination).country_code} ******{destination[-SHOWN_DIGITS:]}"
    return mask_email(destination)


def mask_email(address: str) -> str:
    """The address as its owner recognizes it, and nobody else."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}"
