"""What the app is called in the back office, and what surrounds every `migrate`."""

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from tenants import append_only


class TenantsConfig(AppConfig):
    """`tenants`, for people."""

    name = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        """SQLite's triggers are no part of a migration (`append_only`)."""
        pre_migrate.connect(_drop_triggers, sender=self)
        post_migrate.connect(_create_triggers, sender=self)


def _drop_triggers(*, using: str, **_: object) -> None:
    if connections[using].vendor == "sqlite":
        append_only.drop_sqlite_triggers(connections[using])


def _create_triggers(*, using: str, **_: object) -> None:
    if connections[using].vendor == "sqlite":
        append_only.create_sqlite_triggers(connections[using])
