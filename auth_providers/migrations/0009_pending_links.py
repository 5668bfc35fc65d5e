"""Identities elsewhere that wait for a customer's answer, and the wall around them."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from tenants import isolation

TABLES = ["auth_providers_pendinglink"]


class Migration(migrations.Migration):
    dependencies = [
        ("auth_providers", "0008_unfinished_erasures"),
    ]
    operations = [
        migrations.CreateModel(
            name="PendingLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("challenge_id", models.UUIDField()),
                ("data_encrypted", models.TextField(editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("expires_at", models.DateTimeField()),
                ("spent_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        help_text="The one with the e-mail.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth_providers.account",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.tenant"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="pendinglink",
            index=models.Index(fields=["expires_at"], name="pending_link_by_expiry"),
        ),
        migrations.AddConstraint(
            model_name="pendinglink",
            constraint=models.UniqueConstraint(
                fields=["tenant", "challenge_id"], name="pending_link_challenge_unique"
            ),
        ),
        migrations.RunPython(
            lambda apps, schema_editor: isolation.build(schema_editor, TABLES),
            lambda apps, schema_editor: isolation.tear_down(schema_editor, TABLES),
        ),
    ]
