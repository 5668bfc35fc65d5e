"""Whose data is it? The customer whom a storefront's data names, and where a code can be sent to ask.

A customer is known by the shop's identifiers, then by the e-mail address of a log-in, then by its telephone, where no
e-mail address came along: people share a telephone, and another address is another person. A contact address identifies
nobody: its owner may never have seen it (`docs/decisions/submission-identity.md`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from auth_providers.accounts import accounts
from auth_providers.accounts.contact_points import EMAIL, SMS, ContactPoint
from auth_providers.models import Account
from customers.identifiers import find_customer
from customers.models import Customer
from tenants.models import Tenant


@dataclass(frozen=True, kw_only=True)
class Match:
    """A customer, and where they can be asked for proof, the best first. `is_by_phone` says that only a telephone,
    which people share, matched; `unproven` is the log-in whose address matched, where nobody has proven it."""

    customer: Customer
    contact_points: tuple[ContactPoint, ...]
    is_by_phone: bool = False
    unproven: Account | None = None


def find(*, tenant: Tenant, identifiers: Mapping[str, str], email: str, phone: str) -> Match | None:
    """The customer of the identifiers, else of the e-mail, else, without an e-mail, of the telephone number; "" names
    nobody. `email` is normalized, `phone` in E.164. Raises `InvalidInput` for identifiers of different customers."""
    customer = find_customer(tenant=tenant, identifiers=identifiers)
    if customer is not None:
        return Match(customer=customer, contact_points=_contact_points(tenant, customer))
    phone = "" if email else phone
    owned = {each.kind: each for each in accounts.with_email_or_phone(tenant=tenant, email=email, phone=phone)}
    if Account.Kind.EMAIL in owned:
        by_mail = ContactPoint(channel=EMAIL, destination=email)
        account = owned[Account.Kind.EMAIL]
        unproven = None if account.is_verified else account
        return Match(customer=account.customer, contact_points=(by_mail,), unproven=unproven)
    if Account.Kind.PHONE in owned:
        customer = owned[Account.Kind.PHONE].customer
        emails = tuple(point for point in _contact_points(tenant, customer) if point.channel == EMAIL)
        points = (ContactPoint(channel=SMS, destination=phone), *emails)
        return Match(customer=customer, contact_points=points, is_by_phone=True)
    return None


def posted_contact_points(*, email: str, phone: str) -> tuple[ContactPoint, ...]:
    """Where the submitted data says that its customer is reached: by mail if there is an address, else by text
    message."""
    if email:
        return (ContactPoint(channel=EMAIL, destination=email),)
    return (ContactPoint(channel=SMS, destination=phone),) if phone else ()


def _contact_points(tenant: Tenant, customer: Customer) -> tuple[ContactPoint, ...]:
    return accounts.contact_points_of_customer(tenant=tenant, customer=customer)
