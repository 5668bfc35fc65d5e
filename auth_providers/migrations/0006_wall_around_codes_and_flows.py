"""The second wall between tenants, around the tables that came since."""

from django.db import migrations

from tenants import isolation

TABLES = [
    "customers_customeridentifier",
    "customers_segment",
    "customers_segmentmembership",
    "customers_note",
    "customers_consent",
    "auth_providers_onetimecode",
    "auth_providers_authenticator",
    "auth_providers_recoverycode",
    "auth_providers_pendinglogin",
    "auth_providers_webhookendpoint",
    "auth_providers_flow",
    "auth_providers_submission",
]


def grant_postal_codes(apps, schema_editor):
    """Every tenant reads them; nobody but the operator writes them."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f'GRANT SELECT ON "customers_postalcode" TO {isolation.ROLE}')


class Migration(migrations.Migration):
    dependencies = [
        ("auth_providers", "0005_codes_flows_and_more_providers"),
        ("customers", "0004_segments_notes_consents_postal_codes"),
    ]
    operations = [
        migrations.RunPython(
            lambda apps, schema_editor: isolation.build(schema_editor, TABLES),
            lambda apps, schema_editor: isolation.tear_down(schema_editor, TABLES),
        ),
        migrations.RunPython(grant_postal_codes, migrations.RunPython.noop),
    ]
