"""The second wall between tenants: row level security on PostgreSQL.

The first wall is `for_tenant(…)`. Should a query forget it, the database itself shows a confined request no row of
another tenant, and lets it write none. A confined statement runs as `ROLE`, which may touch tenants' tables only, and
names its tenant; both are set in the statement's own transaction, so that nothing leaks to the next user of a pooled
connection, and in the same round trip, so that it costs no waiting. Staff, commands and the worker serve all tenants
and are not confined.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tenants.models import AuditEvent, Tenant, TenantOwned

ROLE = "patron_tenant"
SETTING = "patron.tenant_id"
LEAVE = f"SELECT set_config('role', 'none', true), set_config('{SETTING}', '', true)"
TRANSACTION_CONTROL = ("SAVEPOINT", "RELEASE", "ROLLBACK")

# A role belongs to the whole server, so another database, or another migration right now, may have made it already.
CREATE_ROLE = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN
        CREATE ROLE {ROLE} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    EXECUTE format('GRANT {ROLE} TO %I', current_user);
EXCEPTION
    WHEN unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        IF NOT pg_has_role(current_user, '{ROLE}', 'MEMBER') THEN
            RAISE EXCEPTION 'A superuser has to run: GRANT {ROLE} TO %', current_user;
        END IF;
END $$;
"""


@contextmanager
def confined(tenant: Tenant) -> Iterator[None]:
    """Inside, this thread's statements reach this tenant's rows only. Other databases than PostgreSQL lack this wall.

    Not for `executemany` or server-side cursors (`iterator()`), which can't carry the setting along: PostgreSQL refuses
    their SQL.
    """
    if connection.vendor != "postgresql":
        yield
        return
    prefix = f"SELECT set_config('role', '{ROLE}', true), set_config('{SETTING}', '{int(tenant.pk)}', true); "

    def confine(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        if sql.startswith(TRANSACTION_CONTROL):
            return execute(sql, params, many, context)
        result = execute(prefix + sql, params, many, context)
        context["cursor"].nextset()  # past the answer of the prefix
        return result

    try:
        with connection.execute_wrapper(confine):
            yield
    finally:
        _leave()


def _leave() -> None:
    """Inside a transaction of the caller's the settings would last until its end."""
    if connection.in_atomic_block and not connection.needs_rollback:
        with connection.cursor() as cursor:
            cursor.execute(LEAVE)


def owned_models() -> list[type[models.Model]]:
    """Every model whose rows belong to a tenant."""
    return [model for model in apps.get_models() if issubclass(model, TenantOwned)]


def build(schema_editor: BaseDatabaseSchemaEditor, tables: list[str]) -> None:
    """For a migration: put the wall around the tables, each of which has a `tenant_id`."""
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(CREATE_ROLE, params=None)
    schema_editor.execute(f'GRANT SELECT ON "{Tenant._meta.db_table}" TO {ROLE}')
    for table in tables:
        rights = "SELECT, INSERT" if table == AuditEvent._meta.db_table else "SELECT, INSERT, UPDATE, DELETE"
        schema_editor.execute(f'GRANT {rights} ON "{table}" TO {ROLE}')
        schema_editor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        schema_editor.execute(
            f"CREATE POLICY tenant_isolation ON \"{table}\" USING (tenant_id = current_setting('{SETTING}')::bigint)"
        )


def tear_down(schema_editor: BaseDatabaseSchemaEditor, tables: list[str]) -> None:
    """For a migration's way back: remove what `build` put up, but not the role, which others may use."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for table in tables:
        schema_editor.execute(f'DROP POLICY tenant_isolation ON "{table}"')
        schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
        schema_editor.execute(f'REVOKE ALL ON "{table}" FROM {ROLE}')
