"""The file itself: written from what is stored, read and checked, and its JSON Schema."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import cast

import jsonschema_rs
import yaml
from django.db import models

from auth_providers.tenant_files import staff
from auth_providers.tenant_files.sections import SECRET, SECTIONS, Row, Section, row_of, tenant_columns
from tenants.errors import FieldError, InvalidInput
from tenants.json_values import Json
from tenants.models import CODE_MAX_LENGTH, CODE_MIN_LENGTH, CODE_PATTERN, Tenant

FORMAT = 1
LARGEST = 4 * 1024 * 1024  # bytes
MAX_ERRORS = 20
VARIABLE = r"^[A-Z_][A-Z0-9_]*$"


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a file says: the tenant's code, its settings, the rows of each section by name, and the staff; None where
    it says nothing of them."""

    code: str
    tenant: Row
    rows: Mapping[str, list[Row]]
    staff: list[Row] | None


def of_tenant(tenant: Tenant) -> Document:
    """What a file for the tenant as it is now would say."""
    return Document(
        code=tenant.code,
        tenant=row_of(tenant, tenant_columns()),
        rows={section.name: _stored_rows(tenant, section) for section in SECTIONS},
        staff=staff.rows_of(tenant),
    )


def write(document: Document) -> str:
    """The document as YAML, the same for the same content."""
    content: dict[str, object] = {"format": FORMAT, "code": document.code, "tenant": document.tenant, **document.rows}
    if document.staff is not None:
        content[staff.SECTION] = document.staff
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def read(text: str) -> Document:
    """The document that a YAML file holds. What a row leaves out has the default that a new row has. Raises
    `InvalidInput`, which says where in the file what is wrong."""
    if len(text.encode(errors="replace")) > LARGEST:
        raise InvalidInput(f"The file is larger than {LARGEST} bytes.")
    try:
        content: Json = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidInput(f"The file is not YAML: {error}") from error
    found = list(jsonschema_rs.validator_for(json_schema()).iter_errors(content))[:MAX_ERRORS]
    if found:
        raise InvalidInput(
            details=tuple(
                FieldError(field=".".join(map(str, error.instance_path)), code="invalid", message=f"{error.message}.")
                for error in found
            )
        )
    checked = cast(dict[str, Json], content)
    rows = {section.name: cast(list[Row], checked.get(section.name, [])) for section in SECTIONS}
    document = Document(
        code=str(checked["code"]),
        tenant=cast(Row, checked["tenant"]),
        rows=rows,
        staff=cast(list[Row] | None, checked.get(staff.SECTION)),
    )
    _refuse_repeated(document)
    return document


def json_schema() -> dict[str, Json]:
    """The file's schema (JSON Schema, 2020-12), made from the columns."""
    sections: dict[str, Json] = {
        section.name: {"type": "array", "items": _object_schema(section.columns(), section)} for section in SECTIONS
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A tenant of Patron",
        "type": "object",
        "additionalProperties": False,
        "required": ["format", "code", "tenant"],
        "properties": {
            "format": {"const": FORMAT},
            "code": {
                "type": "string",
                "pattern": CODE_PATTERN,
                "minLength": CODE_MIN_LENGTH,
                "maxLength": CODE_MAX_LENGTH,
            },
            "tenant": _object_schema(tenant_columns(), None),
            **sections,
            staff.SECTION: staff.SCHEMA,
        },
    }


def variable_of(code: str, section: Section, row: Mapping[str, Json]) -> str:
    """The environment variable that an exported file expects a row's secret in."""
    return re.sub(r"[^A-Z0-9]+", "_", f"{code} {section.name} {section.name_of(row)}".upper()).strip("_")


def _stored_rows(tenant: Tenant, section: Section) -> list[Row]:
    rows = []
    for instance in section.model.objects.for_tenant(tenant).order_by(*section.key):
        row = row_of(instance, section.columns())
        if section.secret and section.secret.is_kept(instance):
            row[SECRET] = {"env": variable_of(tenant.code, section, row)}
        rows.append(row)
    return rows


def _refuse_repeated(document: Document) -> None:
    named = {section.name: [section.name_of(row) for row in document.rows[section.name]] for section in SECTIONS}
    named[staff.SECTION] = [staff.name_of(row) for row in document.staff or ()]
    for section, names in named.items():
        for position, name in enumerate(names):
            if name in names[:position]:
                field = f"{section}.{position}"
                raise InvalidInput.field(field, f"{name} is in the file twice.", code="duplicate")


def _object_schema(columns: list[models.Field[object, object]], section: Section | None) -> dict[str, Json]:
    properties: dict[str, Json] = {field.name: _field_schema(field) for field in columns}
    if section is not None and section.secret is not None:
        properties[SECRET] = {
            "type": "object",
            "description": "The environment variable that holds it when the file is applied.",
            "required": ["env"],
            "additionalProperties": False,
            "properties": {"env": {"type": "string", "pattern": VARIABLE}},
        }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [
            field.name for field in columns if section and field.name in section.key and not field.has_default()
        ],
        "properties": properties,
    }


def _field_schema(field: models.Field[object, object]) -> dict[str, Json]:
    schema = dict(_type_schema(field))
    if field.choices:
        schema["enum"] = [str(value) for value, _ in field.flatchoices]
    if field.help_text:
        schema["description"] = str(field.help_text)
    return {"anyOf": [schema, {"type": "null"}]} if field.null else schema


def _type_schema(field: models.Field[object, object]) -> Iterator[tuple[str, Json]]:
    if isinstance(field, models.BooleanField):
        yield "type", "boolean"
    elif isinstance(field, models.IntegerField):
        yield "type", "integer"
        yield "minimum", 0
    elif isinstance(field, models.JSONField):
        return
    else:
        yield "type", "string"
        if field.max_length:
            yield "maxLength", field.max_length


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks, lists indented, nothing by reference."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        return super().increase_indent(flow, False)


class _Loader(yaml.SafeLoader):
    """No aliases, which can make a small file large, no dates, and each key once."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        if any(not isinstance(key, str) for key in keys):
            raise yaml.YAMLError("a key that is no text")
        if len(set(keys)) != len(keys):
            raise yaml.YAMLError(f"a key is there twice{node.start_mark}")
        return super().construct_mapping(node, deep=deep)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text and not re.search(r"[ \t]+\n|\r", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
