"""OpenAPI documents taken apart into plain sets of what they promise."""

from collections.abc import Iterator
from typing import Any

from tests.contracts.vendor import METHODS

Facts = set[tuple[str, ...]]


class Document:
    """One document, with its references followed."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def follow(self, node: Any) -> Any:
        while isinstance(node, dict) and "$ref" in node:
            found: Any = self.document
            for key in node["$ref"].removeprefix("#/").split("/"):
                found = found[key]
            node = found
        return node

    def operations(self) -> Iterator[tuple[str, dict[str, Any], list[Any]]]:
        """Its label, itself, the parameters that its path has."""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield f"{method.upper()} {path}", item[method], item.get("parameters", [])

    def labels(self) -> Facts:
        return {(label,) for label, _, _ in self.operations()}

    def parameters(self) -> Facts:
        return {
            (label, parameter["in"], parameter["name"])
            for label, operation, shared in self.operations()
            for parameter in map(self.follow, [*shared, *operation.get("parameters", [])])
        }

    def statuses(self) -> Facts:
        return {(label, str(status)) for label, operation, _ in self.operations() for status in operation["responses"]}

    def bodies(self) -> Facts:
        """Answers that have a body."""
        return {
            (label, str(status))
            for label, operation, _ in self.operations()
            for status, response in operation["responses"].items()
            if self.follow(response).get("content")
        }

    def request_fields(self) -> Facts:
        return {
            (label, field)
            for label, operation, _ in self.operations()
            for field in self._fields_of_content(self.follow(operation.get("requestBody", {})))
        }

    def response_fields(self) -> Facts:
        return {
            (label, str(status), field)
            for label, operation, _ in self.operations()
            for status, response in operation["responses"].items()
            for field in self._fields_of_content(self.follow(response))
        }

    def response_schema(self, label: str, status: int) -> dict[str, Any]:
        """A JSON Schema that stands alone."""
        operation = next(each for name, each, _ in self.operations() if name == label)
        content = operation["responses"][str(status)]["content"]["application/json"]
        resolved: dict[str, Any] = self.resolved(content["schema"])
        return resolved

    def resolved(self, node: Any) -> Any:
        node = self.follow(node)
        if isinstance(node, dict):
            return {key: self.resolved(value) for key, value in node.items()}
        return [self.resolved(each) for each in node] if isinstance(node, list) else node

    def _fields_of_content(self, body: dict[str, Any]) -> set[str]:
        return {field for media in body.get("content", {}).values() for field in self._fields(media.get("schema", {}))}

    def _fields(self, schema: Any, path: str = "") -> Iterator[str]:
        """Dotted paths of every property."""
        schema = self.follow(schema)
        for part in (*schema.get("allOf", ()), *schema.get("oneOf", ()), *schema.get("anyOf", ())):
            yield from self._fields(part, path)
        if "items" in schema:
            yield from self._fields(schema["items"], path)
        for name, inner in schema.get("properties", {}).items():
            yield f"{path}{name}"
            yield from self._fields(inner, f"{path}{name}.")
