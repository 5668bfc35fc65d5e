"""Rows that are read ahead: in one round trip with others, for somebody who is known to ask for them.

Going to the database and back costs a read more than all that it does there. The rows wait in the thread until the
query is run with just the same keys, and no longer than the request, or than the block of `queries.reading_ahead`.
Who calls is known after a request's first round trip only; queries for the caller are sent with that one, too, and the
database itself puts the caller's keys in.
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


def keys_of(values: Mapping[str, object]) -> Keys:
    """The keys of these values, for `keep`."""
    return {name: _key(value) for name, value in values.items()}


def drop(build: Callable[..., object]) -> None:
    """The rows of this query, if they still wait, wait no more."""
    if _kept.rows:
        _kept.rows.pop(build, None)


def forget() -> None:
    """Nothing waits any more: the request is over."""
    _kept.rows = None


def _key(value: object) -> object:
    return value.pk if isinstance(value, Model) else value
