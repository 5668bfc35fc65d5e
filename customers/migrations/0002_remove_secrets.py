"""Removes secrets that storefronts sent beside their customers' data before their names were refused."""

from typing import Any

from django.db import migrations

from customers import secret_names

FREE_FORM = {"Customer": ("properties", "mixins"), "Address": ("mixins",)}
ROWS = 1000  # written at once


def remove_secrets(apps: Any, schema_editor: Any) -> None:
    """Look at every row that has anything under names of the shop's own, in the order of its key; each batch is a
    transaction, so that nobody waits for all of them."""
    for name, fields in FREE_FORM.items():
        rows = apps.get_model("customers", name)._base_manager.using(schema_editor.connection.alias)
        last = 0
        while batch := list(rows.filter(pk__gt=last).order_by("pk").only(*fields)[:ROWS]):
            last = batch[-1].pk
            rows.bulk_update([each for each in batch if _is_changed(each, fields)], fields)


def _is_changed(row: Any, fields: tuple[str, ...]) -> bool:
    """Take the secrets away, and say whether there were any."""
    before = [getattr(row, field) for field in fields]
    for field, value in zip(fields, before, strict=True):
        setattr(row, field, secret_names.without(value))
    return [getattr(row, field) for field in fields] != before


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("customers", "0001_initial")]

    operations = [migrations.RunPython(remove_secrets, migrations.RunPython.noop)]
