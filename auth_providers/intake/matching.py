"""Whose data is it? The customer whom a storefront's data names, and where a code can be sent to ask.

A customer is known by an identifier of the shop's, then by the e-mail address of a log-in, then by its telephone. A
contact address is nobody's name: its owner may never have seen it (`docs/decisions/check-in.md`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Q

from auth_providers.accounts import contact_points
from auth_providers.accounts.passwords import NO_PASSWORD
from auth_providers.models import Account
from auth_providers.models.proofs import OneTimeCode
from customers.models import Customer, CustomerIdentifier
from tenants.models import Tenant, TenantQuerySet

EMAIL, SMS = OneTimeCode.Channel.EMAIL.value, OneTimeCode.Channel.SMS.value
LOCAL = (Account.Kind.EMAIL, Account.Kind.PHONE)


@dataclass(frozen=True, kw_only=True)
class Way:
    """Where a code can be sent."""

    channel: str
    destination: str


@dataclass(frozen=True, kw_only=True)
class Match:
    """A customer, and the ways to ask for proof, the best first."""

    customer: Customer
    ways: tuple[Way, ...]


def find(*, tenant: Tenant, identifiers: Mapping[str, str], email: str, phone: str) -> Match | None:
    """The customer of the first identifier that is known, else of the e-mail, else of the telephone number; "" names
    nobody. `email` is normalized, `phone` in E.164."""
    customer = _find_by_identifiers(tenant, identifiers)
    if customer is not None:
        return Match(customer=customer, ways=ways_to(tenant=tenant, customer=customer))
    owned = {each.kind: each for each in named_accounts(tenant=tenant, email=email, phone=phone)}
    if Account.Kind.EMAIL in owned:
        return Match(customer=owned[Account.Kind.EMAIL].customer, ways=(Way(channel=EMAIL, destination=email),))
    if Account.Kind.PHONE in owned:
        customer = owned[Account.Kind.PHONE].customer
        by_mail = tuple(way for way in ways_to(tenant=tenant, customer=customer) if way.channel == EMAIL)
        return Match(customer=customer, ways=(Way(channel=SMS, destination=phone), *by_mail))
    return None


def ways_to(*, tenant: Tenant, customer: Customer) -> tuple[Way, ...]:
    """The customer's own addresses, mail first, and those first that somebody has proven."""
    mine = Account.objects.for_tenant(tenant).filter(kind__in=LOCAL, customer=customer).order_by("-is_confirmed", "pk")
    ways = [Way(channel=channel_of(account), destination=account.identifier) for account in mine]
    return tuple(sorted(ways, key=lambda way: way.channel != EMAIL))


def posted_ways(*, email: str, phone: str) -> tuple[Way, ...]:
    """Where whoever handed this in says to be reached: by mail if they gave an address, else by text message."""
    if email:
        return (Way(channel=EMAIL, destination=email),)
    return (Way(channel=SMS, destination=phone),) if phone else ()


def named_accounts(*, tenant: Tenant, email: str, phone: str) -> TenantQuerySet[Account]:
    """The log-ins that this e-mail and this telephone number have, with their customers."""
    named = Q(kind=Account.Kind.EMAIL, identifier=email) | Q(kind=Account.Kind.PHONE, identifier=phone)
    every = Account.objects.for_tenant(tenant).filter(named, customer__erased_at=None)
    return every.exclude(identifier="").select_related("customer")


def new_account(*, tenant: Tenant, customer: Customer, way: Way, is_confirmed: bool) -> Account:
    """A log-in of the customer's for this address, without a password, not saved yet."""
    return Account(
        tenant=tenant,
        customer=customer,
        identifier=way.destination,
        is_confirmed=is_confirmed,
        password=NO_PASSWORD if way.channel == EMAIL else "",
        kind=contact_points.kind_of(way.channel),
    )


def channel_of(account: Account) -> str:
    """How codes reach the account's owner."""
    return EMAIL if account.kind == Account.Kind.EMAIL else SMS


def known_identifiers(*, tenant: Tenant, identifiers: Mapping[str, str]) -> TenantQuerySet[CustomerIdentifier]:
    """Those of the identifiers that somebody has."""
    wanted = Q(pk__in=())
    for name, value in identifiers.items():
        wanted |= Q(name=name, value=value)
    return CustomerIdentifier.objects.for_tenant(tenant).filter(wanted)


def _find_by_identifiers(tenant: Tenant, identifiers: Mapping[str, str]) -> Customer | None:
    if not identifiers:
        return None
    rows = known_identifiers(tenant=tenant, identifiers=identifiers)
    owners = {row.name: row.customer for row in rows.filter(customer__erased_at=None).select_related("customer")}
    return next((owners[name] for name in identifiers if name in owners), None)
