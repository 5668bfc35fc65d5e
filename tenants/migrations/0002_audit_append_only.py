"""The database itself refuses to rewrite an audit event.

SQLite forgets triggers when Django rebuilds a table: a migration that alters this table must put them up again.
"""

from django.db import migrations

POSTGRESQL = """
CREATE FUNCTION tenants_auditevent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are never changed';
END $$;
CREATE TRIGGER tenants_auditevent_no_update BEFORE UPDATE ON tenants_auditevent
    FOR EACH ROW EXECUTE FUNCTION tenants_auditevent_refuse();
"""
SQLITE = """
CREATE TRIGGER tenants_auditevent_no_update BEFORE UPDATE ON tenants_auditevent
BEGIN
    SELECT RAISE(ABORT, 'audit events are never changed');
END;
"""


def build(apps, schema_editor):
    schema_editor.execute(
        POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE, params=None
    )


def tear_down(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER tenants_auditevent_no_update ON tenants_auditevent")
        schema_editor.execute("DROP FUNCTION tenants_auditevent_refuse()")
    else:
        schema_editor.execute("DROP TRIGGER tenants_auditevent_no_update")


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]
    operations = [migrations.RunPython(build, tear_down)]
