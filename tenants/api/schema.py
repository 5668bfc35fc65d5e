"""The generated document (OpenAPI 3) of one contract, and how its operations are described.

The descriptions lie beside the viewsets, in each app's `api/{contract}/schema.py`: a view shows what it does, and not
what is said about it.
"""

from functools import cache
from typing import Any, get_args, get_type_hints

from django.conf import settings
from drf_spectacular.drainage import isolate_view_method
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction, OpenApiParameter
from msgspec.json import schema_components

from tenants.api.base import UnknownPath
from tenants.api.contracts import Contract, Served
from tenants.api.records import Record

NULL = {"type": "null"}


def generate(served: Served) -> dict[str, Any]:
    """The contract's document."""
    contract = served.contract
    _describe(contract)
    generator: Any = SchemaGenerator(patterns=served.patterns)
    generator.endpoint_inspector_cls = _enumerator(contract)
    document: dict[str, Any] = generator.get_schema(public=True)
    document["servers"] = [{"url": settings.PUBLIC_URL}]
    for operation in (each for item in document["paths"].values() for each in item.values()):
        operation.setdefault("security", [])  # said, where nobody has to show anything
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
                    lay_upon(isolate_view_method(viewset, action))


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


class RecordExtension(OpenApiSerializerExtension):
    """Lets a record be named where drf-spectacular expects a serializer."""

    target_class = "tenants.api.records.Record"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        for part in with_parts(self.target) - {self.target}:
            component = ResolvedComponent(
                name=part.__name__, type=ResolvedComponent.SCHEMA, schema=described(part), object=part
            )
            auto_schema.registry.register_on_missing(component)
        return described(self.target)


def described(record: type[Record]) -> dict[str, Any]:
    """The schema of a record (OpenAPI 3.0). The records in its fields are referred to as components of the document."""
    _, components = schema_components([record], ref_template="#/components/schemas/{name}")
    schema: dict[str, Any] = components[record.__name__]
    del schema["title"]
    leaves_out = record.__struct_config__.omit_defaults
    schema["properties"] = {
        name: _property(each, is_left_out=leaves_out and "default" in each)
        for name, each in schema["properties"].items()
    }
    if not schema["required"]:
        del schema["required"]  # OpenAPI 3.0 has no empty list here
    return schema


def _property(schema: dict[str, Any], *, is_left_out: bool) -> dict[str, Any]:
    """OpenAPI 3.0 marks what may be null, where JSON Schema counts null among the types. What is left out while it is
    None is never null."""
    alternatives = schema.get("anyOf", [])
    types = [each for each in alternatives if each != NULL]
    kept = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    if NULL in alternatives and not is_left_out:
        kept["nullable"] = True
    if len(types) == 1:
        return kept | ({"allOf": types} if kept and "$ref" in types[0] else types[0])
    return kept | {"oneOf": types} if types else kept


def with_parts(record: type[Record]) -> set[type[Record]]:
    """The record, the records in its fields, those in theirs, and so on."""
    found: set[type[Record]] = set()
    hints: list[Any] = [record]
    while hints:
        hint = hints.pop()
        hints += get_args(hint)
        if isinstance(hint, type) and issubclass(hint, Record) and hint not in found:
            found.add(hint)
            hints += get_type_hints(hint).values()
    return found
