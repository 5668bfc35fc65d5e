"""A profile with its default address, consents and identifiers, in two statements and one round trip."""

from dataclasses import dataclass

from django.db.models import Case, CharField, QuerySet, Value, When

from customers import consents
from customers.addresses import addresses
from customers.models import Address, Customer, CustomerIdentifier
from tenants.compiled.queries import compiled, together
from tenants.models import Tenant


@dataclass(frozen=True, kw_only=True)
class FullProfile:
    """The profile, its default address, the consents in force by purpose, and the identifiers by name; of several of
    one name, the last."""

    customer: Customer
    address: Address | None
    consents: dict[str, bool]
    identifiers: dict[str, str]


def read(*, tenant: Tenant, customer: Customer) -> FullProfile:
    """The customer's profile with all of that."""
    found, said = together(
        addresses.default_of.asked(tenant=tenant, customer=customer), _rows.asked(tenant=tenant, customer=customer)
    )
    rows = sorted(said)
    return FullProfile(
        customer=customer,
        address=next(iter(found), None),
        consents={name: value == "yes" for kind, name, value in rows if kind == "consent"},
        identifiers={name: value for kind, name, value in rows if kind == "identifier"},
    )


@compiled
def _rows(*, tenant: Tenant, customer: Customer) -> QuerySet[CustomerIdentifier, tuple[str, str, str]]:
    """Of what kind it is, its name, and what it says: the newest consent to each purpose, and every identifier."""
    said = Case(When(is_given=True, then=Value("yes")), default=Value("no"), output_field=CharField())
    in_force = consents.in_force(tenant=tenant, customer=customer).values_list(Value("consent"), "purpose", said)
    mine = CustomerIdentifier.objects.for_tenant(tenant).filter(customer=customer).order_by()
    return mine.values_list(Value("identifier"), "name", "value").union(in_force, all=True)


READS = (addresses.default_of, _rows)  # what `read` asks, for who reads ahead
