"""What the app is called in the back office, what surrounds every `migrate`, and what begins every request."""

from datetime import timedelta
from importlib import import_module

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate

from tenants.compiled.connections import look_after_once
from tenants.trail import append_only, partitions

# A statement of a migration that waits for a table lets nobody else at it meanwhile: longer than requests may take.
LOCK_TIMEOUT = timedelta(seconds=5)


class TenantsConfig(AppConfig):
    """`tenants`, for people."""

    name = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        """The checks register themselves. SQLite's triggers are no part of a migration (`append_only`)."""
        import_module("tenants.compiled.checks")
        import_module("tenants.trail.checks")
        pre_migrate.connect(_drop_triggers, sender=self)
        pre_migrate.connect(_limit_waiting, sender=self)
        post_migrate.connect(_create_triggers, sender=self)
        post_migrate.connect(_wait_again, sender=self)
        post_migrate.connect(_make_partitions, sender=self)
        look_after_once()


def _drop_triggers(*, using: str, **_: object) -> None:
    if connections[using].vendor == "sqlite":
        append_only.drop_sqlite_triggers(connections[using])


def _create_triggers(*, using: str, **_: object) -> None:
    if connections[using].vendor == "sqlite":
        append_only.create_sqlite_triggers(connections[using])


def _make_partitions(*, using: str, **_: object) -> None:
    partitions.ensure(connections[using])


def _limit_waiting(*, using: str, **_: object) -> None:
    """Rather fail than keep requests waiting: the migration is tried again at a better moment."""
    _set_lock_timeout(using, f"{LOCK_TIMEOUT.total_seconds() * 1000:.0f}ms")


def _wait_again(*, using: str, **_: object) -> None:
    _set_lock_timeout(using, "0")


def _set_lock_timeout(using: str, value: str) -> None:
    if connections[using].vendor == "postgresql":
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [value])
