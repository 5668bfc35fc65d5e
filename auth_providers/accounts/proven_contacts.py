"""The addresses and numbers that a customer has proven, for others who rely on them."""

from dataclasses import dataclass

from django.db.models import QuerySet

from auth_providers.models import Account
from customers.enrichment import phones
from customers.models import Customer
from tenants.compiled.queries import compiled
from tenants.models import Tenant


@dataclass(frozen=True, kw_only=True)
class ProvenContacts:
    """`email` is an address that the customer has proven; `phone` is a number in E.164, which may not be proven. Both
    "" for none."""

    email: str = ""
    phone: str = ""
    is_phone_proven: bool = False


def find(*, tenant: Tenant, customer: Customer) -> ProvenContacts:
    """In one statement. Of several the one that the profile names, or else the oldest; a number that nobody has proven
    is the profile's."""
    every = _accounts(tenant=tenant, customer=customer)
    emails = [each.proven_address for each in every if each.proven_address]
    numbers = [each.identifier for each in every if each.kind == Account.Kind.PHONE and each.is_verified]
    contact_phone = phones.to_e164(customer.contact_phone or "", country=tenant.default_country or None) or ""
    phone = _preferred(numbers, contact_phone) or contact_phone
    return ProvenContacts(
        email=_preferred(emails, customer.contact_email or ""), phone=phone, is_phone_proven=phone in numbers
    )


@compiled
def _accounts(*, tenant: Tenant, customer: Customer) -> QuerySet[Account]:
    return Account.objects.for_tenant(tenant).filter(customer=customer).order_by("pk")


def _preferred(proven: list[str], named: str) -> str:
    return named if named in proven else next(iter(proven), "")
