"""Fields of request bodies that take JSON's own types and nothing that merely looks like them."""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from drf_spectacular.drainage import set_override
from rest_framework import serializers
from rest_framework.utils.serializer_helpers import BindingDict


class Body(serializers.Serializer[Any]):
    """The fields of a request's body. They know nothing of a request, so those of the outermost object are made once a
    process; REST framework copies them for each, which cost a fortieth of a log-in.

    So is all else of the outermost object. REST framework counts every field that it makes at the class `Field`, and
    with each change of a class Python forgets what it knows of attributes of that class and all below it: a hundred
    serializers were looked at anew in every request.
    """

    def __init__(self, instance: Any = None, data: Any = serializers.empty, **more: Any) -> None:
        if instance is not None or data is serializers.empty or more.keys() - {"partial"}:
            super().__init__(instance, data, **more)
            return
        self.__dict__.update(_empty(type(self), more.get("partial", False)).__dict__)
        self.initial_data, self._context = data, {}

    @property
    def fields(self) -> BindingDict:
        return _fields(type(self), self.partial) if self.parent is None else self._own_fields

    @cached_property
    def _own_fields(self) -> BindingDict:
        own = BindingDict(self)
        for name, field in self.get_fields().items():
            own[name] = field
        return own


@cache
def _empty(kind: type[Body], is_partial: bool) -> Body:
    """What has no data yet."""
    return kind(partial=is_partial)


def _fields(kind: type[Body], is_partial: bool) -> BindingDict:
    return _empty(kind, is_partial)._own_fields


class Text(serializers.CharField):
    """Text: a number is none. At least one character, unless `allow_blank`; spaces around it are dropped only where
    `trim_whitespace` says so.

    `form` is what the core asks of the text beyond its length, as JSON Schema: for the document, not checked here.
    """

    def __init__(self, *, form: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(**({"trim_whitespace": False} | kwargs))
        set_override(self, "field", {"type": "string", **(form or {})})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data == "" and not self.allow_blank:
            self.fail("blank")
        return data if data == "" else serializers.Field.run_validation(self, data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data.strip() if self.trim_whitespace else data


class Email(Text):
    """An e-mail address that the core refuses when it is none (RFC 5321, 4.5.3.1.3, for its length)."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {"max_length": 254, "form": {"format": "email"}}
        super().__init__(**(defaults | kwargs))


class Flag(serializers.BooleanField):
    """true or false; no text or number stands for either."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Whole(serializers.IntegerField):
    """A whole number, in digits and not in quotes."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int | float) or data != data // 1:
            self.fail("invalid")
        return int(data)
