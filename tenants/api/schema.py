"""The generated document (OpenAPI 3) of one contract, and how its operations are described.

The descriptions lie beside the viewsets, in each app's `api/{contract}/schema.py`: a view shows what it does, and not
what is said about it.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from drf_spectacular.drainage import isolate_view_method
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.utils import OpenApiParameter

from tenants.api.base import UnknownPath
from tenants.api.contracts import Contract, Served


def generate(served: Served) -> dict[str, Any]:
    """The contract's document."""
    contract = served.contract
    _describe(contract)
    generator: Any = SchemaGenerator(patterns=served.patterns)  # type: ignore[no-untyped-call]
    generator.endpoint_inspector_cls = _enumerator(contract)
    document: dict[str, Any] = generator.get_schema(public=True)
    for operation in (each for item in document["paths"].values() for each in item.values()):
        operation.pop("description", None)  # what the viewset's docstring tells its readers; the summary is for callers
    document["info"] |= {"title": f"Patron: {contract.title}", "description": contract.description}
    document["components"]["securitySchemes"] = dict(contract.security_schemes)
    return document


@cache
def _describe(contract: Contract) -> None:
    """Lay the descriptions upon the actions that they are about, once."""
    for descriptions in contract.descriptions:
        for viewset, actions in descriptions.items():
            for action, described in actions.items():
                for lay_upon in described:
                    lay_upon(isolate_view_method(viewset, action))  # type: ignore[no-untyped-call]


def _enumerator(contract: Contract) -> type[EndpointEnumerator]:
    """Finds the contract's paths in its patterns: without the tolerated slash at the end, the catch-all, and views that
    are no part of its API."""

    class Enumerator(EndpointEnumerator):
        def get_path_from_regex(self, path_regex: str) -> str:
            path: str = super().get_path_from_regex(path_regex).rstrip("/")  # type: ignore[no-untyped-call]
            for ours, theirs in contract.path_names.items():
                path = path.replace(f"{{{ours}}}", f"{{{theirs}}}")
            return path

        def should_include_endpoint(self, path: str, callback: Any) -> bool:
            viewset = getattr(callback, "cls", UnknownPath)
            return path.startswith(contract.described_below) and not issubclass(viewset, UnknownPath)

    return Enumerator


def in_query(name: str, description: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.QUERY, required=required, description=description)


def in_header(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)


def in_path(name: str, description: str, *, pattern: str | None = None) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.PATH, description=description, pattern=pattern)


TENANT_CODE = "^[a-z][a-z0-9]{2,15}$"


def sent(fields: Mapping[str, Any], always: Iterable[str] = ()) -> dict[str, Any]:
    """A serializer's fields as they are in an answer: null never stands there, and what was never given is left out."""
    for name, each in fields.items():
        each.allow_null, each.required = False, name in always
    return dict(fields)
