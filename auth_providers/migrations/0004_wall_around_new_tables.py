"""The second wall between tenants, around the tables that came since."""

from django.db import migrations

from tenants import isolation

TABLES = [
    "customers_mixinschema",
    "customers_legalentity",
    "customers_contactassignment",
    "auth_providers_challenge",
    "auth_providers_messagetemplate",
    "auth_providers_authprovider",
]


class Migration(migrations.Migration):
    dependencies = [("auth_providers", "0003_challenges_and_providers")]
    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: isolation.build(schema_editor, TABLES),
            lambda apps, schema_editor: isolation.tear_down(schema_editor, TABLES),
        )
    ]
