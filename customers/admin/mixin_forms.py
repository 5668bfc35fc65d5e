"""The form of one mixin, made from its JSON Schema."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from customers import mixins, profiles
from customers.admin.overtaken import OvertakenForm
from customers.admin.schema_fields import Entry, entries_of, in_words, title_of
from customers.models import Customer
from tenants.back_office.rows import show_failure
from tenants.errors import DomainError


@dataclass(frozen=True, kw_only=True)
class Section:
    """Fields that belong together, under the titles of the objects around them; "" at the top."""

    title: str
    fields: list[BoundField]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A mixin to read: what it is called, its key, and what it says, by what that is called."""

    title: str
    key: str
    rows: list[tuple[str, str]]


def read(key: str, value: Any, schema: Any) -> Shown:
    """The mixin in words; `schema` is None where none is registered any more."""
    rows = [(_label(each), each.of(value)) for each in entries_of({} if schema is None else schema, value)]
    said = [(label, in_words(stored)) for label, stored in rows if stored is not None]
    return Shown(title=title_of(schema, key), key=key, rows=said)


def _label(entry: Entry) -> str:
    return " \u203a ".join([*entry.groups, str(entry.field.label)])


class MixinForm(OvertakenForm):
    """Asks for what the schema describes; the core checks what was entered, as it does for the API.

    Only what was changed is in the patch, so that what the form can't show stays as it is.
    """

    use_required_attribute = False

    def __init__(self, *args: Any, customer: Customer, key: str, url: str, schema: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.customer, self.key, self.url = customer, key, url
        self.prefix_of_names = f"mixins.{key}"
        self.stored = customer.mixins.get(key)
        self.entries = {self.prefix_of_names + each.name: each for each in entries_of(schema, self.stored)}
        for name, entry in self.entries.items():
            self.fields[name] = entry.field
            entry.field.show_hidden_initial = True
            entry.field.initial = entry.of(self.stored)
        self.fields["expected_version"].initial = customer.version

    def sections(self) -> Iterator[Section]:
        """The visible fields, in the order of the schema."""
        named: dict[str, list[BoundField]] = {}
        for name, entry in self.entries.items():
            named.setdefault(" \u203a ".join(entry.groups), []).append(self[name])
        return (Section(title=title, fields=fields) for title, fields in named.items())

    def changes(self) -> profiles.ProfileChanges:
        """What the member of staff changed, as the core takes it; nothing for nothing."""
        value = self._value()
        is_named = self.customer.mixin_schemas.get(self.key) == self.url
        if is_named and self.stored is not None and not set(self.changed_data) & self.entries.keys():
            return {}
        patch: dict[str, Any] = {"mixins": {self.key: mixins.patch_between(self.stored, value)}}
        return profiles.changes_of(patch if is_named else {**patch, "mixin_schemas": {self.key: self.url}})

    @property
    def subject(self) -> Customer:
        return self.customer

    def stored_values(self) -> dict[str, Any]:
        return {name: entry.of(self.stored) for name, entry in self.entries.items()}

    def show(self, error: DomainError) -> None:
        show_failure(self, error, {each.field: self._place_of(each.field) for each in error.details})

    def _value(self) -> Any:
        """The whole mixin as it will be."""
        whole = self.entries.get(self.prefix_of_names)
        if whole is not None and not whole.path:
            return self.cleaned_data[self.prefix_of_names]
        value: dict[str, Any] = copy.deepcopy(self.stored) if isinstance(self.stored, dict) else {}
        for name, entry in self.entries.items():
            if name in self.changed_data:
                _put(value, entry, self.cleaned_data[name])
        return value

    def _place_of(self, name: str) -> str:
        """The field that a failure is shown at: its own, the first inside, or the one around; "" for the form."""
        if name in self.entries:
            return name
        inside = next((each for each in self.entries if each.startswith(f"{name}.")), None)
        if inside is not None:
            return inside
        while "." in name:
            name = name.rpartition(".")[0]
            found = next((each for each in (name, f"{name}.*") if each in self.entries), None)
            if found is not None:
                return found
        return ""


def _put(value: dict[str, Any], entry: Entry, entered: Any) -> None:
    """Write what was entered into the mixin; an object that has become empty goes."""
    if entry.is_rest:
        holder = _holder(value, entry.path)
        for name in [name for name in holder if name not in entry.known]:
            del holder[name]
        holder.update(entered if isinstance(entered, dict) else {})
    else:
        holder = _holder(value, entry.path[:-1])
        holder.pop(entry.path[-1], None)
        if entered is not None and (entered != [] or entry.is_required):
            holder[entry.path[-1]] = entered
    _drop_empty(value, entry.path)


def _holder(value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for name in path:
        value = value.setdefault(name, {})
    return value


def _drop_empty(value: dict[str, Any], path: tuple[str, ...]) -> None:
    for length in range(len(path), 0, -1):
        holder = _holder(value, path[: length - 1])
        if holder.get(path[length - 1]) == {}:
            del holder[path[length - 1]]


class NewMixinForm(forms.Form):
    """Which schema a customer is to have data for, and the key that storefronts know it by."""

    schema = forms.ChoiceField(label="What it is about")
    key = forms.CharField(max_length=64, help_text="The name by which storefronts read it, such as loyalty.")

    def __init__(self, *args: Any, schemas: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["schema"].choices = schemas  # type: ignore[attr-defined] # Django's stubs know fields by their base
