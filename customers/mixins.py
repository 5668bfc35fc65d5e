"""Mixins: a shop's own properties, each checked by the JSON Schema that its staff registered under a URL.

The URL is a name. Nothing is fetched, neither for it nor for a `$ref` inside a schema.
"""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NoReturn, Protocol, TypedDict

import jsonschema_rs

from customers import secret_names
from customers.models import MixinSchema
from tenants.errors import FieldError, InvalidInput
from tenants.json_values import Json, JsonObject
from tenants.models import Tenant


class MixinChanges(TypedDict, total=False):
    """A merge patch (RFC 7396) of mixins by key, and of the URLs of their schemas. None stands for none."""

    mixins: JsonObject | None
    mixin_schemas: JsonObject | None


FIELDS = tuple(MixinChanges.__annotations__)
MAX_MIXINS = 50
MAX_ERRORS = 20  # of one mixin


class Holder(Protocol):
    """What has mixins: a profile, an address."""

    mixins: dict[str, Json]
    mixin_schemas: dict[str, Json]


def merge_patch(target: Json, patch: Json) -> Json:
    """The target after the patch (RFC 7396, 2)."""
    if not isinstance(patch, Mapping):
        return patch
    return merge_objects(target if isinstance(target, Mapping) else {}, patch)


def merge_objects(target: JsonObject, patch: JsonObject) -> dict[str, Json]:
    """The target after the patch, both of which are objects."""
    merged = dict(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged


def patch_between(before: Json, after: Json) -> Json:
    """The patch that makes one of the other (RFC 7396): what stays is not in it, so that it undoes nobody's change."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return after
    changed = {name: patch_between(before.get(name), value) for name, value in after.items()}
    gone: dict[str, Json] = {name: None for name in before if name not in after}
    return gone | {name: patch for name, patch in changed.items() if not _is_same(before.get(name), after[name])}


def assign(*, tenant: Tenant, holder: Holder, patch: MixinChanges) -> None:
    """Apply what `patch` says about `mixins` and `mixin_schemas`, and check what it changes: what is stored was checked
    by the schemas of its day.

    Raises `InvalidInput` with the JSON path of everything that is wrong, secrets included (`secret_names`), whatever
    the schema says of them.
    """
    if not any(name in patch for name in FIELDS):
        return
    before: tuple[JsonObject, JsonObject] = (holder.mixins, holder.mixin_schemas)
    holder.mixins = _patched(holder.mixins, patch.get("mixins", {}))
    holder.mixin_schemas = _patched(holder.mixin_schemas, patch.get("mixin_schemas", {}))
    changed = _changed(before, (holder.mixins, holder.mixin_schemas))
    secrets = secret_names.errors("mixins", {key: holder.mixins[key] for key in changed if key in holder.mixins})
    errors = [*_shape_errors(holder), *secrets, *_value_errors(tenant, holder, changed)]
    if errors:
        raise InvalidInput(details=tuple(errors))


def register(*, tenant: Tenant, url: str, schema: object) -> tuple[MixinSchema, bool]:
    """Register the schema under the URL, or replace the one there. Returns it and whether it is new.

    Raises `InvalidInput` for what is no schema, or refers to another document.
    """
    check_schema(schema)
    return MixinSchema.objects.for_tenant(tenant).update_or_create(
        url=url, defaults={"schema": schema}, create_defaults={"tenant": tenant, "url": url, "schema": schema}
    )


def check_schema(schema: object) -> None:
    """Raises the `InvalidInput` that `register` would, with nothing written."""
    try:
        _compiled(json.dumps(schema, sort_keys=True))
    except (ValueError, jsonschema_rs.ReferencingError, jsonschema_rs.ValidationError) as error:
        raise InvalidInput.field("schema", f"This is not a JSON Schema that stands alone: {error}"[:500]) from error


def _patched(stored: JsonObject, patch: JsonObject | None) -> dict[str, Json]:
    return {} if patch is None else merge_objects(stored, patch)


def _changed(before: tuple[JsonObject, JsonObject], after: tuple[JsonObject, JsonObject]) -> set[str]:
    """The keys whose value or schema is another one now."""
    return {
        key
        for old, new in zip(before, after, strict=True)
        for key in {*old, *new}
        if not _is_same(old.get(key), new.get(key))
    }


def _is_same(value: Json, other: Json) -> bool:
    """As JSON: to Python 1 and true are the same."""
    return json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)


def _shape_errors(holder: Holder) -> Iterator[FieldError]:
    if len(holder.mixins) > MAX_MIXINS or len(holder.mixin_schemas) > MAX_MIXINS:
        yield FieldError(field="mixins", code="max_length", message=f"At most {MAX_MIXINS} mixins.")
    for key, url in holder.mixin_schemas.items():
        if not isinstance(url, str):
            yield FieldError(field=f"mixin_schemas.{key}", code="invalid", message="This must be a URL.")


def _value_errors(tenant: Tenant, holder: Holder, changed: set[str]) -> Iterator[FieldError]:
    urls = [url for key, url in holder.mixin_schemas.items() if key in changed and isinstance(url, str)]
    found = MixinSchema.objects.for_tenant(tenant).filter(url__in=urls).values_list("url", "schema")
    schemas: dict[str, Json] = dict(found) if urls else {}
    for key, url in holder.mixin_schemas.items():
        if key in changed and isinstance(url, str) and url not in schemas:
            message = "No schema is registered under this URL."
            yield FieldError(field=f"mixin_schemas.{key}", code="unregistered", message=message)
    for key, value in holder.mixins.items():
        if key not in changed:
            continue
        if key not in holder.mixin_schemas:
            message = "This mixin names no schema."
            yield FieldError(field=f"mixin_schemas.{key}", code="required", message=message)
        elif (url := holder.mixin_schemas[key]) in schemas:
            yield from _violations(key, value, schemas[url])


def _violations(key: str, value: Json, schema: Json) -> Iterator[FieldError]:
    validator = _compiled(json.dumps(schema, sort_keys=True))
    for _, error in zip(range(MAX_ERRORS), validator.iter_errors(value), strict=False):
        kind = error.kind
        missing = [kind.property] if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required) else []
        path = ".".join(str(part) for part in ["mixins", key, *error.instance_path, *missing])
        yield FieldError(field=path, code="schema", message=error.message[:500])


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is another document, and nothing is fetched.")


@lru_cache(maxsize=256)
def _compiled(schema: str) -> jsonschema_rs.Validator:
    """A validator for the draft that the schema names, else 2020-12. Its patterns run in linear time, whatever they
    are matched against."""
    return jsonschema_rs.validator_for(
        json.loads(schema),
        retriever=_refuse,
        validate_formats=True,
        pattern_options=jsonschema_rs.RegexOptions(),
    )
