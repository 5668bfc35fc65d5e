"""What a file would change, in words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.utils.text import Truncator

from auth_providers.tenant_files.sections import SECRET
from tenants.json_values import Json

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
LONGEST_SHOWN = 100  # characters of a value


@dataclass(frozen=True, kw_only=True)
class FieldChange:
    """A value that would change. A secret has none to show."""

    field: str
    before: Json
    after: Json


@dataclass(frozen=True, kw_only=True)
class Change:
    """A row that would be added, changed or removed. `fields` are those that would change."""

    section: str
    name: str
    kind: str
    fields: tuple[FieldChange, ...] = ()


def differences(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[FieldChange]:
    """The values that are other ones after than before."""
    for name, value in after.items():
        if before.get(name) != value:
            yield FieldChange(field=name, before=before.get(name), after=value)


def as_lines(changes: list[Change]) -> list[str]:
    """The changes in words, one a line; no value of a secret."""
    marks = {ADDED: "+", CHANGED: "~", REMOVED: "-"}
    lines = []
    for change in changes:
        lines.append(f"{marks[change.kind]} {change.section} {change.name}")
        lines.extend(f"    {_in_words(field)}" for field in change.fields)
    return lines


def _in_words(change: FieldChange) -> str:
    if change.field == SECRET:
        return f"{SECRET}: another one"
    return f"{change.field}: {_shown(change.before)} -> {_shown(change.after)}"


def _shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return Truncator(text).chars(LONGEST_SHOWN, truncate="...")
