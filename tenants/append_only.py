"""The database itself refuses to rewrite a trail: triggers, for the migration that creates the tables.

On PostgreSQL they refuse UPDATE, DELETE and TRUNCATE, also to the owner of the tables. SQLite, where nothing else keeps
a program from the file either, refuses UPDATE.
"""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# Each trail's table and what its trigger says.
TRAILS = {
    "tenants_auditevent": "audit events are never changed",
    "tenants_staffevent": "staff events are never changed",
}
POSTGRESQL = """
CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{message}';
END $$;
CREATE TRIGGER {table}_no_update BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION {table}_refuse();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse();
"""
SQLITE = """
CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
BEGIN
    SELECT RAISE(ABORT, '{message}');
END;
"""


def create_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For a migration: refuse what would rewrite a trail."""
    statement = POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE
    for table, message in TRAILS.items():
        schema_editor.execute(statement.format(table=table, message=message), params=None)


def drop_triggers(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For a migration, in reverse."""
    is_postgresql = schema_editor.connection.vendor == "postgresql"
    for table in TRAILS:
        if is_postgresql:
            schema_editor.execute(f"DROP FUNCTION {table}_refuse() CASCADE")  # with its triggers
        else:
            schema_editor.execute(f"DROP TRIGGER {table}_no_update")
