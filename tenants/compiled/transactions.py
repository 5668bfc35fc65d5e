"""Transactions that take few round trips.

Most of what a write costs is the waiting for its answer, and few answers are needed. Inside `brief`, compiled
inserts and updates whose result nobody asks for wait for the next statement, and the last ones are sent with COMMIT.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.transaction import atomic

from tenants.compiled import prepared


@contextmanager
def brief(*, durable: bool = False) -> Iterator[None]:
    """As Django's `atomic`, but an error of the database can come with a later statement, or at the end. One inside
    another is a part of it: what it raises may not be caught before the end of the outer one. A decorator, too."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    is_outermost = not wrapper.in_atomic_block
    is_joined = prepared.is_gathering()
    with atomic(durable=durable, savepoint=not is_joined):
        if is_joined or wrapper.vendor != "postgresql":
            yield
            return
        prepared.gather()
        try:
            with wrapper.execute_wrapper(_in_order(wrapper)):
                yield
                if not wrapper.needs_rollback:
                    prepared.send_gathered(wrapper, ends=is_outermost and not prepared.is_watched(wrapper))
        finally:
            prepared.stop_gathering()


def _in_order(wrapper: BaseDatabaseWrapper) -> Callable[..., Any]:
    """An `execute_wrapper` that has what waits run in front of a statement of Django's."""

    def in_order(execute: Callable[..., Any], *statement: Any) -> Any:
        prepared.send_gathered(wrapper)
        return execute(*statement)

    in_order.before = None  # type: ignore[attr-defined]  # see `prepared.is_watched`
    return in_order
