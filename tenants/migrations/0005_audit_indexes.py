"""Indexes for the few events among many: what staff did, and what failed."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenants', '0004_staff_trail'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(condition=models.Q(('staff_username', ''), _negated=True), fields=['staff_username', '-id'], name='audit_by_staff'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(condition=models.Q(('is_success', False)), fields=['-id'], name='audit_failures'),
        ),
    ]
