"""The staff's own trail, which the database itself refuses to rewrite, as it does the audit events.

SQLite forgets triggers when Django rebuilds a table: a migration that alters this table must put them up again.
"""

import django.utils.timezone
from django.db import migrations, models

POSTGRESQL = """
CREATE FUNCTION tenants_staffevent_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'staff events are never changed';
END $$;
CREATE TRIGGER tenants_staffevent_no_update BEFORE UPDATE ON tenants_staffevent
    FOR EACH ROW EXECUTE FUNCTION tenants_staffevent_refuse();
"""
SQLITE = """
CREATE TRIGGER tenants_staffevent_no_update BEFORE UPDATE ON tenants_staffevent
BEGIN
    SELECT RAISE(ABORT, 'staff events are never changed');
END;
"""


def build(apps, schema_editor):
    schema_editor.execute(
        POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE, params=None
    )


def tear_down(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER tenants_staffevent_no_update ON tenants_staffevent")
        schema_editor.execute("DROP FUNCTION tenants_staffevent_refuse()")
    else:
        schema_editor.execute("DROP TRIGGER tenants_staffevent_no_update")


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0003_mail_and_policies'),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('action', models.CharField(max_length=64)),
                ('username', models.CharField(max_length=150)),
                ('is_success', models.BooleanField(default=True)),
                ('reason', models.CharField(blank=True, default='', max_length=255)),
                ('address', models.GenericIPAddressField(null=True)),
                ('user_agent', models.CharField(blank=True, default='', max_length=255)),
            ],
            options={
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.AddIndex(
            model_name='staffevent',
            index=models.Index(fields=['username', '-at'], name='staff_event_by_username'),
        ),
        migrations.AddIndex(
            model_name='staffevent',
            index=models.Index(fields=['address', '-at'], name='staff_event_by_address'),
        ),
        migrations.RunPython(build, tear_down),
    ]
