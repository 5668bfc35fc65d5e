"""The Neostore contract's paths, in the order of its document."""

from django.urls import re_path

from auth_providers.api.neostore.authenticate import AuthenticateViewSet
from auth_providers.api.neostore.base import NeostoreUnknownPath
from auth_providers.api.neostore.contract import CONTRACT
from auth_providers.api.neostore.customer import CustomerViewSet
from tenants.api.base import EVERY_METHOD

__all__ = ["CONTRACT", "urlpatterns"]

CUSTOMER = r"^api/(?P<tenant>[^/]+)/customer"
# `.` would leave an encoded line break to a page of HTML.
REST = r"(/[\s\S]*)?$"

urlpatterns = [
    re_path(rf"{CUSTOMER}/?$", CustomerViewSet.as_view({"get": "retrieve", "post": "create"})),
    re_path(rf"{CUSTOMER}/authenticate/?$", AuthenticateViewSet.as_view({"post": "authenticate"})),
    re_path(rf"^api{REST}", NeostoreUnknownPath.as_view(EVERY_METHOD)),
]
