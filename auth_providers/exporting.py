"""Every customer of a tenant, one after the other, for another system: what `importing` takes, and what it does not.

Neither secrets nor hashes of passwords are in it, nor customers who are erased or were merged into another.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeVar

from django.db.models import F, QuerySet

from auth_providers.models import Account
from customers.addresses.fields import TEXT_FIELDS
from customers.models import THERE, Address, Consent, Customer, CustomerIdentifier, SegmentMembership
from customers.profiles import FIELDS
from tenants.models import Tenant
from tenants.trail import audit

EXPORTED = "export_customers"
AT_ONCE = 1000  # customers, so that memory does not grow with the shop
# Beside the profile's own columns.
STATE = ("number", "is_active", "is_on_hold", "last_login_at", "created_at", "properties", "mixins", "mixin_schemas")

Record = dict[str, object]
Row = TypeVar("Row", Account, Address, Consent, CustomerIdentifier, SegmentMembership)


def count(*, tenant: Tenant) -> int:
    """How many customers there are to export."""
    return _customers(tenant).count()


def customers(*, tenant: Tenant) -> Iterator[Record]:
    """A record for each customer, oldest first: the profile's columns, the `email` to log in with and whether it is
    proven, and under `log_ins`, `addresses` (the default one first), `consents`, `identifiers` and `segments` what
    belongs to them. Six statements for each `AT_ONCE` customers."""
    last = 0
    while page := list(_customers(tenant).filter(pk__gt=last).order_by("pk")[:AT_ONCE]):
        yield from _records(tenant, page)
        last = page[-1].pk


def note(*, tenant: Tenant, staff_username: str) -> None:
    """Put on the trail that the customers were exported, and by whom."""
    audit.record(tenant=tenant, action=EXPORTED, staff_username=staff_username)


def _customers(tenant: Tenant) -> QuerySet[Customer]:
    return Customer.objects.for_tenant(tenant).filter(**THERE)


def _records(tenant: Tenant, page: Sequence[Customer]) -> Iterator[Record]:
    log_ins = _by_customer(Account.objects.for_tenant(tenant).filter(customer__in=page))
    addresses = _by_customer(Address.objects.for_tenant(tenant).filter(customer__in=page))
    consents = _by_customer(Consent.objects.for_tenant(tenant).filter(customer__in=page))
    identifiers = _by_customer(CustomerIdentifier.objects.for_tenant(tenant).filter(customer__in=page))
    segments = _by_customer(
        SegmentMembership.objects.for_tenant(tenant).filter(customer__in=page).annotate(code=F("segment__code"))
    )
    for each in page:
        yield {
            **{name: getattr(each, name) for name in (*STATE, *FIELDS)},
            **_email(each, log_ins[each.pk]),
            "log_ins": [_log_in(account) for account in log_ins[each.pk]],
            "addresses": [_address(one) for one in sorted(addresses[each.pk], key=lambda one: not one.is_default)],
            "consents": {consent.purpose: consent.is_given for consent in consents[each.pk]},  # the newest counts
            "identifiers": {identifier.name: identifier.value for identifier in identifiers[each.pk]},
            "segments": sorted(membership.code for membership in segments[each.pk]),  # type: ignore[attr-defined]
        }


def _by_customer(rows: "QuerySet[Row]") -> dict[int, list[Row]]:
    """In the order in which they were written."""
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows.order_by("pk"):
        found[row.customer_id].append(row)
    return found


def _email(customer: Customer, log_ins: Sequence[Account]) -> Record:
    """The first address that the customer logs in with; the one of the profile for who logs in otherwise."""
    account = next((each for each in log_ins if each.kind == Account.Kind.EMAIL), None)
    if account is None:
        return {"email": customer.contact_email, "is_email_verified": False}
    return {"email": account.identifier, "is_email_verified": account.verified_at is not None}


def _log_in(account: Account) -> Record:
    return {
        "kind": account.kind,
        "provider": account.provider,
        "issuer": account.issuer,
        "identifier": account.identifier,
        "is_verified": account.verified_at is not None,
        "created_at": account.created_at,
    }


def _address(address: Address) -> Record:
    names = ("public_id", "is_default", "tags", "mixins", "mixin_schemas", *TEXT_FIELDS)
    return {name: getattr(address, name) for name in names}
