"""What is wrong with a field has a code that is known by its type, also where Django REST framework chose it."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from rest_framework import serializers

from tenants.api import contracts
from tenants.api.failures import failure_of
from tenants.api.schema import AnyOf
from tenants.errors import FieldCode

CODES = get_args(FieldCode)


def fields_of(field: serializers.Field[Any, Any, Any, Any]) -> Iterator[serializers.Field[Any, Any, Any, Any]]:
    yield field
    inner = [*getattr(field, "fields", {}).values()] + ([field.child] if hasattr(field, "child") else [])
    for each in inner:
        yield from fields_of(each)


def subclasses(of: type[Any]) -> Iterator[type[Any]]:
    for each in of.__subclasses__():
        yield each
        yield from subclasses(each)


def test_every_code_that_a_serializer_can_find_is_known() -> None:
    assert contracts.served()  # which imports every serializer
    others = ("rest_framework", "drf_spectacular")
    every = subclasses(serializers.Serializer)
    # A choice of serializers has none of its own, and they are looked at themselves.
    ours = [each for each in every if not each.__module__.startswith(others) and not issubclass(each, AnyOf)]
    fields = [field for each in ours for field in fields_of(each())]
    codes = {code for field in fields for code in field.error_messages} | {
        str(code) for field in fields for each in field.validators if (code := getattr(each, "code", None))
    }
    assert len(fields) > len(ours) > 1
    assert codes - set(CODES) == set()


@pytest.mark.parametrize("code", CODES)
def test_a_known_code_stays(code: str) -> None:
    failure = failure_of(serializers.ValidationError({"email": ["Wrong."]}, code=code))
    assert [(each.field, each.code) for each in failure.details] == [("email", code)]


def test_an_unknown_code_is_an_invalid_value() -> None:
    failure = failure_of(serializers.ValidationError({"email": ["Wrong."]}, code="astonishing"))
    assert [each.code for each in failure.details] == ["invalid"]
