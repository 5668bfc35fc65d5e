"""The generated document (OpenAPI 3) of one contract, and how its operations are described.

The descriptions lie beside the viewsets, in each app's `api/{contract}/schema.py`: a view shows what it does, and not
what is said about it.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args, get_type_hints

from django.conf import settings
from drf_spectacular.drainage import isolate_view_method
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.serializers import PolymorphicProxySerializerExtension
from drf_spectacular.utils import Direction, OpenApiParameter, PolymorphicProxySerializer
from msgspec.json import schema_components

from tenants.api.base import UnknownPath
from tenants.api.contracts import Contract, Served
from tenants.api.examples import Examples
from tenants.api.examples import add as add_examples
from tenants.api.records import Record
from tenants.json_values import MAX_DEPTH, MAX_ITEMS

NULL = {"type": "null"}
NO_NUL = "^[^\\u0000]*$"
LICENSE = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
LIMITS = (
    f"A body has at most {settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KiB, {MAX_DEPTH} levels, and {MAX_ITEMS} items "
    "in one array or object. No text, name or parameter contains a NUL character. Unknown fields are ignored. Every "
    "path tolerates a slash at its end."
)


def generate(served: Served, examples: Examples | None = None) -> dict[str, Any]:
    """The contract's document, with its own examples unless others are given."""
    contract = served.contract
    _describe(contract)
    generator: Any = SchemaGenerator(patterns=served.patterns)
    generator.endpoint_inspector_cls = _enumerator(contract)
    document: dict[str, Any] = generator.get_schema(public=True)
    # The demo is called by any name of this machine, and a page may call none but its own.
    document["servers"] = [{"url": "/" if settings.DEMO else settings.PUBLIC_URL}]
    for operation in (each for item in document["paths"].values() for each in item.values()):
        operation.setdefault("security", [])  # said, where nobody has to show anything
        _describe_request(operation, document["components"]["schemas"])
    document["info"] |= {
        "title": f"Patron: {contract.title}",
        "description": f"{contract.description}\n\n{LIMITS}",
        "license": LICENSE,
    }
    document["components"]["securitySchemes"] = dict(contract.security_schemes)
    add_examples(document, examples or contract.examples)
    return document


def _describe_request(operation: dict[str, Any], components: dict[str, Any]) -> None:
    """Say of every text in the request that it has no NUL character, and of a body of several shapes that it is
    needed."""
    body = operation.get("requestBody", {})
    contents = [each["schema"] for each in body.get("content", {}).values()]
    parameters = [each["schema"] for each in operation.get("parameters", ())]
    for schema in _parts(contents + parameters, components):
        if "string" in schema.get("type", "") and not schema.keys() & {"pattern", "enum", "format"}:
            schema["pattern"] = NO_NUL
    if any("anyOf" in _followed(each, components) for each in contents):
        body["required"] = True


def _parts(schemas: list[dict[str, Any]], components: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schemas, those of their fields and alternatives, and so on."""
    waiting = list(schemas)
    while waiting:
        schema = _followed(waiting.pop(), components)
        yield schema
        waiting += [*schema.get("properties", {}).values()]
        waiting += [each for key in ("anyOf", "oneOf", "allOf") for each in schema.get(key, ())]
        waiting += [schema[key] for key in ("items", "additionalProperties") if schema.get(key)]


def _followed(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to; any other schema is itself."""
    found: dict[str, Any] = components[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


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


def in_query(
    name: str, description: str, *, required: bool = False, deprecated: bool = False, **form: Any
) -> OpenApiParameter:
    """A parameter of the query; `form` is what its text has to look like, as JSON Schema. A required one has at least
    one character."""
    schema = {"type": "string", **({"minLength": 1} if required else {}), **form}
    return OpenApiParameter(
        name, schema, OpenApiParameter.QUERY, required=required, description=description, deprecated=deprecated
    )


def in_header(name: str, description: str, **form: Any) -> OpenApiParameter:
    """A header; `form` is what its text has to look like, as JSON Schema."""
    return OpenApiParameter(name, {"type": "string", **form}, OpenApiParameter.HEADER, description=description)


def in_path(name: str, description: str, *, pattern: str | None = None) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.PATH, description=description, pattern=pattern)


TENANT_CODE = "^[a-z][a-z0-9]{2,15}$"


class AnyOf(PolymorphicProxySerializer):
    """Bodies of several shapes; one may be of two of them."""

    def __init__(self, name: str, *shapes: Any) -> None:
        super().__init__(component_name=name, serializers=list(shapes), resource_type_field_name=None)


class AnyOfExtension(PolymorphicProxySerializerExtension):
    target_class = "tenants.api.schema.AnyOf"
    priority = 1

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = super().map_serializer(auto_schema, direction)  # type: ignore[no-untyped-call]
        return {"anyOf": schema["oneOf"]}


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
    """The schema of a record (OpenAPI 3.1). The records in its fields are referred to as components of the document."""
    _, components = schema_components([record], ref_template="#/components/schemas/{name}")
    schema: dict[str, Any] = components[record.__name__]
    del schema["title"]
    leaves_out = record.__struct_config__.omit_defaults
    schema["properties"] = {
        name: _property(each, is_left_out=leaves_out and "default" in each)
        for name, each in schema["properties"].items()
    }
    return schema


def _property(schema: dict[str, Any], *, is_left_out: bool) -> dict[str, Any]:
    """What is left out while it is None is never null."""
    types = [each for each in schema.get("anyOf", []) if each != NULL or not is_left_out]
    kept = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return kept | (types[0] if len(types) == 1 else {"anyOf": types} if types else {})


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
