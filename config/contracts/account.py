"""Our own API for what customers do to their account in every contract. Every path tolerates a trailing slash."""

from django.urls import re_path

from auth_providers.api.account.authenticator import AuthenticatorViewSet
from auth_providers.api.account.contract import CONTRACT
from auth_providers.api.account.own_data import OwnDataViewSet
from auth_providers.api.account.own_sessions import OwnSessionViewSet
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
    re_path(rf"{ACCOUNT}/sessions/?$", OwnSessionViewSet.as_view({"get": "list_running", "delete": "end_others"})),
    re_path(rf"{ACCOUNT}/sessions/(?P<session>[^/]+)/?$", OwnSessionViewSet.as_view({"delete": "destroy"})),
    re_path(rf"{ACCOUNT}/log-ins/?$", OwnDataViewSet.as_view({"get": "log_ins"})),
    re_path(rf"{ACCOUNT}/consents/?$", OwnDataViewSet.as_view({"get": "consents"})),
    re_path(rf"{ACCOUNT}/history/?$", OwnDataViewSet.as_view({"get": "history"})),
    re_path(rf"{ACCOUNT}/data/?$", OwnDataViewSet.as_view({"get": "download"})),
    re_path(rf"{ACCOUNT}{REST}", ProblemUnknownPath.as_view(EVERY_METHOD)),
]
