"""The contracts that are served: what each says of itself, and what follows from that for all of them.

`settings.CONTRACTS` names a table of paths for each contract, in the order in which they are tried. A table is a module
with `CONTRACT`, what the contract says of itself, and `urlpatterns`. Routing, documents, CORS and the codes that no
tenant may have follow from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.urls import URLPattern

from tenants.api.examples import Examples

# How the document describes a viewset's actions; several descriptions for an action that two methods lead to.
Descriptions = Mapping[type, Mapping[str, list[Callable[[Any], Any]]]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Contract:
    """What a contract says of itself."""

    name: str  # its document is at /docs/{name}/
    title: str
    description: str
    prefixes: tuple[str, ...]  # the first segments of its paths
    security_schemes: Mapping[str, Any]
    descriptions: tuple[Descriptions, ...]
    examples: Examples
    # Names of path variables, ours to the contract's.
    path_names: Mapping[str, str] = field(default_factory=dict)
    # What the document describes, of a contract that serves the same paths at several places.
    described_below: str = "/"
    # Headers that browsers may send and read (CORS) beyond those of every contract.
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    # Words in its paths that stand where others have a tenant's code.
    reserved_codes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Served:
    """A contract and its paths."""

    contract: Contract
    patterns: list[URLPattern]


def served() -> list[Served]:
    """Every contract that the settings name, in their order."""
    return [_read(table) for table in settings.CONTRACTS]


@cache
def _read(table: str) -> Served:
    module = import_module(table)
    return Served(contract=module.CONTRACT, patterns=module.urlpatterns)


def reserved_codes() -> frozenset[str]:
    """Codes that no tenant may have."""
    return frozenset(code for each in served() for code in each.contract.reserved_codes)
