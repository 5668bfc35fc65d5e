"""Rows that are read ahead: in the round trip that tells who calls, for a view that is known to ask for them.

Going to the database and back costs a read more than all that it does there. Who calls is known after the first round
trip only, so the queries of the second are sent with the first, with the caller's keys put in by the database itself.
The rows wait in the thread until the query is run with just those keys, and no longer than the request.
"""

import threading
from collections.abc import Callable, Mapping

from django.db.models import Model

TENANT, CUSTOMER, SESSION = "patron.tenant_id", "patron.customer_id", "patron.session_id"
# What stands in a statement for an argument of its query. The settings hold for one transaction.
OF_CALLER = {
    "tenant": f"current_setting('{TENANT}')::bigint",
    "customer": f"current_setting('{CUSTOMER}')::bigint",
    "session_id": f"current_setting('{SESSION}')::uuid",
}

Keys = Mapping[str, object]


class _Kept(threading.local):
    """What this thread's request has read ahead: keys and rows, by the function that builds the query."""

    rows: dict[Callable[..., object], tuple[Keys, list[object]]] | None = None


_kept = _Kept()


def keep(build: Callable[..., object], keys: Keys, rows: list[object]) -> None:
    """From here on the rows wait for the query with these keys."""
    if _kept.rows is None:
        _kept.rows = {}
    _kept.rows[build] = keys, rows


def take(build: Callable[..., object], values: Mapping[str, object]) -> list[object] | None:
    """The rows that were read ahead for the query with these values, once; None when there are none."""
    if not _kept.rows:
        return None
    keys, rows = _kept.rows.pop(build, ({}, []))
    return rows if keys and all(_key(value) == keys.get(name) for name, value in values.items()) else None


def forget() -> None:
    """Nothing waits any more: the request is over."""
    _kept.rows = None


def _key(value: object) -> object:
    return value.pk if isinstance(value, Model) else value
