"""Our own API for what customers do to their account in every contract. Every path tolerates a trailing slash."""

from django.urls import re_path

from auth_providers.api.account.authenticator import AuthenticatorViewSet
from auth_providers.api.account.contract import CONTRACT
from tenants.api.base import EVERY_METHOD
from tenants.api.problems import ProblemUnknownPath

__all__ = ["CONTRACT", "urlpatterns"]

ACCOUNT = r"^tenants/(?P<tenant>[^/]+)/account"
# `.` would leave an encoded line break to a page of HTML.
REST = r"(/[\s\S]*)?$"

urlpatterns = [
    re_path(
        rf"{ACCOUNT}/authenticator/?$",
        AuthenticatorViewSet.as_view({"get": "retrieve", "post": "start", "delete": "destroy"}),
    ),
    re_path(rf"{ACCOUNT}/authenticator/confirm/?$", AuthenticatorViewSet.as_view({"post": "confirm"})),
    re_path(
        rf"{ACCOUNT}/authenticator/recovery-codes/?$", AuthenticatorViewSet.as_view({"post": "renew_recovery_codes"})
    ),
    re_path(rf"{ACCOUNT}{REST}", ProblemUnknownPath.as_view(EVERY_METHOD)),
]
