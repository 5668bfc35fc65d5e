"""The paths of the contract that greets."""

from django.urls import re_path

from tenants.api.base import EVERY_METHOD
from tests.contracts.fourth.greeting import CONTRACT, GreetingUnknownPath, GreetingViewSet

__all__ = ["CONTRACT", "urlpatterns"]

urlpatterns = [
    re_path(r"^greetings/(?P<tenant>[^/]+)/?$", GreetingViewSet.as_view({"get": "greet"})),
    re_path(r"^greetings(/[\s\S]*)?$", GreetingUnknownPath.as_view(EVERY_METHOD)),
]
