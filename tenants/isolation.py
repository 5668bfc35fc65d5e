"""Row level security between tenants, on PostgreSQL.

A query names its tenant by `for_tenant(…)`. Should one forget it, the database itself shows a confined request no row
of another tenant, and lets it write none. A confined statement runs as `ROLE`, which may touch tenants' tables only,
and names its tenant; both are set in the statement's own transaction, so that nothing leaks to the next user of a
pooled connection, and in the same round trip, so that it costs no waiting. Commands and the worker serve all
tenants and are not confined.

A second foreign key, beside Django's own, carries the tenant: a row that names another tenant's row is refused, also
from staff, commands and the worker.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from psycopg.pq import TransactionStatus

from tenants.compiled import ahead
from tenants.compiled.pipeline import Before
from tenants.compiled.prepared import PreparedCursor
from tenants.compiled.queries import CompiledQuery
from tenants.models import AuditEvent, Tenant, TenantOwned

ROLE = "patron_tenant"
SETTING = ahead.TENANT
CONFINE = f"SELECT set_config('role', '{ROLE}', true), set_config('{SETTING}', %s, true)"
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


def before_of_caller(query: CompiledQuery[Any, Any], key: bytes) -> Before:
    """What confines statements to the tenant of whoever calls, before we know who that is: the query finds the keys of
    tenant, customer and session by the key, which is as PostgreSQL reads it in text. Nobody has the keys of 0."""
    return _confine_caller(query), [key]


@cache
def _confine_caller(query: CompiledQuery[Any, Any]) -> str:
    keys = ((SETTING, "tenant", "0"), (ahead.CUSTOMER, "customer", "0"), (ahead.SESSION, "session", str(UUID(int=0))))
    settings = "".join(f", set_config('{name}', coalesce({key}::text, '{none}'), true)" for name, key, none in keys)
    known = f"(SELECT) AS one LEFT JOIN ({query.statement.sql}) AS caller (tenant, customer, session) ON true"
    return f"SELECT set_config('role', '{ROLE}', true){settings} FROM {known}"  # noqa: S608 - ours


class Confinement:
    """Between `begin` and `end`, or inside `with`, this thread's statements reach this tenant's rows only. Without
    effect on other databases than PostgreSQL.

    Not for `executemany` or server-side cursors (`iterator()`), which can't carry the setting along: PostgreSQL refuses
    their SQL.
    """

    def __init__(self, tenant: Tenant) -> None:
        self._wrapper = connections[DEFAULT_DB_ALIAS]
        self._key = str(int(tenant.pk))
        self.before: Before = (CONFINE, [self._key.encode()])  # see `prepared.execute`

    def begin(self) -> None:
        """From here on."""
        if self._wrapper.vendor == "postgresql":
            self._wrapper.execute_wrappers.append(self)

    def end(self) -> None:
        """Until here. Confinements end in the reverse of the order in which they began."""
        if self._wrapper.vendor == "postgresql":
            self._wrapper.execute_wrappers.pop()
            _leave(self._wrapper)

    def __enter__(self) -> None:
        self.begin()

    def __exit__(self, *failure: object) -> None:
        self.end()

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Django's `execute_wrapper`."""
        if isinstance(context["cursor"].cursor, PreparedCursor):
            context["cursor"].cursor.before = self.before
            return execute(sql, params, many, context)
        if sql.startswith(TRANSACTION_CONTROL):
            return execute(sql, params, many, context)
        prefix = f"SELECT set_config('role', '{ROLE}', true), set_config('{SETTING}', '{self._key}', true); "
        result = execute(prefix + sql, params, many, context)
        context["cursor"].nextset()  # past the answer of the prefix
        return result


@contextmanager
def lifted() -> Iterator[None]:
    """Inside `confined`, for statements that name their tenant and need what row level security withholds: an index
    whose operator is not leakproof, such as one of trigrams. What they find is read confined."""
    wrappers = connection.execute_wrappers
    rest = [each for each in wrappers if getattr(each, "before", None) is None]
    if len(rest) == len(wrappers):
        yield
        return
    connection.execute_wrappers = rest
    try:
        _leave(connections[DEFAULT_DB_ALIAS])
        yield
    finally:
        connection.execute_wrappers = wrappers


def _leave(wrapper: BaseDatabaseWrapper) -> None:
    """Inside a transaction of the caller's the settings would last until its end. Where an error has aborted it, they
    end with the rollback, and another statement would only hide that error."""
    if wrapper.in_atomic_block and not wrapper.needs_rollback and _takes_statements(wrapper):
        with wrapper.cursor() as cursor:
            cursor.execute(LEAVE)


def _takes_statements(wrapper: BaseDatabaseWrapper) -> bool:
    """Whether the transaction is open and not aborted; Django learns that only when its block ends."""
    opened = wrapper.connection
    return opened is not None and opened.info.transaction_status == TransactionStatus.INTRANS


def owned_models() -> list[type[models.Model]]:
    """Every model whose rows belong to a tenant."""
    return [model for model in apps.get_models() if issubclass(model, TenantOwned)]


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A foreign key from one tenant-owned table to another."""

    table: str
    column: str
    target: str
    target_key: str

    @property
    def constraint(self) -> str:
        """The name of the second foreign key."""
        return f"{self.table}_{self.column}_of_tenant"

    @property
    def target_constraint(self) -> str:
        """The name of the unique constraint that it refers to."""
        return f"{self.target}_of_tenant"


def references() -> list[Reference]:
    """Every foreign key between models whose rows belong to a tenant."""
    return [
        Reference(
            table=model._meta.db_table,
            column=field.column,
            target=field.related_model._meta.db_table,
            target_key=str(field.target_field.column),
        )
        for model in owned_models()
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantOwned)
    ]


def enable(schema_editor: BaseDatabaseSchemaEditor, tables: list[str]) -> None:
    """For a migration: enable row level security on the tables, each of which has a `tenant_id`, and let their foreign
    keys carry it."""
    if schema_editor.connection.vendor != "postgresql":
        return
    schema_editor.execute(CREATE_ROLE, params=None)
    grant_reading(schema_editor, Tenant._meta.db_table)
    for table in tables:
        is_trail = table == AuditEvent._meta.db_table
        rights = "SELECT, INSERT" if is_trail else "SELECT, INSERT, UPDATE, DELETE"
        schema_editor.execute(f'GRANT {rights} ON "{table}" TO {ROLE}')
        if is_trail:  # the keys of other tables are identity columns, whose sequences need no right of their own
            schema_editor.execute(f'GRANT USAGE ON SEQUENCE "{table}_id_seq" TO {ROLE}')
        schema_editor.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
        schema_editor.execute(
            f"CREATE POLICY tenant_isolation ON \"{table}\" USING (tenant_id = current_setting('{SETTING}')::bigint)"
        )
    _bind_references(schema_editor, tables)


def _bind_references(schema_editor: BaseDatabaseSchemaEditor, tables: list[str]) -> None:
    """A reference that a later migration adds is not there yet, and for that migration. The tenant is the second column
    of the unique index: if it began with it, other look-ups in the tenant would use the index, see `TenantOwned`."""
    for target, key, name in sorted({(each.target, each.target_key, each.target_constraint) for each in references()}):
        if target in tables:
            schema_editor.execute(f'ALTER TABLE "{target}" ADD CONSTRAINT "{name}" UNIQUE ("{key}", tenant_id)')
    for each in references():
        if each.table in tables and each.column in _columns(schema_editor, each.table):
            schema_editor.execute(
                f'ALTER TABLE "{each.table}" ADD CONSTRAINT "{each.constraint}" '
                f'FOREIGN KEY (tenant_id, "{each.column}") REFERENCES "{each.target}" (tenant_id, "{each.target_key}") '
                "DEFERRABLE INITIALLY DEFERRED"
            )


def _columns(schema_editor: BaseDatabaseSchemaEditor, table: str) -> set[str]:
    with schema_editor.connection.cursor() as cursor:
        return {each.name for each in schema_editor.connection.introspection.get_table_description(cursor, table)}


def disable(schema_editor: BaseDatabaseSchemaEditor, tables: list[str]) -> None:
    """For a migration, in reverse: undo `enable`, but keep the role, which other databases may use."""
    if schema_editor.connection.vendor != "postgresql":
        return
    for each in references():
        if each.table in tables:
            schema_editor.execute(f'ALTER TABLE "{each.table}" DROP CONSTRAINT IF EXISTS "{each.constraint}"')
    for target, name in sorted({(each.target, each.target_constraint) for each in references()}):
        if target in tables:
            schema_editor.execute(f'ALTER TABLE "{target}" DROP CONSTRAINT "{name}"')
    for table in tables:
        schema_editor.execute(f'DROP POLICY tenant_isolation ON "{table}"')
        schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
        schema_editor.execute(f'REVOKE ALL ON "{table}" FROM {ROLE}')


def grant_reading(schema_editor: BaseDatabaseSchemaEditor, table: str) -> None:
    """For a migration: let every confined statement read a table that belongs to no tenant."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f'GRANT SELECT ON "{table}" TO {ROLE}')
