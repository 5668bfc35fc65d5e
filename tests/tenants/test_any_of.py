"""Rows that meet one of several conditions: found by an index, however many rows the tenant has."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q

from auth_providers import limits
from auth_providers.accounts import accounts, pending
from auth_providers.models import Account
from customers import identifiers
from customers.models import Customer
from tenants.models import Tenant
from tests import factories

ATTEMPTS = tuple(
    limits.Attempt(rule=rule, subject="ada")
    for rule in (limits.LOG_IN_BY_ACCOUNT, limits.LOG_IN_BY_DEVICE, limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS)
)
SEARCHES: dict[str, Callable[[Customer], Any]] = {
    "waits": lambda customer: limits.admit(tenant=customer.tenant, attempts=ATTEMPTS),
    "forgotten failures": lambda customer: limits.forget_failures(tenant=customer.tenant, attempts=ATTEMPTS),
    "e-mail or telephone": lambda customer: list(
        accounts.with_email_or_phone(tenant=customer.tenant, email="a@example.com", phone="+442079460000")
    ),
    "identity or e-mail": lambda customer: accounts.match_external(
        tenant=customer.tenant, provider="partner", issuer="https://a.example", subject="1", email="a@example.com"
    ),
    "identifiers": lambda customer: list(
        identifiers.known(tenant=customer.tenant, identifiers={"card": "1", "till": "2"})
    ),
    "what waits for an answer": lambda customer: pending.void(tenant=customer.tenant, customer=customer),
}


READING = ("SELECT", "UPDATE", "DELETE")


def plans(act: Callable[[], Any]) -> list[str]:
    """How SQLite reads the tables for each statement. With the values beside the statement, as it is run: SQLite takes
    out what two conditions share where it sees that."""
    asked: list[tuple[str, Any]] = []

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql.startswith(READING):
            asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        act()
    with connection.cursor() as cursor:
        steps = [cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params).fetchall() for sql, params in asked]
    return [str(row[-1]) for rows in steps for row in rows]


@pytest.mark.parametrize("search", SEARCHES)
def test_no_row_of_the_tenant_is_read_that_is_not_looked_for(tenant: Tenant, search: str) -> None:
    """Without statistics, which SQLite has only after ANALYZE, the index of the tenant alone is the first that it
    takes. What PostgreSQL plans depends on them."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL has statistics")
    customer = factories.make_customer(tenant)
    read = [step for step in plans(lambda: SEARCHES[search](customer)) if step.startswith(("SCAN", "SEARCH"))]
    assert read
    assert not [step for step in read if step.startswith("SCAN") or step.endswith("(tenant_id=?)")]


def test_one_of_the_conditions_in_the_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    ada, charles = (factories.make_customer(tenant, email=f"{name}@example.com") for name in ("ada", "charles"))
    factories.make_customer(other_tenant, email="ada@example.com")
    rows = Account.objects.for_tenant
    named = [Q(identifier=f"{name}@example.com") for name in ("ada", "charles", "nobody")]
    assert {each.customer for each in rows(tenant, any_of=named)} == {ada, charles}
    assert {each.customer for each in rows(tenant, any_of=named[:1])} == {ada}
    assert not rows(tenant, any_of=[])
