"""A contract of one operation: a tenant's shop greets."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from tenants.api.base import UnknownPath
from tenants.api.contracts import Contract, Descriptions
from tenants.api.examples import Examples
from tenants.api.problems import ProblemViewSet


class Greeting(serializers.Serializer[Any]):
    greeting = serializers.CharField()


class GreetingViewSet(ProblemViewSet):
    authentication_classes = []
    permission_classes = []

    def greet(self, request: Request, **kwargs: Any) -> Response:
        return Response({"greeting": f"Welcome to {self.tenant.name}"})


class GreetingUnknownPath(UnknownPath, ProblemViewSet):
    """A path that it does not have."""


DESCRIPTIONS: Descriptions = {
    GreetingViewSet: {"greet": [extend_schema(operation_id="greet", responses=Greeting)]},
}
CONTRACT = Contract(
    name="greetings",
    title="Greetings",
    description="What a shop says first.",
    prefixes=("greetings",),
    security_schemes={"nobody": {"type": "http", "scheme": "basic"}},
    descriptions=(DESCRIPTIONS,),
    examples=Examples(values={"shop": "acme", "greeting": "Welcome to Acme"}, requests={}),
    path_names={"tenant": "shop"},
    request_headers=("greeting-language",),
    response_headers=("greeting-tone",),
    reserved_codes=("everybody",),
)
