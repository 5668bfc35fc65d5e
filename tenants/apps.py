"""What the app is called in the back office, what surrounds every `migrate`, and what begins every request."""

from django.apps import AppConfig
from django.core.signals import request_started
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from tenants import append_only
from tenants.compiled.connections import close_lost


class TenantsConfig(AppConfig):
    """`tenants`, for people."""

    name = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        """SQLite's triggers are no part of a migration (`append_only`)."""
        pre_migrate.connect(_drop_triggers, sender=self)
        post_migrate.connect(_create_triggers, sender=self)
        request_started.connect(close_lost)


def _drop_triggers(*, using: str, **_: object) -> None:
    if connections[using].vendor == "sqlite":
        append_only.drop_sqlite_triggers(connections[using])


def _create_triggers(*, using: str, **_: object) -> None:
    if connections[using].vendor == "sqlite":
        append_only.create_sqlite_triggers(connections[using])
