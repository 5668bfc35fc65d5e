"""Rows that most tests start from: inserted once, and kept while the tests that follow start from them, too.

Each kind is inserted in a transaction of its own, inside that of the kinds before it and around that of the test,
whose end undoes what the test has changed. A test that starts from fewer kinds is preceded by the rollback of the
others, and so is one that commits.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.core.cache import caches
from django.db import connection, transaction

Values = Mapping[str, Any]

# What inserts the rows of each kind, given the values of those before it, and returns what tests get. For a kind `x`
# there is a fixture `starts_from_x`, which says that a test starts from it.
MAKERS: dict[str, Callable[[Values], Any]] = {}
KEPT_FOR = 10  # seconds: tokens expire, and what asks for a recent log-in soon takes none that is older


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A kind with its transaction; of this kind and of those before it, the values, and what inserting left in the
    cache."""

    kind: str
    block: transaction.Atomic
    inserted_at: float
    values: Values
    cached: Mapping[str, bytes]
    cached_until: Mapping[str, float | None]


class KeptRows:
    """Those of this process."""

    def __init__(self) -> None:
        self._layers: list[Layer] = []
        self._values: dict[str, Any] = {}

    def start_from(self, kinds: Sequence[str]) -> None:
        """Have the rows of these kinds in the database, and no others; outside of a test's transaction, and with an
        empty cache."""
        self._end(self._common(kinds))
        if self._layers:
            vars(caches["default"])["_cache"].update(self._layers[-1].cached)
            vars(caches["default"])["_expire_info"].update(self._layers[-1].cached_until)
        for kind in kinds[len(self._layers) :]:
            self._insert(kind)
        self._values = self._copies()

    def value(self, kind: str) -> Any:
        """What the test gets: its own copy, or made for it alone when it has not said before that it starts from it."""
        if kind not in self._values:
            self._values[kind] = MAKERS[kind](self._values)
        return self._values[kind]

    def _common(self, kinds: Sequence[str]) -> int:
        """How many layers stay: none after a test that has lost the connection."""
        if connection.needs_rollback:
            return 0
        oldest = monotonic() - KEPT_FOR
        stay = [
            layer.kind == kind and layer.inserted_at > oldest for layer, kind in zip(self._layers, kinds, strict=False)
        ]
        return [*stay, False].index(False)

    def _insert(self, kind: str) -> None:
        block, inserted_at = transaction.atomic(), monotonic()
        block._from_testcase = True  # type: ignore[attr-defined] # as Django marks its own: durable blocks fit inside
        block.__enter__()
        values = self._copies()
        try:
            values[kind] = MAKERS[kind](values)
        finally:
            self._layers.append(
                Layer(
                    kind=kind,
                    block=block,
                    inserted_at=inserted_at,
                    values=values,
                    cached=dict(vars(caches["default"])["_cache"]),
                    cached_until=dict(vars(caches["default"])["_expire_info"]),
                )
            )

    def _end(self, kept: int) -> None:
        while len(self._layers) > kept:
            transaction.set_rollback(True)
            self._layers.pop().block.__exit__(None, None, None)

    def _copies(self) -> dict[str, Any]:
        """One copy of everything: a neighbour's tenant is the test's `tenant`."""
        return deepcopy(dict(self._layers[-1].values)) if self._layers else {}
