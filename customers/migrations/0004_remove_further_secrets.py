"""Removes what was stored under further names of secrets, which are refused by now."""

from importlib import import_module

from django.db import migrations

FORMER = import_module("customers.migrations.0002_remove_secrets")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0003_remove_composed_secrets")]

    operations = [migrations.RunPython(FORMER.remove_secrets, migrations.RunPython.noop)]
