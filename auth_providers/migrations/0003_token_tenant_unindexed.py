"""The index of tokens by their tenant goes: no statement asks for all tokens of a tenant, and without statistics of the
table PostgreSQL read all of it where it looked for the tokens of one session."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

INDEX = "auth_providers_token_tenant_id_d461e1a8"


class DropIndex(Operation):
    """Without a lock that others wait for. Django's own operation would make the foreign key anew as well."""

    reduces_to_sql = True
    reversible = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass  # `AlterField` tells it

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        schema_editor.execute(f"DROP INDEX{_concurrently(schema_editor)} IF EXISTS {INDEX}", params=None)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        schema_editor.execute(
            f"CREATE INDEX{_concurrently(schema_editor)} IF NOT EXISTS {INDEX} ON auth_providers_token (tenant_id)",
            params=None,
        )


def _concurrently(schema_editor: BaseDatabaseSchemaEditor) -> str:
    return " CONCURRENTLY" if schema_editor.connection.vendor == "postgresql" else ""


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("auth_providers", "0002_languages_of_templates"), ("tenants", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[DropIndex()],
            state_operations=[
                migrations.AlterField(
                    model_name="token",
                    name="tenant",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.tenant",
                    ),
                ),
            ],
        ),
    ]
