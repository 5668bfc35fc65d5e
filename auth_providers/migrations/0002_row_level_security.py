"""The second wall between tenants, around every table there is; a new table brings a migration like this one."""

from django.db import migrations

from tenants import isolation

TABLES = [
    "tenants_site",
    "tenants_apikey",
    "tenants_signingkey",
    "tenants_auditevent",
    "customers_customer",
    "customers_customernumber",
    "customers_address",
    "auth_providers_account",
    "auth_providers_session",
    "auth_providers_token",
    "auth_providers_attempts",
    "auth_providers_message",
]


class Migration(migrations.Migration):
    dependencies = [("auth_providers", "0001_initial")]
    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: isolation.build(schema_editor, TABLES),
            lambda apps, schema_editor: isolation.tear_down(schema_editor, TABLES),
        )
    ]
