"""The database itself refuses to rewrite a trail: triggers, also against the owner of the tables.

What passes is decided by the change itself and by the database's clock. An UPDATE may blank from where and with what
something was done, and nothing else: once the tenant's period is over, or of a customer who was erased.
A DELETE may remove the events of a tenant that is gone. On PostgreSQL even these pass only inside the function
`patron_maintain_trails`, and TRUNCATE never. `trail_maintenance` is what asks for it.

PostgreSQL gets triggers and function by a migration. SQLite loses the triggers of a table that a migration makes anew,
and makes none anew that a trigger names; there they are dropped before every `migrate` and created after it. There an
INSERT or an UPDATE may replace another row (`OR REPLACE`), which no trigger of a DELETE sees: theirs refuse that.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.apps import apps
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import Model

FUNCTION = "patron_maintain_trails"
SETTING = "patron.is_maintaining_trails"
# How long the trail of staff, who belong to no tenant, keeps from where they logged in.
STAFF_CLIENT_SECONDS = 90 * 24 * 60 * 60
AT_ONCE = 1000  # events in one statement
ERASED = "erase_customer"  # the event that an erasure leaves


@dataclass(frozen=True, kw_only=True)
class Trail:
    """A table and which changes of it pass, in SQL. `blanked` are the only columns that may differ."""

    table: str
    message: str
    blanked: tuple[str, ...]
    may_update: str
    may_delete: str
    is_maintained: bool = True  # what passes, passes only inside the function


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What the two databases spell differently."""

    same: str
    ago: Callable[[str], str]


POSTGRESQL = Dialect(
    same="IS NOT DISTINCT FROM", ago=lambda seconds: f"statement_timestamp() - ({seconds}) * interval '1 second'"
)
SQLITE = Dialect(
    same="IS", ago=lambda seconds: f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-' || ({seconds}) || ' seconds')"
)


IS_TENANT_GONE = "NOT EXISTS (SELECT 1 FROM tenants_tenant WHERE id = OLD.tenant_id)"
NEVER = "1 = 0"
RECEIPTS = Trail(
    table="tenants_receipt",
    message="receipts are never changed",
    blanked=("position", "chain_digest"),
    may_update="OLD.position IS NULL AND NEW.position IS NOT NULL",  # it is chained, once
    may_delete=IS_TENANT_GONE,
    is_maintained=False,
)
CONSENTS = Trail(
    table="customers_consent",
    message="consents are never changed",
    blanked=(),
    may_update=NEVER,
    may_delete=f"{IS_TENANT_GONE} OR EXISTS (SELECT 1 FROM customers_customer "
    "WHERE id = OLD.customer_id AND erased_at IS NOT NULL)",
    is_maintained=False,
)


def trails(dialect: Dialect) -> list[Trail]:
    """Every trail there is."""
    return [_audit_trail(dialect), _staff_trail(dialect), RECEIPTS, CONSENTS]


def _audit_trail(dialect: Dialect) -> Trail:
    lifetime = "SELECT audit_client_lifetime FROM tenants_tenant WHERE id = OLD.tenant_id"
    # Not by the event of the erasure: retention drops that with its month (`partitions`), the customer's row stays.
    is_erased = (
        "EXISTS (SELECT 1 FROM customers_customer customer WHERE customer.tenant_id = OLD.tenant_id "
        "AND customer.number = OLD.customer_number AND customer.erased_at IS NOT NULL)"
    )
    return Trail(
        table="tenants_auditevent",
        message="audit events are never changed",
        blanked=("address", "user_agent", "device"),
        may_update="NEW.address IS NULL AND NEW.user_agent = '' AND ("
        f"(NEW.device = OLD.device AND OLD.at < {dialect.ago(lifetime)}) OR "
        f"(NEW.device = '' AND OLD.customer_number <> '' AND OLD.staff_username = '' AND {is_erased}))",
        may_delete=IS_TENANT_GONE,
    )


def _staff_trail(dialect: Dialect) -> Trail:
    return Trail(
        table="tenants_staffevent",
        message="staff events are never changed",
        blanked=("address", "subscriber", "user_agent"),
        may_update="NEW.address IS NULL AND NEW.subscriber = '' AND NEW.user_agent = '' "
        f"AND OLD.at < {dialect.ago(str(STAFF_CLIENT_SECONDS))}",
        may_delete=NEVER,
    )


def maintenance(dialect: Dialect) -> list[str]:
    """The statements that blank what is past its time."""
    lifetime = "tenant.audit_client_lifetime"
    return [
        "UPDATE tenants_auditevent SET address = NULL, user_agent = '' WHERE id IN ("
        "SELECT event.id FROM tenants_tenant tenant JOIN tenants_auditevent event ON event.tenant_id = tenant.id "
        "WHERE (event.address IS NOT NULL OR NOT event.user_agent = '') "
        f"AND event.at < {dialect.ago(lifetime)} LIMIT {AT_ONCE})",
        "UPDATE tenants_staffevent SET address = NULL, subscriber = '', user_agent = '' WHERE id IN ("
        "SELECT id FROM tenants_staffevent WHERE (address IS NOT NULL OR subscriber <> '' OR user_agent <> '') "
        f"AND at < {dialect.ago(str(STAFF_CLIENT_SECONDS))} LIMIT {AT_ONCE})",
    ]


def removal(tenant: str) -> str:
    """The statement that removes the events of a tenant that is gone; the argument is SQL."""
    return f"DELETE FROM tenants_auditevent WHERE tenant_id = {tenant}"


def erasure(tenant: str, number: str) -> str:
    """The statement that blanks the events of an erased customer; both arguments are SQL. What staff did to the
    customer tells where the staff were."""
    return (
        "UPDATE tenants_auditevent SET address = NULL, user_agent = '', device = '' "
        f"WHERE tenant_id = {tenant} AND customer_number = {number} AND staff_username = '' "
        "AND (address IS NOT NULL OR user_agent <> '' OR device <> '')"
    )


def create_triggers(state: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For a migration on PostgreSQL: refuse what would rewrite a trail. Needs the role of `isolation`."""
    guard(schema_editor, app="tenants")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_postgresql_function(schema_editor.connection), params=None)


def drop_triggers(state: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For a migration, in reverse."""
    unguard(schema_editor, app="tenants")
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP FUNCTION {FUNCTION}")


def guard(schema_editor: BaseDatabaseSchemaEditor, *, app: str) -> None:
    """For a migration on PostgreSQL: create the triggers of one app's tables."""
    if schema_editor.connection.vendor == "postgresql":
        for trail in _of_app(app):
            schema_editor.execute(_postgresql_triggers(trail), params=None)


def unguard(schema_editor: BaseDatabaseSchemaEditor, *, app: str) -> None:
    """For a migration, in reverse."""
    if schema_editor.connection.vendor == "postgresql":
        for trail in _of_app(app):
            schema_editor.execute(f"DROP FUNCTION {trail.table}_refuse() CASCADE")  # with its triggers


def _of_app(app: str) -> list[Trail]:
    return [trail for trail in trails(POSTGRESQL) if trail.table.startswith(f"{app}_")]


def create_sqlite_triggers(connection: BaseDatabaseWrapper) -> None:
    """After a migration on SQLite: refuse what would rewrite a trail."""
    there = connection.introspection.table_names()
    with connection.cursor() as cursor:
        for statement in (each for trail in trails(SQLITE) if trail.table in there for each in sqlite_triggers(trail)):
            cursor.execute(statement)


def drop_sqlite_triggers(connection: BaseDatabaseWrapper) -> None:
    """Before a migration on SQLite, which could not make anew a table that a trigger names."""
    with connection.cursor() as cursor:
        for statement in sqlite_drops():
            cursor.execute(statement)


def sqlite_drops() -> list[str]:
    """The statements that drop the triggers."""
    return [
        f"DROP TRIGGER IF EXISTS {each.table}_no_{verb}"
        for each in trails(SQLITE)
        for verb in ("insert", "update", "delete")
    ]


def sqlite_triggers(trail: Trail) -> list[str]:
    """The statements that create the triggers of one table."""
    refuse = f"BEGIN SELECT RAISE(ABORT, '{trail.message}'); END"
    unless = {
        "insert": f"NOT ({_replaces(trail, is_new=True)})",
        "update": f"{_may_update(trail, SQLITE)} AND NOT ({_replaces(trail, is_new=False)})",
        "delete": trail.may_delete,
    }
    return [
        f"CREATE TRIGGER IF NOT EXISTS {trail.table}_no_{verb} BEFORE {verb.upper()} ON {trail.table} "
        f"WHEN ({allowed}) IS NOT TRUE {refuse}"
        for verb, allowed in unless.items()
    ]


def _may_update(trail: Trail, dialect: Dialect) -> str:
    """Which UPDATE passes: no other column differs, and the table's own condition."""
    fields = _model(trail)._meta.local_concrete_fields
    kept = [field.column for field in fields if field.column not in trail.blanked]
    unchanged = " AND ".join(f"NEW.{column} {dialect.same} OLD.{column}" for column in kept)
    return f"{unchanged} AND ({trail.may_update})"


def _replaces(trail: Trail, *, is_new: bool) -> str:
    """Whether a row would take the place of another one, by its key, where it `is_new`, or by what is unique. Before
    the database has given a new row its key, that is -1."""
    meta = _model(trail)._meta
    columns = {field.name: field.column for field in meta.local_concrete_fields}
    unique = [[columns[name] for name in each.fields] for each in meta.total_unique_constraints]
    same = [" AND ".join(f"other.{column} = NEW.{column}" for column in each) for each in unique]
    found = [f"other.id <> NEW.id AND {each}" for each in same] + ["other.id = NEW.id AND NEW.id <> -1"] * is_new
    return " OR ".join(f"EXISTS (SELECT 1 FROM {trail.table} other WHERE {each})" for each in found) or "false"


def _model(trail: Trail) -> type[Model]:
    return next(each for each in apps.get_models() if each._meta.db_table == trail.table)


def _postgresql_triggers(trail: Trail) -> str:
    passes = f"current_setting('{SETTING}', true) = 'on'" if trail.is_maintained else "true"
    return f"""
CREATE FUNCTION {trail.table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {passes} THEN
        IF TG_OP = 'UPDATE' THEN
            IF {_may_update(trail, POSTGRESQL)} THEN RETURN NEW; END IF;
        ELSIF TG_OP = 'DELETE' THEN
            IF {trail.may_delete} THEN RETURN OLD; END IF;
        END IF;
    END IF;
    RAISE EXCEPTION '{trail.message}';
END $$;
CREATE TRIGGER {trail.table}_no_change BEFORE UPDATE OR DELETE ON {trail.table}
    FOR EACH ROW EXECUTE FUNCTION {trail.table}_refuse();
{truncation_trigger(trail.table, trail.table)};
"""


def truncation_trigger(trail: str, table: str) -> str:
    """The statement that lets nobody truncate the table: a trail, or a partition of it, which inherits only triggers of
    rows. For PostgreSQL."""
    return (
        f"CREATE TRIGGER {trail}_no_truncate BEFORE TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {trail}_refuse()"
    )


def _postgresql_function(connection: BaseDatabaseWrapper) -> str:
    """It runs as the owner of the tables: a confined request, which may not update a trail, erases by it, too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(current_schema())")
        schema = cursor.fetchone()[0]
    count = "GET DIAGNOSTICS changed = ROW_COUNT; total := total + changed;"
    due = "\n        ".join(f"{statement}; {count}" for statement in maintenance(POSTGRESQL))
    return f"""
CREATE FUNCTION {FUNCTION}(of_tenant bigint, erased_number text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = {schema}, pg_temp SET {SETTING} = 'on' AS $$
DECLARE
    changed bigint;
    total bigint := 0;
BEGIN
    IF of_tenant IS NULL THEN
        {due}
    ELSIF erased_number IS NULL THEN
        {removal("of_tenant")}; {count}
    ELSE
        {erasure("of_tenant", "erased_number")}; {count}
    END IF;
    RETURN total;
END $$;
"""
