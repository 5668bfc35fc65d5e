"""The help of one field: pages show it as HTML, where an example in angle brackets vanished."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0005_audit_indexes'),
    ]

    operations = [
        migrations.AlterField(
            model_name='tenant',
            name='mail_sender',
            field=models.CharField(blank=True, default='', help_text="Name and address, as a From line has them. Empty: the deployment's.", max_length=255),
        ),
    ]
