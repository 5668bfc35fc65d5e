"""The feed of events. The path tolerates a trailing slash."""

from django.urls import re_path

from auth_providers.api.events.contract import CONTRACT
from auth_providers.api.events.feed import EventsViewSet
from tenants.api.base import EVERY_METHOD
from tenants.api.problems import ProblemUnknownPath

__all__ = ["CONTRACT", "urlpatterns"]

EVENTS = r"^tenants/(?P<tenant>[^/]+)/events"
# `.` would leave an encoded line break to a page of HTML.
REST = r"(/[\s\S]*)?$"

urlpatterns = [
    re_path(rf"{EVENTS}/?$", EventsViewSet.as_view({"get": "retrieve"})),
    re_path(rf"{EVENTS}{REST}", ProblemUnknownPath.as_view(EVERY_METHOD)),
]
