"""What hangs on a profile, in one statement: its log-ins and its legal entities."""

from dataclasses import dataclass

from django.db.models import QuerySet, Value

from auth_providers.models import Account
from customers.models import ContactAssignment, Customer
from tenants.compiled.queries import compiled
from tenants.models import Tenant


@dataclass(frozen=True, kw_only=True)
class Connections:
    """A customer's log-ins as (what people know it by, the id at its provider or ""), and legal entities as (id, name,
    id of the assignment); oldest first."""

    log_ins: list[tuple[str, str]]
    legal_entities: list[tuple[str, str, str]]


def list_for(*, tenant: Tenant, customer: Customer | None) -> Connections:
    """The customer's connections; none for an anonymous visitor."""
    rows = sorted(_rows(tenant=tenant, customer=customer)) if customer else []
    return Connections(
        log_ins=[_log_in(*row[2:]) for row in rows if row[0] == "log_in"],
        legal_entities=[(row[2], row[3], row[4]) for row in rows if row[0] == "legal_entity"],
    )


@compiled
def _rows(*, tenant: Tenant, customer: Customer) -> QuerySet[Account, tuple[str, int, str, str, str]]:
    """Of what kind it is, its key, and three columns that its kind has a meaning for."""
    log_ins = Account.objects.for_tenant(tenant).filter(customer=customer).order_by()
    assignments = ContactAssignment.objects.for_tenant(tenant).filter(customer=customer).order_by()
    columns = ("legal_entity__public_id", "legal_entity__name", "public_id")
    return log_ins.values_list(Value("log_in"), "pk", "identifier", "email", "kind").union(
        assignments.values_list(Value("legal_entity"), "pk", *columns), all=True
    )


READS = (_rows,)  # what `list_for` asks, for who reads ahead


def _log_in(identifier: str, email: str, kind: str) -> tuple[str, str]:
    return (identifier, "") if kind == Account.Kind.EMAIL else (email or identifier, identifier)
