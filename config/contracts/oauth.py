"""The token endpoint's paths, and where its metadata lies."""

from django.urls import re_path

from auth_providers.api.oauth import well_known
from auth_providers.api.oauth.base import OAuthUnknownPath
from auth_providers.api.oauth.token import TokenViewSet
from tenants.api.base import EVERY_METHOD

TENANT = r"^tenants/(?P<tenant>[^/]+)"
WELL_KNOWN = r"\.well-known/oauth-authorization-server"
# `.` would leave an encoded line break to a page of HTML.
REST = r"(/[\s\S]*)?$"

described = [re_path(rf"{TENANT}/oauth/token/?$", TokenViewSet.as_view({"post": "issue"}))]
urlpatterns = [
    *described,
    re_path(rf"{TENANT}/oauth{REST}", OAuthUnknownPath.as_view(EVERY_METHOD)),
    re_path(rf"{TENANT}/{WELL_KNOWN}$", well_known.oauth_authorization_server),
    re_path(rf"^{WELL_KNOWN}/tenants/(?P<tenant>[^/]+)$", well_known.oauth_authorization_server),
]
