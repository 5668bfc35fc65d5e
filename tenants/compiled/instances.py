"""Instances of models, made as quickly as Python can: of rows, and new ones by the thousand."""

from collections.abc import Callable, Collection
from functools import cache
from typing import Any, Self, TypeVar

from django.db import models
from django.db.models.base import ModelState
from django.db.models.signals import post_init, pre_init


class FromRow(models.Model):
    """Base of models that are read on hot paths. Django calls `Model.__init__`, which looks at each field for itself
    and costs as much as all the rest of reading a row; what comes from the database needs none of it."""

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, db: str | None, field_names: Collection[str], values: Collection[Any], **more: Any) -> Self:
        """The instance of a row; by Django itself when fields are deferred or somebody listens."""
        is_whole = len(values) == len(cls._meta.concrete_fields)
        if not is_whole or _is_heard(cls):
            return super().from_db(db, field_names, values, **more)
        instance = cls.__new__(cls)
        state = ModelState()
        state.adding, state.db = False, db
        instance.__dict__.update(zip(field_names, values, strict=True), _state=state)
        return instance


M = TypeVar("M", bound=models.Model)


def attach(instance: models.Model, name: str, related: models.Model) -> None:
    """Give the instance what its relation of this name leads to, whose key it has already, in a fifth of the time that
    Django's descriptor takes."""
    instance._state.fields_cache[name] = related


def fresh(model: type[M], **values: Any) -> M:
    """A new instance, as the model makes it of these values and its defaults, in a tenth of the time. A name that is no
    field's is not noticed."""
    if _is_heard(model):
        return model(**values)
    instance = model.__new__(model)
    constants, makers, relations = _defaults(model)
    state = ModelState()
    own = instance.__dict__
    own.update(constants, _state=state)
    for name, make in makers:
        if name not in values:
            own[name] = make()
    for name in relations.keys() & values.keys():
        relation, related = relations[name], values.pop(name)
        own[relation.attname] = None if related is None else getattr(related, relation.target_field.attname)
        state.fields_cache[name] = related
    own.update(values)
    return instance


@cache
def _defaults(
    model: type[models.Model],
) -> "tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]], dict[str, models.ForeignKey[Any, Any]]]":
    """The defaults that are the same for every row, what makes the others, and the relations by name."""
    constants: dict[str, Any] = {}
    makers: list[tuple[str, Callable[[], Any]]] = []
    fields = [field for field in model._meta.concrete_fields if not field.generated]
    for field in fields:
        is_made = field.default is not models.NOT_PROVIDED and callable(field.default)
        if is_made or field.db_default is not models.NOT_PROVIDED:
            makers.append((field.attname, field.get_default))
        else:
            constants[field.attname] = field.get_default()
    return constants, makers, {field.name: field for field in fields if isinstance(field, models.ForeignKey)}


def _is_heard(model: type[models.Model]) -> bool:
    """Whether somebody wants to be told of new instances."""
    if not (pre_init.receivers or post_init.receivers):
        return False
    return pre_init.has_listeners(model) or post_init.has_listeners(model)
