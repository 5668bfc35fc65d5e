"""Examples for a contract's document: each field's is declared once, by name, and bodies are put together from them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenants.json_values import Json

Schema = Mapping[str, Any]

BY_FORMAT: Mapping[str, Json] = {
    "date-time": "2026-11-26T09:30:00Z",
    "date": "1990-12-31",
    "email": "ada@example.com",
    "uuid": "3f2b8a56-6d0c-4f7e-9a55-0d3c4a1b7e21",
}
BY_TYPE: Mapping[str, Json] = {"integer": 1, "number": 1.5, "boolean": True}


def _nothing(status: int) -> Mapping[str, Json]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Examples:
    """What a contract shows in its document: values by the name of a field or parameter, or by that with its owner's
    (`Address.id`, `query.state`), whole answers by operation and status (`me.200`), of one of several media types by
    that as well (`me.200 text/plain`), whole request bodies by operation, and what a refusal of a status says besides
    its message."""

    values: Mapping[str, Json]
    requests: Mapping[str, Json]
    refusal: Callable[[int], Mapping[str, Json]] = _nothing
    # Names of fields that hold the sentence of a refusal.
    messages: tuple[str, ...] = ("message",)
    # Names of the fields that the demo has a value of its own for, and the name of that on its card.
    of_demo: Mapping[str, str] = field(default_factory=dict)

    def with_demo(self, card: object) -> "Examples":
        """The same with the values that this card of the demo has."""
        own = {name: getattr(card, attribute) for name, attribute in self.of_demo.items()}
        requests = {name: _replaced(body, own) for name, body in self.requests.items()}
        return Examples(values={**self.values, **own}, requests=requests, refusal=self.refusal, messages=self.messages)


def _replaced(value: Json, own: Mapping[str, Json]) -> Json:
    if isinstance(value, Mapping):
        return {name: own[name] if name in own else _replaced(inner, own) for name, inner in value.items()}
    return value


def add(document: dict[str, Any], examples: Examples) -> None:
    """Give every parameter, request body and answer of the document its example. Raises `KeyError` for text that has
    none, so that no document shows "string"."""
    composer = _Composer(schemas=document["components"]["schemas"], values=examples.values)
    for operation in (each for item in document["paths"].values() for each in item.values()):
        for parameter in operation.get("parameters", ()):
            parameter["example"] = composer.of_parameter(parameter)
        for content in operation.get("requestBody", {}).get("content", {}).values():
            content["example"] = examples.requests[operation["operationId"]]
        for status, response in operation["responses"].items():
            refused = _refusal(examples, int(status), response["description"])
            for media_type, content in response.get("content", {}).items():
                whole = f"{operation['operationId']}.{status}"
                whole = f"{whole} {media_type}" if f"{whole} {media_type}" in examples.values else whole
                parts = _Composer(schemas=composer.schemas, values={**examples.values, **refused})
                content["example"] = parts.of(content["schema"], whole)
            for name, header in response.get("headers", {}).items():
                header["example"] = composer.of(header["schema"], name)


def _refusal(examples: Examples, status: int, description: str) -> dict[str, Json]:
    if status < 400:  # noqa: PLR2004 - RFC 9110, 15.5
        return {}
    return {**dict.fromkeys(examples.messages, description), "status": status, **examples.refusal(status)}


@dataclass(frozen=True, kw_only=True)
class _Composer:
    """Puts examples together from the values of fields."""

    schemas: Mapping[str, Schema]
    values: Mapping[str, Json]

    def of_parameter(self, parameter: Mapping[str, Any]) -> Json:
        return self.of(parameter["schema"], parameter["name"], owner=parameter["in"])

    def of(self, schema: Schema, name: str, *, owner: str = "") -> Json:
        """The value of this name, of the component or the place (`owner`) that has it if one is given for that; else
        one that the schema names, or what its parts make."""
        for known in (f"{owner}.{name}", name):
            if known in self.values:
                return self.values[known]
        if "$ref" in schema:
            component = schema["$ref"].rpartition("/")[2]
            return self.of(self.schemas[component], component)
        given = next((schema[key] for key in ("const", "default") if key in schema), schema.get("enum", [None])[0])
        alternative = next(_alternatives(schema), None)
        if given is not None:
            found: Json = given
            return found
        return self._of_type(schema, name) if alternative is None else self.of(alternative, name, owner=owner)

    def _of_type(self, schema: Schema, name: str) -> Json:
        kind = _type_of(schema)
        if kind == "object":
            return {part: self.of(inner, part, owner=name) for part, inner in schema.get("properties", {}).items()}
        if kind == "array":
            return [self.of(schema["items"], name)] if schema.get("items") and schema.get("maxItems") != 0 else []
        if schema.get("format") in BY_FORMAT:
            return BY_FORMAT[schema["format"]]
        return BY_TYPE[kind] if kind in BY_TYPE else self.values[name]


def _alternatives(schema: Schema) -> Iterator[Schema]:
    for key in ("allOf", "oneOf", "anyOf"):
        yield from (each for each in schema.get(key, ()) if each.get("type") != "null")


def _type_of(schema: Schema) -> str:
    kind = schema.get("type", "string")
    return str(next(each for each in kind if each != "null") if isinstance(kind, list) else kind)
