"""Instances of models, made of rows as quickly as Python can."""

from collections.abc import Collection
from typing import Any, Self

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
        if not is_whole or pre_init.has_listeners(cls) or post_init.has_listeners(cls):
            return super().from_db(db, field_names, values, **more)
        instance = cls.__new__(cls)
        state = ModelState()
        state.adding, state.db = False, db
        instance.__dict__.update(zip(field_names, values, strict=True), _state=state)
        return instance
