"""What hangs on a profile, in one statement: its log-ins and its legal entities.

`/me` is the hottest read there is, and a quarter of its work was building this statement: so it is SQL, built once.
"""

from dataclasses import dataclass

from django.db import connection

from auth_providers.models import Account
from customers.models import ContactAssignment, Customer, LegalEntity
from tenants.models import Tenant

_STATEMENT = f"""
SELECT 'log_in', account.id, account.identifier, account.email, account.kind
FROM {Account._meta.db_table} account
WHERE account.tenant_id = %(tenant)s AND account.customer_id = %(customer)s
UNION ALL
SELECT 'legal_entity', assignment.id, entity.public_id, entity.name, assignment.public_id
FROM {ContactAssignment._meta.db_table} assignment
JOIN {LegalEntity._meta.db_table} entity ON entity.id = assignment.legal_entity_id
WHERE assignment.tenant_id = %(tenant)s AND assignment.customer_id = %(customer)s
"""  # noqa: S608 - the names are our own


@dataclass(frozen=True, kw_only=True)
class Connections:
    """A customer's log-ins as (what people know it by, the id at its provider or ""), and legal entities as (id, name,
    id of the assignment); oldest first."""

    log_ins: list[tuple[str, str]]
    legal_entities: list[tuple[str, str, str]]


def list_for(*, tenant: Tenant, customer: Customer | None) -> Connections:
    """The customer's connections; none for an anonymous visitor."""
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, {"tenant": tenant.pk, "customer": customer.pk if customer else None})
        rows = sorted(cursor.fetchall())
    return Connections(
        log_ins=[_log_in(*row[2:]) for row in rows if row[0] == "log_in"],
        legal_entities=[(row[2], row[3], row[4]) for row in rows if row[0] == "legal_entity"],
    )


def _log_in(identifier: str, email: str, kind: str) -> tuple[str, str]:
    return (identifier, "") if kind == Account.Kind.EMAIL else (email or identifier, identifier)
