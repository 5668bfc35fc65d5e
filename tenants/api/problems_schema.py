"""A problem body, for the generated documents of the contracts that answer with one."""

from typing import Any

from rest_framework import serializers


class ProblemDetails(serializers.Serializer[Any]):
    """RFC 9457. `errors` maps a field to what is wrong with it."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField()
    code = serializers.CharField()

    def get_fields(self) -> dict[str, Any]:
        """`errors` is a name that serializers use themselves."""
        messages = serializers.ListField(child=serializers.CharField())
        return super().get_fields() | {"errors": serializers.DictField(child=messages, required=False)}
