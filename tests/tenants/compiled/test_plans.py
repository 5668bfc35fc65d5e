"""How PostgreSQL runs the hot statements: none of them reads a large table, or all that a tenant has in it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.urls import get_resolver

from auth_providers.models import MessageTemplate
from tenants import isolation
from tenants.compiled.pipeline import numbered
from tenants.compiled.queries import CompiledQuery, Parameter
from tenants.compiled.writes import CompiledUpdate
from tenants.models import MailSuppression
from tenants.outbox import suppressions
from tests.neighbours import Neighbours
from tests.tenants.compiled.test_queries import FIND_THE_TENANT, name_of

pytestmark = pytest.mark.postgres

# What a tenant has a few rows of.
SMALL = {
    "auth_providers_authprovider",
    "auth_providers_flow",
    "auth_providers_webhookendpoint",
    "customers_customernumber",
    "customers_legalentity",
    "customers_segment",
    "tenants_apikey",
    "tenants_signingkey",
    "tenants_site",
    "tenants_tenant",
}


def statements() -> Iterator[tuple[str, str, int, bool]]:
    """Name, text, number of parameters, and whether it runs confined to a tenant, of each hot statement."""
    assert get_resolver().url_patterns  # which imports the program
    for query in CompiledQuery.every:
        if not query.build.__module__.startswith("tests."):
            statement = query.statement
            count = sum(isinstance(each, Parameter) for each in statement.params)
            yield name_of(query), statement.sql, count, name_of(query) not in FIND_THE_TENANT
    for update in CompiledUpdate.every:
        if not update.build.__module__.startswith("tests."):
            sql, params, _ = update.statement
            yield f"{update.build.__module__}.{update.build.__name__}", sql, len(params), True


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def plan_of(sql: str, count: int) -> list[dict[str, Any]]:
    """The plan for any values, as a prepared statement has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('plan_cache_mode', 'force_generic_plan', true)")
        cursor.execute(f"PREPARE looked_at AS {numbered(sql).decode()}")
        values = f"({', '.join(['NULL'] * count)})" if count else ""
        cursor.execute(f"EXPLAIN (FORMAT JSON) EXECUTE looked_at{values}")
        [(text,)] = cursor.fetchall()
        cursor.execute("DEALLOCATE looked_at")
    found = json.loads(text) if isinstance(text, str) else text
    return list(nodes(found[0]["Plan"]))


def too_much(plan: list[dict[str, Any]]) -> list[str]:
    """The parts of a plan that read all of a large table, or all of a tenant's rows in it."""
    found = []
    for each in plan:
        index = each.get("Index Name", "")
        table = each.get("Relation Name") or next((name for name in SMALL if index.startswith(name)), "")
        if table in SMALL or each["Node Type"] not in (
            "Seq Scan",
            "Index Scan",
            "Index Only Scan",
            "Bitmap Index Scan",
        ):
            continue
        condition = re.sub(r"\s*AND\s*", " AND ", each.get("Index Cond", ""))
        if not [part for part in condition.strip("()").split(" AND ") if part and "tenant_id" not in part]:
            found.append(f"{each['Node Type']} of {table or each.get('Index Name')}: {condition or 'everything'}")
    return found


def grow(tenants: int = 1000) -> None:
    """Let the planner believe that each large table has a million rows, nearly all values of a column different, and so
    many tenants, none commoner than others."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(
            "UPDATE pg_statistic SET stakind1 = 0, stakind2 = 0, stakind3 = 0, stakind4 = 0, stakind5 = 0, "
            "stadistinct = CASE attname WHEN 'tenant_id' THEN %s ELSE -0.5 END "
            "FROM pg_attribute WHERE attrelid = starelid AND attnum = staattnum AND starelid >= 16384",
            [tenants],
        )
        cursor.execute(
            "UPDATE pg_class SET reltuples = 1e6 * greatest(relpages, 1) "
            "WHERE oid >= 16384 AND relkind IN ('r', 'i') AND relname != ALL(%s)",
            [sorted(SMALL)],
        )


def test_no_hot_statement_reads_all_of_a_table(neighbours: Neighbours) -> None:
    """Neither do its parts: what is read by the tenant alone is all that the tenant has."""
    tenant = neighbours.beside.customer.tenant
    # An empty table is small.
    suppressions.add(tenant=tenant, address="ada@example.com", why=MailSuppression.Why.BOUNCED)
    MessageTemplate.objects.create(tenant=tenant, template="opt_in", language="en", subject="Words", text="of our own")
    assert set(connection.introspection.table_names()) >= SMALL
    grow()
    with connection.cursor() as cursor:
        found = {}
        for name, sql, count, is_confined in statements():
            cursor.execute("SAVEPOINT before")
            if is_confined:
                cursor.execute(isolation.CONFINE, ["1"])
            wrong = too_much(plan_of(sql, count))
            if wrong:
                found[name] = wrong
            cursor.execute("ROLLBACK TO SAVEPOINT before")
    assert found == {}, json.dumps(found, indent=1)


def test_a_statement_that_reads_all_is_found(neighbours: Neighbours) -> None:
    grow()
    table = "SELECT number FROM customers_customer WHERE"
    assert too_much(plan_of(f"{table} title = %s", 1)) == ["Seq Scan of customers_customer: everything"]
    assert too_much(plan_of(f"{table} tenant_id = %s AND title = %s", 2))
    assert too_much(plan_of(f"{table} tenant_id = %s AND number = %s", 2)) == []
