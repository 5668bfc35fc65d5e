"""Being told by PostgreSQL that the outbox has something new (LISTEN, NOTIFY), instead of looking all the time."""

from collections.abc import Callable, Iterator

import psycopg
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from tenants.models import Message

CHANNEL = "patron_outbox"
KEEPALIVE_SECONDS = 60.0
TABLE = Message._meta.db_table


def news(url: str, *, on_ready: Callable[[], object]) -> Iterator[None]:
    """Something each time there is something new, once `on_ready` was called: from then on nothing is missed. Ends only
    by an error. Raises `psycopg.Error`."""
    with psycopg.connect(url, autocommit=True) as listening:
        listening.execute(f"LISTEN {CHANNEL}")
        on_ready()
        yield None
        while True:
            for _ in listening.notifies(timeout=KEEPALIVE_SECONDS, stop_after=1):
                yield None
            listening.execute("SELECT 1")  # notices that the server is gone


def create_trigger(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For a migration: every statement that writes messages tells so when it is committed."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            f"""
            CREATE FUNCTION {TABLE}_tell() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_notify('{CHANNEL}', '');
                RETURN NULL;
            END $$;
            CREATE TRIGGER {TABLE}_tell AFTER INSERT ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_tell();
            """,
            params=None,
        )


def drop_trigger(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """For a migration, in reverse."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(f"DROP FUNCTION {TABLE}_tell() CASCADE")
