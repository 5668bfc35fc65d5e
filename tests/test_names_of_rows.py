"""What a row is called where somebody chooses from a list, and in the log of the back office."""

import pytest
from django.apps import apps
from django.db import models
from django.db.models import Model
from django.utils import timezone

APPS = ("tenants", "customers", "auth_providers")
MODELS = [model for label in APPS for model in apps.get_app_config(label).get_models()]


def filled(model: type[Model]) -> Model:
    """A row with a text in each column of texts, now in each of moments, and so for what it refers to."""
    values: dict[str, object] = {}
    for field in model._meta.concrete_fields:
        if isinstance(field, models.ForeignKey) and field.related_model not in (model, "self"):
            values[field.name] = filled(field.related_model)
        elif isinstance(field, models.DateTimeField):
            values[field.name] = timezone.now()
        elif isinstance(field, models.CharField | models.TextField):
            values[field.name] = "x"
    return model(**values)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_row_has_a_name(model: type[Model]) -> None:
    name = str(filled(model))
    assert name.strip()
    assert "object (" not in name  # Django's, of the key alone
